import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMs, participantIdentity, roomName, segmentId } from '../../protocol/index.js';
import { MeetingTranscript } from './meeting-transcript.js';
import type { TranscriptEntry } from './transcript-entry.js';
import { TranscriptMemory } from './transcript-memory.js';

const MAX_MEETING_BYTES = 3000;
const newMeeting = (): MeetingTranscript =>
  new MeetingTranscript({
    room: roomName('council'),
    startedAtMs: 1000,
    maxBytes: MAX_MEETING_BYTES,
    webhook: false,
    gateway: '',
  });

const entryOf = (text: string, number: number): TranscriptEntry => ({
  kind: 'segment',
  segment: segmentId(`s${number}`),
  speaker: { identity: participantIdentity('ana'), name: 'Ana' },
  language: 'en',
  words: [{ text, startMs: epochMs(1000 + number), endMs: epochMs(1001 + number) }],
});

const textsOf = async (meeting: MeetingTranscript): Promise<string[]> =>
  (await meeting.read()).entries.map((entry) =>
    entry.kind === 'segment' ? (entry.words[0]?.text ?? '') : '',
  );

describe('memory for all transcripts', () => {
  it('is full when the oldest meeting that is over goes, whole, and then the next', async () => {
    const memory = new TranscriptMemory({ maxBytes: 2000 });
    const [first, second, live] = [newMeeting(), newMeeting(), newMeeting()];
    for (const meeting of [second, first])
      for (let index = 0; index < 4; index += 1) memory.add(meeting, entryOf(`w${index}`, index));
    memory.ended(first);
    memory.ended(second);
    let number = 0;
    const fill = (until: () => boolean): void => {
      while (!until()) memory.add(live, entryOf('x', (number += 1)));
    };
    fill(() => first.droppedEntries > 0);
    expect([first.droppedEntries, second.droppedEntries, live.droppedEntries]).toEqual([4, 0, 0]);
    fill(() => second.droppedEntries > 0);
    expect([second.droppedEntries, live.droppedEntries]).toEqual([4, 0]);
    fill(() => live.droppedEntries > 0);
    expect(memory.bytes).toBe(live.bytes);
    expect(await textsOf(live)).toHaveLength(number - live.droppedEntries);
  });

  it('takes the oldest entries of the longest meeting when all go on', async () => {
    const dropped: number[] = [];
    const memory = new TranscriptMemory({ maxBytes: 2500, dropped: (entries) => dropped.push(entries) });
    const [short, long] = [newMeeting(), newMeeting()];
    memory.add(short, entryOf('kept', 0));
    for (let index = 0; index < 100; index += 1) memory.add(long, entryOf(`w${index}`, index));
    expect(await textsOf(short)).toEqual(['kept']);
    expect((await textsOf(long)).at(-1)).toBe('w99');
    expect(long.droppedEntries).toBeGreaterThan(50);
    expect(dropped.reduce((sum, entries) => sum + entries, 0)).toBe(long.droppedEntries);
  });

  it('never holds more than its bound, and knows to the byte what it holds', () => {
    const step = fc.record({
      meeting: fc.nat({ max: 4 }),
      what: fc.constantFrom('add', 'add', 'add', 'add', 'end', 'forget'),
      text: fc.string({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const memory = new TranscriptMemory({ maxBytes: 5000 });
        const meetings = Array.from({ length: 5 }, newMeeting);
        const known = new Set<MeetingTranscript>();
        for (const [number, { meeting: index, what, text }] of steps.entries()) {
          const meeting = meetings[index]!;
          if (what === 'add') {
            memory.add(meeting, entryOf(text, number));
            known.add(meeting);
          } else {
            if (what === 'end') memory.ended(meeting);
            else {
              memory.forget(meeting);
              known.delete(meeting);
            }
            meetings[index] = newMeeting();
          }
          const held = [...known].reduce((sum, { bytes }) => sum + bytes, 0);
          expect(memory.bytes).toBe(held);
          expect(held).toBeLessThanOrEqual(5000);
        }
      }),
    );
  });
});
