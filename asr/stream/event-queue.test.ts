import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleIndex } from '../../protocol/index.js';
import type { AsrEvent, SegmentEvent } from '../engine.js';
import { EventQueue } from './event-queue.js';

const segment = (number: number, through: number, isFinal = false): SegmentEvent => ({
  kind: 'segment',
  segment: number,
  words: [],
  stableWords: 0,
  isFinal,
  decodedThroughSample: sampleIndex(through),
});

const gap = (fromSample: number): AsrEvent => ({
  kind: 'gap',
  fromSample: sampleIndex(fromSample),
  toSample: sampleIndex(fromSample + 1),
  reason: 'audio_missing',
});

async function readAll(queue: EventQueue): Promise<AsrEvent[]> {
  const events: AsrEvent[] = [];
  for await (const event of queue) events.push(event);
  return events;
}

describe('EventQueue', () => {
  it('gives a reader that keeps up every event, in order', async () => {
    const queue = new EventQueue();
    const reading = readAll(queue);
    const events = [segment(1, 10), segment(1, 20), gap(30), segment(1, 40, true), segment(2, 50)];
    for (const event of events) {
      queue.push(event);
      await new Promise((resolve) => setImmediate(resolve));
    }
    queue.close();
    expect(await reading).toEqual(events);
  });

  it('keeps for a slow reader the newest version of each segment and every gap, however they interleave', async () => {
    const event = fc.oneof(
      fc.nat(5).map((number) => ({ kind: 'segment' as const, number })),
      fc.constant({ kind: 'gap' as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event), async (pushed) => {
        const queue = new EventQueue();
        const newest = new Map<number, SegmentEvent>();
        const gaps: AsrEvent[] = [];
        pushed.forEach((what, index) => {
          const made = what.kind === 'gap' ? gap(index) : segment(what.number, index);
          if (made.kind === 'gap') gaps.push(made);
          else newest.set(made.segment, made);
          queue.push(made);
        });
        queue.close();
        const read = await readAll(queue);
        expect(read.filter(({ kind }) => kind === 'gap')).toEqual(gaps);
        expect(read.filter(({ kind }) => kind === 'segment')).toEqual([...newest.values()]);
      }),
    );
  });

  it('takes nothing after it was closed, and its end can be waited for', async () => {
    const queue = new EventQueue();
    queue.push(segment(1, 10));
    queue.close();
    queue.push(segment(2, 20));
    await queue.ended;
    expect(queue.isClosed).toBe(true);
    expect(await readAll(queue)).toEqual([segment(1, 10)]);
  });

  it('ends a reader that waits when it is closed', async () => {
    const queue = new EventQueue();
    const reading = readAll(queue);
    queue.close();
    expect(await reading).toEqual([]);
  });

  it('respects return(), also while the reader waits, and keeps what was not read', async () => {
    const queue = new EventQueue();
    const iterator = queue[Symbol.asyncIterator]();
    const waiting = iterator.next();
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });

    queue.push(segment(1, 10));
    expect((await iterator.next()).done).toBe(true);
    queue.close();
    expect(await readAll(queue)).toEqual([segment(1, 10)]);
  });

  it('can be left with break and read on', async () => {
    const queue = new EventQueue();
    queue.push(segment(1, 10, true));
    queue.push(segment(2, 20));
    for await (const event of queue) {
      expect(event).toEqual(segment(1, 10, true));
      break;
    }
    queue.close();
    expect(await readAll(queue)).toEqual([segment(2, 20)]);
  });
});
