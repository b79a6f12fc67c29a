import type { Attack } from '../attack.js';
import { HostileSocket, ingestHello, joinSpeaker } from '../hostile-socket.js';

const FRAMES_AT_ONCE = 2000;
const SAMPLE_BYTES = 2;
const TEN_SECONDS_BYTES = 320_000;
const WELCOME_DEADLINE_MS = 5000;

export const tinyFrames: Attack = {
  name: 'F15',
  title: 'audio of one sample a frame, as many frames as there is room for',
  venue: 'gateway',
  async run(context) {
    const frame = new Uint8Array(SAMPLE_BYTES);
    // Whoever is cut off comes again, as an attacker would.
    while (!context.flood.aborted) {
      const speaker = await joinSpeaker(context, { room: 'frames', identity: 'eve' });
      while (speaker !== undefined && (await speaker.hasRoom())) {
        for (let index = 0; index < FRAMES_AT_ONCE; index += 1) speaker.send(frame);
        await new Promise((resolve) => setImmediate(resolve));
      }
      speaker?.leave();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (context.tally.countOf('close 4429') === 0)
      context.tally.breach('the frames were not refused with 4429');
  },
};

export const helloAgain: Attack = {
  name: 'F15-hello',
  title: 'the same speaker connects again and again, each time with ten seconds of sound at once',
  venue: 'gateway',
  async run(context) {
    const token = await context.token({ room: 'again', identity: 'eve' });
    const noise = Uint8Array.from({ length: TEN_SECONDS_BYTES }, (_, index) => (index * 7919) % 251);
    let welcomes = 0;
    while (!context.flood.aborted) {
      const socket = new HostileSocket(context, { path: '/v1/ingest', token });
      await socket.opened;
      socket.sendJson(ingestHello('again', 'eve'));
      if ((await socket.waitFor('welcome', WELCOME_DEADLINE_MS)) !== undefined) welcomes += 1;
      for (let piece = 0; piece < 4; piece += 1)
        socket.send(noise.subarray((piece * TEN_SECONDS_BYTES) / 4, ((piece + 1) * TEN_SECONDS_BYTES) / 4));
      await new Promise((resolve) => setTimeout(resolve, 200));
      socket.leave();
    }
    const heardS = welcomes * 10;
    context.tally.remark(`welcomed ${welcomes} times in ${context.target.seconds} s`);
    if (context.tally.countOf('close 4429') === 0 && heardS > 4 * context.target.seconds)
      context.tally.breach(`${heardS} s of sound of one person were taken in ${context.target.seconds} s`);
  },
};
