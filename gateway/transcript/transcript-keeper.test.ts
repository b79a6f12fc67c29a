import fc from 'fast-check';
import { mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { epochMs, participantIdentity, roomName, segmentId } from '../../protocol/index.js';
import { createLogger } from '../log.js';
import { Room } from '../rooms/room.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { TextSink } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { clipTranscript } from './clip-transcript.js';
import { formatText, segmentText } from './document-formats.js';
import { TranscriptCustody } from './transcript-custody.js';
import type { Transcript } from './transcript-entry.js';
import { GatewayPresence } from './gateway-presence.js';
import { TranscriptFiles } from './transcript-files.js';
import { TranscriptKeeper } from './transcript-keeper.js';

const ROOM = roomName('council / \u{1f3db} ..');
const BEGAN_AT_MS = 1_700_000_000_000;
const person = (name: string) => ({ identity: participantIdentity(name.toLowerCase()), name });
const log = createLogger('silent', new TextSink());

/** The next version of a segment. */
function say(
  room: Room,
  segment: string,
  of: { who?: string; text: string; isFinal?: boolean; atMs?: number },
) {
  const { who = 'Ana', text, isFinal = true, atMs = 1000 } = of;
  const texts = text === '' ? [] : text.split(' ');
  room.publishDelta({
    speaker: person(who),
    segment: segmentId(segment),
    keep: 0,
    words: texts.map((word, index) => ({
      text: word,
      startMs: epochMs(BEGAN_AT_MS + atMs + index * 300),
      endMs: epochMs(BEGAN_AT_MS + atMs + index * 300 + 300),
    })),
    stable: isFinal ? texts.length : 0,
    isFinal,
    language: 'en',
  });
}

const latest = (keeper: TranscriptKeeper): Promise<Transcript | undefined> =>
  keeper.readLatest(ROOM, () => true);

const textsOf = (transcript: Transcript | undefined): string[] =>
  (transcript?.entries ?? []).map((entry) =>
    entry.kind === 'gap' ? `gap ${entry.reason}` : `${entry.speaker.name}: ${segmentText(entry)}`,
  );

describe('the keeper of transcripts', () => {
  const afterwards = cleanupsAfterEach();

  function open(options: Partial<ConstructorParameters<typeof TranscriptKeeper>[0]> = {}) {
    const keeper = new TranscriptKeeper({
      maxMeetingBytes: 65_536,
      maxBytes: 1_000_000,
      log,
      ...options,
    });
    afterwards(() => keeper.close());
    const room = new Room(ROOM, BEGAN_AT_MS);
    room.addSpeaker('somebody');
    keeper.roomOpened(room);
    return { keeper, room };
  }

  async function emptyFiles(retentionDays = 0): Promise<TranscriptFiles> {
    const folder = await mkdtemp(join(tmpdir(), 'caption-transcripts-'));
    afterwards(() => rm(folder, { recursive: true }));
    const files = new TranscriptFiles({ dir: join(folder, 'kept'), retentionDays, log });
    await files.prepare();
    return files;
  }

  /** The folder as one gateway sees it. */
  async function openStore(files: TranscriptFiles) {
    const presence = await GatewayPresence.announce(files.dir, log);
    afterwards(() => presence.close());
    return { files, presence };
  }

  async function onlyFileIn(files: TranscriptFiles): Promise<string> {
    const [folder = ''] = (await readdir(files.dir)).filter((name) => name !== 'gateways');
    const [name = '', ...others] = await readdir(join(files.dir, folder));
    expect(others).toEqual([]);
    return join(files.dir, folder, name);
  }

  it('has finals after their last revision, and never a word that may still change', async () => {
    const { keeper, room } = open();
    say(room, 's1', { text: 'good mourning', isFinal: false });
    expect(await latest(keeper)).toBeUndefined();
    say(room, 's1', { text: 'good morning every', isFinal: false });
    say(room, 's2', { who: 'Bo', text: 'hi', atMs: 500 });
    say(room, 's1', { text: 'Good morning, everybody.' });
    say(room, 's3', { text: 'not yet', isFinal: false });
    expect(textsOf(await latest(keeper))).toEqual(['Bo: hi', 'Ana: Good morning, everybody.']);
  });

  it('keeps what viewers settle on, whatever was revised, by whom, and in what order it ended', () => {
    const step = fc.record({
      who: fc.constantFrom('Ana', 'Bo', 'Cy'),
      text: fc.array(fc.stringMatching(/^[a-z]{1,5}$/), { maxLength: 5 }).map((words) => words.join(' ')),
      isFinal: fc.boolean(),
    });
    return fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { keeper, room } = open();
        const numbers = new Map<string, number>();
        const expected: string[] = [];
        for (const [index, { who, text, isFinal }] of steps.entries()) {
          const number = numbers.get(who) ?? 0;
          say(room, `${who}-${number}`, { who, text, isFinal, atMs: index * 10 });
          if (!isFinal) continue;
          numbers.set(who, number + 1);
          if (text !== '') expected.push(`${who}: ${text}`);
        }
        expect(textsOf(await latest(keeper))).toEqual(expected);
        await keeper.close();
      }),
      { numRuns: 50 },
    );
  });

  it('notes gaps where they were', async () => {
    const { keeper, room } = open();
    say(room, 's1', { text: 'After.', atMs: 9000 });
    const times = { startMs: epochMs(BEGAN_AT_MS + 2000), endMs: epochMs(BEGAN_AT_MS + 3000) };
    room.publishGap({ speaker: person('Ana'), ...times, reason: 'overloaded' });
    expect(textsOf(await latest(keeper))).toEqual(['gap overloaded', 'Ana: After.']);
  });

  it('holds a whole meeting, not only what viewers are shown, up to its bound', async () => {
    const { keeper, room } = open({ maxMeetingBytes: 100_000 });
    for (let index = 0; index < 300; index += 1)
      say(room, `s${index}`, { text: `Sentence ${index}.`, atMs: index });
    const whole = await latest(keeper);
    expect(whole).toMatchObject({ droppedEntries: 0 });
    expect(whole?.entries).toHaveLength(300);
    for (let index = 300; index < 3000; index += 1)
      say(room, `s${index}`, { text: `Sentence ${index}.`, atMs: index });
    expect(keeper.bytes).toBeLessThanOrEqual(100_000);
    const part = await latest(keeper);
    expect(part?.droppedEntries).toBeGreaterThan(2000);
    expect(part?.entries).toHaveLength(3000 - (part?.droppedEntries ?? 0));
    expect(textsOf(part).at(-1)).toBe('Ana: Sentence 2999.');
  });

  it('keeps nothing of a room that does not show its history', async () => {
    const { keeper, room } = open({ store: await openStore(await emptyFiles()) });
    room.showsHistory = false;
    say(room, 's1', { text: 'Confidential.' });
    await keeper.close();
    expect(await latest(keeper)).toBeUndefined();
    expect(keeper.bytes).toBe(0);
  });

  it('ends a meeting when nobody has been there for a while, and begins another with the next word', async () => {
    const { keeper, room } = open();
    say(room, 's1', { text: 'First meeting.' });
    const first = await latest(keeper);
    room.endMeetingIfOver({ nowMs: 0, endAfterMs: 1000 });
    room.removeSpeaker('somebody');
    room.endMeetingIfOver({ nowMs: 5000, endAfterMs: 1000 });
    room.endMeetingIfOver({ nowMs: 5999, endAfterMs: 1000 });
    expect((await latest(keeper))?.endedAtMs).toBeUndefined();
    room.endMeetingIfOver({ nowMs: 6000, endAfterMs: 1000 });
    expect((await latest(keeper))?.endedAtMs).toBeGreaterThan(BEGAN_AT_MS);
    room.addSpeaker('somebody');
    say(room, 's2', { text: 'Second meeting.', atMs: Date.now() - BEGAN_AT_MS });
    const second = await latest(keeper);
    expect(textsOf(second)).toEqual(['Ana: Second meeting.']);
    expect(second?.meeting).not.toBe(first?.meeting);
    expect(textsOf(await keeper.read(ROOM, first?.meeting ?? ''))).toEqual(['Ana: First meeting.']);
    expect((await keeper.list(ROOM)).map(({ meeting }) => meeting)).toEqual([
      first?.meeting,
      second?.meeting,
    ]);
  });

  it.each([
    ['in memory', 1_000_000],
    ['where memory holds little of it', 2000],
    ['from disk', 0],
  ])('has every sentence of every meeting, and times count from its first word: %s', (_, maxMeetingBytes) => {
    const sentence = fc.record({
      // Who began first is not always done first.
      startMs: fc.nat({ max: 60_000 }),
      isGap: fc.boolean(),
    });
    return fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(sentence, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
        async (meetings) => {
          const store = await openStore(await emptyFiles());
          const { keeper, room } = open({ maxMeetingBytes: Math.max(1, maxMeetingBytes), store });
          for (const [number, sentences] of meetings.entries()) {
            // Somebody had the page open for long before anybody spoke.
            const beganMs = 25_000 + number * 1_000_000;
            for (const [index, { startMs, isGap }] of sentences.entries()) {
              const atMs = beganMs + startMs;
              const times = { startMs: epochMs(BEGAN_AT_MS + atMs), endMs: epochMs(BEGAN_AT_MS + atMs + 9) };
              if (isGap) room.publishGap({ speaker: person('Ana'), ...times, reason: 'overloaded' });
              else say(room, `s${number}-${index}`, { text: 'Said.', atMs });
            }
            const whole = await latest(keeper);
            expect(whole?.entries).toHaveLength(sentences.length);
            const firstMs = Math.min(...sentences.map(({ startMs }) => startMs));
            expect(whole?.startedAtMs).toBe(BEGAN_AT_MS + beganMs + firstMs);
            const lines = [...formatText(clipTranscript(whole!, {}))].join('').trimEnd().split('\n');
            expect(lines.filter((line) => line.startsWith('['))).toHaveLength(sentences.length);
            expect(lines.find((line) => line.startsWith('['))).toMatch(/^\[00:00:00\]/);
            expect((await keeper.list(ROOM)).at(-1)?.startedAt).toBe(
              new Date(BEGAN_AT_MS + beganMs + firstMs).toISOString(),
            );
            room.removeSpeaker('somebody');
            room.endMeetingIfOver({ nowMs: 0, endAfterMs: 0 });
            room.addSpeaker('somebody');
          }
          await keeper.close();
        },
      ),
      { numRuns: 10 },
    );
  });

  it('writes to disk for its own user alone, line by line, without the room in any name', async () => {
    const files = await emptyFiles();
    const { keeper, room } = open({ store: await openStore(files) });
    say(room, 's1', { text: 'Good morning.' });
    await keeper.close();
    const path = await onlyFileIn(files);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700);
    expect((await stat(files.dir)).mode & 0o777).toBe(0o700);
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    const kinds = lines.map((line) => (JSON.parse(line) as { kind: string }).kind);
    expect(kinds).toEqual(['meeting', 'segment', 'end']);
  });

  it('reads from disk what memory could not hold', async () => {
    const { keeper, room } = open({ store: await openStore(await emptyFiles()), maxMeetingBytes: 2000 });
    for (let index = 0; index < 100; index += 1)
      say(room, `s${index}`, { text: `Sentence ${index}.`, atMs: index });
    const transcript = await latest(keeper);
    expect(transcript?.entries).toHaveLength(100);
    expect(transcript?.droppedEntries).toBe(0);
  });

  it('deletes on request what is in memory, on disk, and what latecomers would be shown', async () => {
    const files = await emptyFiles();
    const { keeper, room } = open({ store: await openStore(files) });
    say(room, 's1', { text: 'Forget this.' });
    const former = await latest(keeper);
    expect(await keeper.forget(ROOM)).toBe(1);
    expect(await latest(keeper)).toBeUndefined();
    expect(await keeper.list(ROOM)).toEqual([]);
    expect(new TextDecoder().decode(room.snapshotFor(room.historyStart)[0])).not.toContain('Forget');
    for await (const path of files.paths()) expect.fail(`${path} is still there`);
    say(room, 's2', { text: 'And this is new.' });
    expect(textsOf(await latest(keeper))).toEqual(['Ana: And this is new.']);
    expect((await latest(keeper))?.meeting).not.toBe(former?.meeting);
    expect(await keeper.forget(ROOM, 'zz-000000000000')).toBe(0);
    expect(await keeper.forget(ROOM, '../../etc/passwd')).toBe(0);
  });

  it('shares its folder with other gateways, whose meetings are theirs while they live', async () => {
    const files = await emptyFiles();
    const [ours, theirs] = [open({ store: await openStore(files) }), open({ store: await openStore(files) })];
    say(theirs.room, 's1', { text: 'Said elsewhere.' });
    const meeting = (await latest(theirs.keeper))?.meeting ?? '';
    await waitUntil(async () => {
      const seen = textsOf(await ours.keeper.read(ROOM, meeting)).join();
      return seen === 'Ana: Said elsewhere.' ? undefined : `the other gateway reads "${seen}"`;
    });
    for (const which of [undefined, meeting]) {
      await expect(ours.keeper.forget(ROOM, which)).rejects.toMatchObject({ code: 'transcript_elsewhere' });
    }
    say(theirs.room, 's2', { text: 'And goes on.' });
    expect(textsOf(await latest(theirs.keeper))).toHaveLength(2);
    await theirs.keeper.close();
    expect((await files.read(ROOM, meeting))?.end?.reason).toBe('gateway_stopped');
    expect(textsOf(await latest(theirs.keeper))).toHaveLength(2);
    expect(await ours.keeper.forget(ROOM)).toBe(1);
    // Nobody goes on giving what was deleted.
    expect(await latest(theirs.keeper)).toBeUndefined();
    expect(await theirs.keeper.list(ROOM)).toEqual([]);
    expect(theirs.keeper.bytes).toBe(0);
  });

  it('deletes files that are older than they may get, and no others', async () => {
    const files = await emptyFiles(30);
    const written: string[] = [];
    const store = await openStore(files);
    for (const text of ['Old.', 'New.']) {
      const { keeper, room } = open({ store });
      say(room, 's1', { text });
      written.push((await latest(keeper))?.meeting ?? '');
      await keeper.close();
    }
    const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);
    for await (const path of files.paths()) {
      const when = daysAgo(path.includes(written[0]!) ? 31 : 29);
      await utimes(path, when, when);
    }
    const custody = new TranscriptCustody({ ...store, log });
    afterwards(() => custody.close());
    await waitUntil(async () => ((await files.list(ROOM)).length === 1 ? undefined : 'both are there'));
    expect(await files.list(ROOM)).toEqual([written[1]]);
  });
});
