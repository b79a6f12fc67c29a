import type { Attack } from '../attack.js';
import { HostileSocket, ingestHello } from '../hostile-socket.js';

const ROOM = 'camera-only';
const ANSWER_DEADLINE_MS = 5000;

export const forbiddenMicrophone: Attack = {
  name: 'F14',
  title: 'somebody who may publish a camera only speaks',
  venue: 'gateway',
  async run(context) {
    const token = await context.token({
      room: ROOM,
      identity: 'eve',
      video: { canPublish: true, canPublishSources: ['camera'] },
    });
    const socket = new HostileSocket(context, { path: '/v1/ingest', token });
    await socket.opened;
    socket.sendJson(ingestHello(ROOM, 'eve'));
    const welcome = await socket.waitFor('welcome', ANSWER_DEADLINE_MS);
    if (welcome !== undefined) context.tally.breach('whoever may publish a camera only may speak');
    else if (socket.closed?.code !== 4403)
      context.tally.breach(`refused with ${socket.closed?.code ?? 'nothing'} instead of 4403`);
    socket.leave();
  },
};
