import { readSpeech } from '../../../gateway/index.js';
import { joinUnbound } from '../../../gateway/livekit/index.js';
import { usageOf } from '../../process-usage.js';
import type { Attack, AttackContext } from '../attack.js';
import { captionsPath, HostileSocket } from '../hostile-socket.js';
import { captionedRoom, liveKitOf, watchingPage } from './livekit-room.js';

const TRANSCRIPTION_TOPIC = 'lk.transcription';
/** Together more than one writer hands over: a page gets them faster than it can show them. */
const BOMB_STREAMS = 6;
const BOMB_PARTS = 10_000;
const PART_CHARS = 100;
/** A page that stands still longer is frozen for whoever reads it. */
const MOST_STANDSTILL_MS = 1000;
const MICROPHONES = 12;
/** One, and one more that is being changed for it. */
const SENSIBLE_TRACKS = 2;
const FRAME_SAMPLES = 640;
/** From the last sound to its captions. */
const LAST_CAPTIONS_MS = 3000;

export const textBomb: Attack = {
  name: 'F9',
  title: 'six text streams of a megabyte each from anybody, to a page that shows captions',
  venue: 'livekit',
  async run(context) {
    const room = 'text-bomb';
    await captionedRoom(context, { room });
    const page = await watchingPage(context, room);
    try {
      const token = await context.token({ room, identity: 'eve', video: { canPublishData: true } });
      const eve = await joinUnbound({ url: liveKitOf(context).url, token });
      const parts = Array.from(
        { length: BOMB_PARTS },
        (_, part) => `${part} ${'boom '.repeat(PART_CHARS / 5)}`,
      );
      const bombs = Array.from({ length: BOMB_STREAMS }, () =>
        eve.streamText(TRANSCRIPTION_TOPIC, untilOver(context, parts)),
      );
      const longestMs = await page.longestStandstillMs(Promise.all(bombs));
      context.tally.remark(`the page stood still for ${Math.round(longestMs)} ms`);
      if (longestMs > MOST_STANDSTILL_MS)
        context.tally.breach(`the page stood still for ${Math.round(longestMs)} ms`);
      if (await page.shows('boom boom')) context.tally.breach('the page shows what anybody streams');
      await eve.leave();
    } finally {
      await page.close();
    }
  },
};

function* untilOver(context: AttackContext, parts: readonly string[]): Generator<string> {
  for (const part of parts) {
    if (context.flood.aborted) return;
    context.tally.sent(part.length);
    yield part;
  }
}

export const manyMicrophones: Attack = {
  name: 'F25',
  title: `one participant publishes ${MICROPHONES} microphones and talks through all of them`,
  venue: 'livekit',
  async run(context) {
    const room = 'microphones';
    await captionedRoom(context, { room });
    const viewer = new HostileSocket(context, {
      path: captionsPath(room),
      token: await context.token({ room, identity: 'viewer' }),
    });
    const token = await context.token({ room, identity: 'eve', video: { canPublish: true } });
    const eve = await joinUnbound({ url: liveKitOf(context).url, token });
    const before = usageOf(context.target.pid).cpuSeconds;
    const startedAtMs = performance.now();
    const speech = await readSpeech(context.target.speechFile);
    const microphones: ((pcm: Int16Array) => Promise<void>)[] = [];
    for (let index = 0; index < MICROPHONES; index += 1) microphones.push(await eve.publishMicrophone());
    for (
      let first = 0;
      !context.flood.aborted;
      first = (first + FRAME_SAMPLES) % (speech.length - FRAME_SAMPLES)
    ) {
      const frame = speech.slice(first, first + FRAME_SAMPLES);
      context.tally.sent(frame.byteLength * MICROPHONES, MICROPHONES);
      await Promise.all([
        ...microphones.map((say) => say(frame)),
        new Promise((resolve) => setTimeout(resolve, FRAME_SAMPLES / 16)),
      ]);
    }
    const cores =
      (usageOf(context.target.pid).cpuSeconds - before) / ((performance.now() - startedAtMs) / 1000);
    await new Promise((resolve) => setTimeout(resolve, LAST_CAPTIONS_MS));
    const tracks = new Set(
      viewer.received.flatMap(({ trackSid }) => (typeof trackSid === 'string' ? [trackSid] : [])),
    );
    context.tally.remark(
      `${tracks.size} of ${MICROPHONES} were captioned; the gateway without its children took ${cores.toFixed(2)} cores`,
    );
    if (tracks.size > SENSIBLE_TRACKS)
      context.tally.breach(`${tracks.size} microphones of one participant are captioned`);
    viewer.leave();
    await eve.leave();
  },
};
