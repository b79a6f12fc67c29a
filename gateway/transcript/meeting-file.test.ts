import fc from 'fast-check';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { epochMs, participantIdentity, roomName, segmentId } from '../../protocol/index.js';
import { createLogger } from '../log.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { TextSink } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { MeetingFile } from './meeting-file.js';
import { meetingOf, spoken } from './testing/spoken-entries.js';
import { readMeeting } from './transcript-files.js';
import { decodeLine, encodeLine, type MeetingLine, type TranscriptLine } from './transcript-line.js';

const head: MeetingLine = {
  kind: 'meeting',
  room: roomName('council'),
  meeting: 'm1-0123456789ab',
  startedAtMs: meetingOf().startedAtMs,
  webhook: false,
  gateway: '',
};
const entryLine = (text: string): string =>
  encodeLine({ kind: 'entry', entry: spoken('Ana', text) }, head.startedAtMs);

describe('a line', () => {
  const anyText = fc.string({ unit: 'binary' });
  const speaker = fc.record(
    { identity: anyText.map(participantIdentity), name: anyText, label: anyText },
    { requiredKeys: ['identity', 'name'] },
  );
  const startedAtMs = 1_700_000_000_000;
  const moment = fc.integer({ min: startedAtMs - 10_000, max: startedAtMs + 86_400_000 }).map(epochMs);
  const word = fc
    .tuple(
      fc.string({ unit: 'binary', minLength: 1 }),
      moment,
      fc.nat({ max: 5000 }),
      fc.option(fc.constantFrom(0, 0.5, 0.91, 1)),
    )
    .map(([text, startMs, durationMs, confidence]) => ({
      text,
      startMs,
      endMs: epochMs(startMs + durationMs),
      ...(confidence === null ? {} : { confidence }),
    }));
  const line: fc.Arbitrary<TranscriptLine> = fc.oneof(
    fc
      .record(
        {
          kind: fc.constant('segment' as const),
          segment: anyText.map(segmentId),
          speaker,
          author: fc.record({ identity: anyText, name: anyText }),
          language: anyText,
          words: fc.array(word, { minLength: 1, maxLength: 8 }),
        },
        { requiredKeys: ['kind', 'segment', 'speaker', 'language', 'words'], noNullPrototype: true },
      )
      .map((entry) => ({ kind: 'entry' as const, entry })),
    fc
      .record({
        kind: fc.constant('gap' as const),
        speaker,
        startMs: moment,
        endMs: moment,
        reason: fc.constantFrom('overloaded' as const, 'audio_missing' as const),
      })
      .map((entry) => ({ kind: 'entry' as const, entry })),
    fc.constant<TranscriptLine>({ kind: 'end', endedAtMs: 5, reason: 'gateway_died' }),
    fc.constant<TranscriptLine>({ kind: 'webhook', outcome: 'given_up', atMs: 5 }),
    fc.constant<TranscriptLine>({ kind: 'lost', entries: 3 }),
    fc.constant<TranscriptLine>(head),
  );

  it('is one line, and comes back as it went', () => {
    fc.assert(
      fc.property(line, (any) => {
        const text = encodeLine(any, startedAtMs);
        expect(text).not.toMatch(/[\r\n]/);
        expect(decodeLine(text, startedAtMs)).toEqual(any);
      }),
    );
  });

  it('that is none of ours, or cut off anywhere, is nothing', () => {
    fc.assert(
      fc.property(line, fc.nat(), (any, at) => {
        const text = encodeLine(any, startedAtMs);
        expect(decodeLine(text.slice(0, at % text.length), startedAtMs)).toBeUndefined();
      }),
    );
    const harmless = (text: string): void => {
      expect(() => decodeLine(text, 0)).not.toThrow();
    };
    fc.assert(
      fc.property(fc.anything(), (any) => harmless((JSON.stringify(any) as string | undefined) ?? '')),
    );
    fc.assert(fc.property(fc.string(), harmless));
  });
});

describe('the file of a meeting', () => {
  const afterwards = cleanupsAfterEach();

  async function newPath(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'caption-meeting-'));
    afterwards(() => rm(folder, { recursive: true }));
    return join(folder, 'room', 'meeting.jsonl');
  }
  const openFile = (path: string, options: { existingBytes?: number; lost?: (n: number) => void } = {}) => {
    const log = new TextSink();
    const file = new MeetingFile({ path, log: createLogger('info', log), ...options });
    afterwards(() => file.close());
    return { file, log };
  };

  it('goes on after the last whole line of a gateway that died while it wrote', async () => {
    const path = await newPath();
    const first = openFile(path).file;
    first.append(encodeLine(head, 0));
    first.append(entryLine('Whole.'));
    await first.close();
    await appendFile(path, entryLine('Cut off.').slice(0, 40));
    const stored = await readMeeting(path);
    expect(stored?.transcript.entries).toHaveLength(1);
    expect(stored?.end).toBeUndefined();
    const second = openFile(path, { existingBytes: stored?.bytes ?? 0 }).file;
    second.append(encodeLine({ kind: 'end', endedAtMs: 5, reason: 'gateway_died' }, 0));
    await second.close();
    const kinds = (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { kind: string }).kind);
    expect(kinds).toEqual(['meeting', 'segment', 'end']);
    expect((await readMeeting(path))?.end).toEqual({ endedAtMs: 5, reason: 'gateway_died' });
  });

  it('is written when the disk works again, in order, and says what was lost meanwhile', async () => {
    const path = await newPath();
    // A file stands where the folder should be.
    await writeFile(dirname(path), '');
    let lost = 0;
    const { file, log } = openFile(path, { lost: (entries) => (lost += entries) });
    file.append(encodeLine(head, 0));
    await waitUntil(() => (log.text.includes('transcript not written') ? undefined : 'no complaint'));
    const long = 'word '.repeat(2000).trim();
    for (let index = 0; index < 100; index += 1) file.append(entryLine(`${index} ${long}`));
    expect(lost).toBeGreaterThan(10);
    await rm(dirname(path));
    await file.close();
    const stored = await readMeeting(path);
    expect(stored?.transcript.droppedEntries).toBe(lost);
    expect(stored?.transcript.entries).toHaveLength(100 - lost);
    expect(log.text).not.toContain('word word');
  });

  it('that is no transcript is not taken for one', async () => {
    const path = await newPath();
    await mkdir(dirname(path));
    expect(await readMeeting(path)).toBeUndefined();
    for (const content of ['', 'x', '{"kind":"meeting"}\n', encodeLine(head, 0)]) {
      await writeFile(path, content);
      expect(await readMeeting(path)).toBeUndefined();
    }
  });
});
