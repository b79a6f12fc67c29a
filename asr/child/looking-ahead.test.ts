/** The scheduler in a meeting of virtual time: what is decoded when, and what is looked at before. */
import { describe, expect, it } from 'vitest';
import { msToSamples } from '../../protocol/index.js';
import { FAKE_CHUNK_SAMPLES, FakeRecogniser } from '../testing/fake-recogniser.js';
import { DecodeScheduler, MAX_BATCH_STREAMS } from './decode-scheduler.js';

const FRAME_MS = 40;
const CHUNK_MS = 320;

interface MeetingOptions {
  readonly streams: number;
  readonly seconds: number;
  /** Of a call over so many streams that begins then. */
  readonly callMs: (streams: number, nowMs: number) => number;
  /** Looks may share a call with what is decoded. Default false. */
  readonly isBatchIndependent?: boolean;
}

interface Meeting {
  /** From the moment at which a chunk is whole to that at which it is decoded. */
  readonly waitsMs: number[];
  readonly decodedChunks: number;
  /** Streams looked at, per stream and second, in each second. */
  readonly looksPerSecond: number[];
  /** Looks taken while a whole chunk waited. */
  readonly looksBeforeDecoding: number;
  /** Calls that only looked. */
  readonly callsForLooks: number;
  /** Of calls that looked and decoded. */
  readonly largestCall: number;
}

/** Everybody talks all the time; a frame of each arrives every 40 ms, one stream after the other. */
async function hold({ streams, seconds, callMs, isBatchIndependent }: MeetingOptions): Promise<Meeting> {
  let nowMs = 0;
  const looks = Array<number>(seconds).fill(0);
  const waitsMs: number[] = [];
  let looksBeforeDecoding = 0;
  let callsForLooks = 0;
  let largestCall = 0;
  /** Decoded in the call that has just ended, if no time has gone by since. */
  let decoded = { streams: 0, atMs: -1 };
  const second = (): number => Math.min(seconds - 1, Math.floor(nowMs / 1000));
  const recogniser = new FakeRecogniser(
    (words) => {
      nowMs += callMs(words.length, nowMs);
      decoded = { streams: words.length, atMs: nowMs };
    },
    (words) => {
      looks[second()]! += words.length;
      if (decoded.atMs === nowMs) {
        const together = decoded.streams + words.length;
        largestCall = Math.max(largestCall, together);
        nowMs += callMs(together, nowMs) - callMs(decoded.streams, nowMs);
        return;
      }
      if (scheduler.hasWork) looksBeforeDecoding += 1;
      callsForLooks += 1;
      nowMs += callMs(words.length, nowMs);
    },
    isBatchIndependent,
  );
  const scheduler = new DecodeScheduler({
    recogniser,
    decodeCallBudgetMs: 40,
    changedWordsAllowed: 0.05,
    now: () => nowMs,
  });
  const phaseMs = (stream: number): number => ((stream * CHUNK_MS) / streams) % CHUNK_MS;
  const framesGiven = Array<number>(streams).fill(0);
  const chunksDone = Array<number>(streams).fill(0);
  for (let stream = 0; stream < streams; stream++) scheduler.open(stream, { firstSample: 0 });
  const arrive = (): void => {
    for (let stream = 0; stream < streams; stream++) {
      for (
        ;
        framesGiven[stream]! < Math.floor((nowMs - phaseMs(stream)) / FRAME_MS);
        framesGiven[stream]! += 1
      )
        scheduler.accept(stream, new Float32Array(msToSamples(FRAME_MS)));
    }
  };
  let gatherUntilMs: number | undefined;
  while (nowMs < seconds * 1000) {
    arrive();
    if (scheduler.hasWork) {
      gatherUntilMs ??= nowMs + scheduler.gatherMs;
      if (scheduler.gatherMs === 0 || nowMs >= gatherUntilMs) {
        gatherUntilMs = undefined;
        const { pieces } = await scheduler.decodeOnce();
        // The others were looked at.
        for (const { utterance, decodedThroughSample } of pieces.filter(
          ({ appended }) => appended.length > 0,
        )) {
          const chunk = decodedThroughSample / FAKE_CHUNK_SAMPLES;
          waitsMs.push(nowMs - (phaseMs(utterance) + chunk * CHUNK_MS));
          chunksDone[utterance]! += 1;
        }
        continue;
      }
    } else if (scheduler.hasSpeculation) {
      await scheduler.speculateOnce();
      continue;
    }
    nowMs += 1;
  }
  return {
    waitsMs,
    decodedChunks: chunksDone.reduce((sum, chunks) => sum + chunks, 0),
    looksPerSecond: looks.map((count) => count / streams),
    looksBeforeDecoding,
    callsForLooks,
    largestCall,
  };
}

