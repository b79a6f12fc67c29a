/** Drives an `AsrStream` in tests: audio in with back-pressure, events out, and what must hold of them. */
import { setTimeout as wait } from 'node:timers/promises';
import { msToSamples, sampleIndex } from '../../protocol/index.js';
import type { AsrEvent, AsrStream, GapEvent, SegmentEvent } from '../engine.js';
import { monotonicNow } from '../monotonic-clock.js';
import { normaliseWords } from '../scoring/index.js';

export interface FeedOptions {
  /** Default 0. */
  readonly firstSample?: number;
  /** Default 100 ms. */
  readonly frameSamples?: number;
  /** Audio that recognition may be behind before more is pushed. Default 2 s. */
  readonly maxBehindSamples?: number;
  /** After each frame. */
  readonly pushed?: (throughSample: number) => void;
}

/** Pushes audio as fast as it is recognised. */
export async function feed(stream: AsrStream, pcm: Int16Array, options: FeedOptions = {}): Promise<void> {
  const { firstSample = 0, frameSamples = msToSamples(100), maxBehindSamples = msToSamples(2000) } = options;
  for (let at = 0; at < pcm.length; at += frameSamples) {
    const frame = pcm.subarray(at, at + frameSamples);
    stream.push({ pcm: frame, firstSample: sampleIndex(firstSample + at), receivedAtMs: monotonicNow() });
    await stream.settled();
    options.pushed?.(firstSample + at + frame.length);
    while (stream.receivedThroughSample - stream.recognisedThroughSample > maxBehindSamples) await wait(2);
  }
}

export async function readAll(stream: AsrStream): Promise<AsrEvent[]> {
  const events: AsrEvent[] = [];
  for await (const event of stream.events) events.push(event);
  return events;
}

/** Feeds one piece of audio, closes the stream and returns all that it told. */
export async function recognise(
  stream: AsrStream,
  pcm: Int16Array,
  options?: FeedOptions,
): Promise<AsrEvent[]> {
  const events = readAll(stream);
  await feed(stream, pcm, options);
  await stream.close();
  return events;
}

export const gapsOf = (events: readonly AsrEvent[]): GapEvent[] =>
  events.filter((event) => event.kind === 'gap');

export const segmentsOf = (events: readonly AsrEvent[]): SegmentEvent[] =>
  events.filter((event) => event.kind === 'segment');

/** Without their stamps, which differ from run to run. */
export const finalsOf = (events: readonly AsrEvent[]): Omit<SegmentEvent, 'moments'>[] =>
  segmentsOf(events)
    .filter((event) => event.isFinal)
    .map(({ kind, segment, words, stableWords, isFinal, decodedThroughSample }) => ({
      kind,
      segment,
      words,
      stableWords,
      isFinal,
      decodedThroughSample,
    }))
    .sort((a, b) => a.segment - b.segment);

/** What the finals say, as comparable words. */
export const finalWords = (events: readonly AsrEvent[]): string[] =>
  finalsOf(events).flatMap((final) => final.words.flatMap((word) => normaliseWords(word.text)));

/** Breaches of the contract of `AsrStream.events`; none in a good run. */
export function breachesOf(events: readonly AsrEvent[]): string[] {
  const breaches: string[] = [];
  const newest = new Map<number, SegmentEvent>();
  for (const event of segmentsOf(events)) {
    const before = newest.get(event.segment);
    newest.set(event.segment, event);
    const name = `segment ${event.segment} through ${event.decodedThroughSample}`;
    if (event.stableWords > event.words.length) breaches.push(`${name}: more stable words than words`);
    if (event.isFinal && event.stableWords !== event.words.length)
      breaches.push(`${name}: final but not stable`);
    if (!areOrdered(event)) breaches.push(`${name}: word times out of order`);
    if (before === undefined) continue;
    if (before.isFinal) breaches.push(`${name}: told after its final`);
    if (before.stableWords > event.stableWords) breaches.push(`${name}: stable words became unstable`);
    const stable = before.words.slice(0, before.stableWords);
    const changed = stable.filter((word, index) => word.text !== event.words[index]?.text);
    for (const word of changed) breaches.push(`${name}: stable word "${word.text}" changed`);
  }
  for (const event of newest.values())
    if (!event.isFinal) breaches.push(`segment ${event.segment} has no final`);
  return breaches;
}

function areOrdered({ words }: SegmentEvent): boolean {
  let end = 0;
  for (const word of words) {
    if (word.startSample < end || word.endSample < word.startSample) return false;
    end = word.endSample;
  }
  return true;
}
