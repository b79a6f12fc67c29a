import type { Attack } from '../attack.js';
import { HostileSocket, ingestHello } from '../hostile-socket.js';

const LANGUAGES = [
  '日'.repeat(35),
  '😀'.repeat(17),
  'é'.repeat(35),
  'x'.repeat(35),
  'en-\u0000',
  '\ud800'.repeat(35),
];
const ANSWER_DEADLINE_MS = 5000;

export const closeReason: Attack = {
  name: 'F1',
  title: 'a language that is none, in all scripts, with a token of another room and without one',
  venue: 'gateway',
  async run(context) {
    const elsewhere = await context.token({ room: 'elsewhere', identity: 'eve' });
    for (const token of [elsewhere, undefined]) {
      for (const language of LANGUAGES) {
        const socket = new HostileSocket(context, { path: '/v1/ingest', token });
        await socket.opened;
        socket.sendJson(ingestHello('elsewhere', 'eve', { language }));
        if (!(await socket.isClosedWithin(ANSWER_DEADLINE_MS)))
          context.tally.breach('a language that is none was not refused');
        else if (![4400, 4401].includes(socket.closed?.code ?? 0))
          context.tally.breach(`refused with ${socket.closed?.code ?? 'nothing'} instead of 4400 or 4401`);
        socket.leave();
      }
    }
  },
};