/** The default model on one core: most of the first stream's cost is that of the call. */
const quick = (streams: number): number => 2.2 + 3.1 * streams;

const everyChunk = ({ streams, seconds }: { streams: number; seconds: number }): number =>
  streams * Math.floor((seconds * 1000) / CHUNK_MS - 1);

describe('Looking ahead', () => {
  it('with many speakers fills up calls that decode anyway, and has none of its own', async () => {
    const meeting = await hold({ streams: 25, seconds: 4, callMs: quick, isBatchIndependent: true });
    expect(meeting.looksPerSecond.at(-1)).toBeGreaterThan(0.5);
    expect(meeting.callsForLooks).toBe(0);
    expect(meeting.largestCall).toBe(MAX_BATCH_STREAMS);
    expect(meeting.decodedChunks).toBeGreaterThanOrEqual(everyChunk({ streams: 25, seconds: 4 }));
    expect(Math.max(...meeting.waitsMs)).toBeLessThanOrEqual(3 * quick(MAX_BATCH_STREAMS) + 60);
  });

  it('does not ride along where decoding alone takes the time there is', async () => {
    const slow = (streams: number): number => 2 * quick(streams);
    const meeting = await hold({ streams: 35, seconds: 6, callMs: slow, isBatchIndependent: true });
    expect(meeting.looksPerSecond.slice(2)).toEqual([0, 0, 0, 0]);
    expect(meeting.decodedChunks).toBeGreaterThanOrEqual(everyChunk({ streams: 35, seconds: 6 }));
  });

  it('never rides in a call that ends a sentence, because the final waits for it', async () => {
    let nowMs = 0;
    const looked: number[] = [];
    const recogniser = new FakeRecogniser(
      () => undefined,
      (words) => looked.push(...words),
      true,
    );
    const scheduler = new DecodeScheduler({
      recogniser,
      decodeCallBudgetMs: 40,
      changedWordsAllowed: 0.05,
      now: () => (nowMs += 1),
    });
    const half = new Float32Array(FAKE_CHUNK_SAMPLES / 2);
    for (let utterance = 0; utterance < 20; utterance++) {
      scheduler.open(utterance, { firstSample: 0 });
      scheduler.accept(utterance, half);
    }
    scheduler.accept(0, half);
    scheduler.finish(1);
    expect(await scheduler.decodeOnce()).toMatchObject({ batchSize: 1 });
    expect(looked).toEqual([]);
    expect(await scheduler.decodeOnce()).toMatchObject({ batchSize: 1, pieces: [{ isFinal: true }] });
    scheduler.accept(0, half);
    scheduler.accept(0, half);
    expect((await scheduler.decodeOnce()).batchSize).toBe(MAX_BATCH_STREAMS);
    expect(looked).toHaveLength(MAX_BATCH_STREAMS - 1);
  });

  it('leaves alone what is noise to the recogniser, and looks again when it is not', async () => {
    const looked: number[] = [];
    const recogniser = new FakeRecogniser(
      () => undefined,
      (words) => looked.push(...words),
    );
    const [speech, noise] = [100, 200];
    recogniser.logProbabilityOf = (word) => (word === noise ? -2 : -0.1);
    let nowMs = 0;
    const scheduler = new DecodeScheduler({
      recogniser,
      decodeCallBudgetMs: 40,
      changedWordsAllowed: 0.05,
      now: () => (nowMs += 1),
    });
    const hear = async (utterance: number, word: number, chunks: number): Promise<number> => {
      for (let half = 0; half < 2 * chunks; half++) {
        scheduler.accept(utterance, new Float32Array(FAKE_CHUNK_SAMPLES / 2).fill(word / 32768));
        while (scheduler.hasWork) await scheduler.decodeOnce();
        while (scheduler.hasSpeculation) await scheduler.speculateOnce();
      }
      return looked.splice(0).length;
    };
    for (const utterance of [1, 2]) scheduler.open(utterance, { firstSample: 0 });
    expect(await hear(1, speech, 6)).toBe(6);
    // Until it has said enough to be judged.
    expect(await hear(2, noise, 6)).toBe(4);
    expect(await hear(2, noise, 6)).toBe(0);
    expect(await hear(1, speech, 6)).toBe(6);
    await hear(2, speech, 6);
    expect(await hear(2, speech, 6)).toBe(6);
  });

  it('looks at one speaker every 80 ms, at twenty more seldom, at forty never: decoding for good needs the time', async () => {
    const one = await hold({ streams: 1, seconds: 4, callMs: quick });
    const twenty = await hold({ streams: 20, seconds: 4, callMs: quick });
    const forty = await hold({ streams: 40, seconds: 4, callMs: quick });
    // A chunk has four times 80 ms, and when the fourth is there it is decoded.
    expect(one.looksPerSecond.at(-1)).toBeGreaterThan(8);
    expect(twenty.looksPerSecond.at(-1)).toBeGreaterThan(2);
    expect(twenty.looksPerSecond.at(-1)).toBeLessThan(one.looksPerSecond.at(-1)!);
    expect(forty.looksPerSecond.at(-1)).toBe(0);
    expect(forty.decodedChunks).toBeGreaterThanOrEqual(everyChunk({ streams: 40, seconds: 4 }));
  });

  it.each([1, 10, 25, 40, 60])('with %i speakers never looks while a whole chunk waits', async (streams) => {
    const meeting = await hold({ streams, seconds: 3, callMs: quick });
    expect(meeting.looksBeforeDecoding).toBe(0);
    expect(meeting.decodedChunks).toBeGreaterThanOrEqual(everyChunk({ streams, seconds: 3 }));
  });

  it('lets a chunk wait for a look that is under way, and for those whose turn comes first, and for nothing else', async () => {
    for (const streams of [1, 5, 10, 20]) {
      const { waitsMs } = await hold({ streams, seconds: 4, callMs: quick });
      const longestCallMs = quick(Math.min(streams, MAX_BATCH_STREAMS));
      expect(Math.max(...waitsMs)).toBeLessThanOrEqual(3 * longestCallMs + 20);
    }
  });

  it('stops looking when the machine slows down, and begins again when it is quick again', async () => {
    const slow = (streams: number, nowMs: number): number =>
      (nowMs > 3000 && nowMs < 7000 ? 30 : 1) * quick(streams);
    const { looksPerSecond } = await hold({ streams: 2, seconds: 14, callMs: slow });
    expect(looksPerSecond[2]).toBeGreaterThan(8);
    expect(looksPerSecond[6]).toBe(0);
    expect(looksPerSecond.at(-1)).toBeGreaterThan(8);
  });

  it('after one call that took for ever, every stream has its turn before any has a second', async () => {
    const stalled = (streams: number, nowMs: number): number =>
      nowMs > 2000 && nowMs < 2100 ? 3000 : quick(streams);
    const { waitsMs, decodedChunks } = await hold({ streams: 20, seconds: 9, callMs: stalled });
    expect(decodedChunks).toBeGreaterThanOrEqual(everyChunk({ streams: 20, seconds: 9 }));
    // Twenty streams with ten chunks each to catch up, at a third of the core.
    expect(Math.max(...waitsMs)).toBeLessThan(3000 + 1500);
    expect(Math.max(...waitsMs.slice(-100))).toBeLessThan(200);
  });
});
