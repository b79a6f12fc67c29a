import { readSpeech } from '../../../gateway/index.js';
import type { Attack, AttackContext } from '../attack.js';
import { captionsPath, HostileSocket, ingestHello } from '../hostile-socket.js';

const ROOM = 'names';
const NAMES = ['The Minister', '\u202eretsiniM ehT', 'The\u200b Minister', 'Т\u200dhe Minister'];
const FRAME_SAMPLES = 640;
const SPEECH_SAMPLES = 16_000 * 4;
const ANSWER_DEADLINE_MS = 8000;

export const freeNames: Attack = {
  name: 'F13',
  title: 'a speaker whose token says Mallory calls himself the minister, visibly and not',
  venue: 'gateway',
  async run(context) {
    const watching = await context.token({ room: ROOM, identity: 'viewer' });
    const viewer = new HostileSocket(context, { path: captionsPath(ROOM), token: watching });
    await viewer.opened;
    await Promise.all(NAMES.map((name, index) => speakAs(context, name, `mallory-${index}`)));
    await viewer.waitFor('delta', ANSWER_DEADLINE_MS);
    const names = new Set<string>();
    for (const { speaker } of viewer.received)
      if (typeof speaker === 'object' && speaker !== null && 'name' in speaker)
        names.add(String(speaker.name));
    context.tally.remark(`shown as ${[...names].map((name) => JSON.stringify(name)).join(', ') || 'nobody'}`);
    for (const name of names)
      if (name !== 'Mallory') context.tally.breach(`shown as ${JSON.stringify(name)}, not as the token says`);
    viewer.leave();
  },
};

async function speakAs(context: AttackContext, name: string, identity: string): Promise<void> {
  const token = await context.token({ room: ROOM, identity, name: 'Mallory' });
  const socket = new HostileSocket(context, { path: '/v1/ingest', token });
  await socket.opened;
  socket.sendJson(ingestHello(ROOM, identity, { speaker: { identity, name } }));
  await socket.waitFor('welcome', ANSWER_DEADLINE_MS);
  const pcm = (await readSpeech(context.target.speechFile)).slice(0, SPEECH_SAMPLES);
  for (let first = 0; first < pcm.length; first += FRAME_SAMPLES) {
    const frame = pcm.slice(first, first + FRAME_SAMPLES);
    socket.send(new Uint8Array(frame.buffer));
    await new Promise((resolve) => setTimeout(resolve, FRAME_SAMPLES / 16));
  }
  socket.sendJson({ kind: 'end' });
  await socket.waitFor('ended', ANSWER_DEADLINE_MS);
  socket.leave();
}
