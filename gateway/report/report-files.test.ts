import { appendFile, chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { builtModule } from '../../asr/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { readReport } from './read-report.js';
import { ReportFiles } from './report-files.js';
import { ReportMemory, type ReportStore } from './report-store.js';
import { ReportWindow } from './report-window.js';
import { SimulatedMeeting } from './testing/simulated-meeting.js';

const FROM_MS = Date.UTC(2026, 10, 25, 14, 30);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe("the report's files", () => {
  const afterwards = cleanupsAfterEach();
  let dir: string;
  let lostLines: number;

  beforeEach(async () => {
    const parent = await mkdtemp(join(tmpdir(), 'caption-report-'));
    afterwards(() => rm(parent, { recursive: true, force: true }));
    dir = join(parent, 'reports');
    lostLines = 0;
  });

  const open = (options: { maxBytes?: number; now?: () => number } = {}): Promise<ReportFiles> =>
    ReportFiles.open({
      dir,
      maxBytes: options.maxBytes ?? 1e9,
      log: pino({ level: 'silent' }),
      lost: (lines) => (lostLines += lines),
      now: options.now ?? (() => FROM_MS),
    });

  const play = async (store: ReportStore, fromMs: number, minutes: number): Promise<SimulatedMeeting> => {
    const meeting = new SimulatedMeeting({ store, fromMs, minutes });
    meeting.play();
    meeting.ledger.close();
    await store.close();
    return meeting;
  };

  const read = async (fromMs: number, minutes: number): Promise<ReportWindow> => {
    const window = new ReportWindow({ fromMs, toMs: fromMs + minutes * MINUTE_MS, room: undefined });
    await readReport({ kind: 'folder', dir, lines: [] }, window);
    return window;
  };

  it('are one an hour, for this user alone, and hold every word in the minute in which it was spoken', async () => {
    const meeting = await play(await open(), FROM_MS, 50);
    expect(await readdir(dir)).toEqual(['2026-11-25T14.jsonl', '2026-11-25T15.jsonl']);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir, '2026-11-25T14.jsonl'))).mode & 0o777).toBe(0o600);
    const window = await read(FROM_MS, 50);
    expect(window.totals.words.count).toBe(meeting.latenciesMs.length);
    expect(window.steps.map(({ totals }) => totals.words.count)).toEqual(
      Array.from({ length: 50 }, () => 120),
    );
    expect(window.gateways.map(({ model }) => model)).toEqual(['zipformer-en-3.3m']);
    expect(window.unreadableLines).toBe(0);
  });

  it('say in each hour what ran, so that the first may go', async () => {
    await play(await open(), FROM_MS, 50);
    await rm(join(dir, '2026-11-25T14.jsonl'));
    expect((await read(FROM_MS, 50)).gateways).toHaveLength(1);
  });

  it('go after seven days', async () => {
    let nowMs = FROM_MS;
    await play(await open(), FROM_MS, 3);
    await writeFile(join(dir, 'notes.txt'), 'mine');
    nowMs = FROM_MS + 7 * DAY_MS;
    await play(await open({ now: () => nowMs }), nowMs, 1);
    expect(await readdir(dir)).toContain('2026-11-25T14.jsonl');
    nowMs = FROM_MS + 7 * DAY_MS + 3 * 3_600_000;
    await play(await open({ now: () => nowMs }), nowMs, 1);
    const left = await readdir(dir);
    expect(left).not.toContain('2026-11-25T14.jsonl');
    expect(left).toContain('notes.txt');
  });

  it('stay within their bound: the oldest hour goes, and what one hour has too much is counted', async () => {
    await play(await open(), FROM_MS - 3_600_000, 30);
    const before = (await stat(join(dir, '2026-11-25T13.jsonl'))).size;
    await play(await open({ maxBytes: before + 20_000 }), FROM_MS, 30);
    expect(await readdir(dir)).toEqual(['2026-11-25T14.jsonl', '2026-11-25T15.jsonl']);
    expect(lostLines).toBe(0);
    await play(await open({ maxBytes: 10_000 }), FROM_MS + 7_200_000, 20);
    let bytes = 0;
    for (const name of await readdir(dir)) bytes += (await stat(join(dir, name))).size;
    expect(bytes).toBeLessThanOrEqual(10_000);
    expect(lostLines).toBeGreaterThan(0);
  });

  it('are read without a line that was cut off, or that is of another version', async () => {
    const meeting = await play(await open(), FROM_MS, 5);
    const path = join(dir, '2026-11-25T14.jsonl');
    await appendFile(path, '{"v":2,"kind":"room"}\nno json\n{"v":1,"kind":"room","at":1,"ro');
    const window = await read(FROM_MS, 5);
    expect(window.totals.words.count).toBe(meeting.latenciesMs.length);
    expect(window.unreadableLines).toBe(3);
  });

  it('wait for a disk that fails, and lose nothing when it is back', async () => {
    const files = await open();
    await chmod(dir, 0o700);
    await rm(dir, { recursive: true });
    files.append(['{"first":1}\n'], FROM_MS);
    await files.close();
    await ReportFiles.open({
      dir,
      maxBytes: 1e9,
      log: pino({ level: 'silent' }),
      lost: () => undefined,
      now: () => FROM_MS,
    });
    files.append(['{"second":2}\n'], FROM_MS);
    await files.close();
    expect(await readFile(join(dir, '2026-11-25T14.jsonl'), 'utf8')).toBe('{"first":1}\n{"second":2}\n');
    expect(lostLines).toBe(0);
  });

  it('survive kill -9, all but the minute that was not over', async () => {
    const script = `
      import { ReportFiles } from ${JSON.stringify(builtModule('gateway/report/report-files.js'))};
      import { LatencyLedger } from ${JSON.stringify(builtModule('gateway/report/latency-ledger.js'))};
      let nowMs = ${FROM_MS};
      const log = { warn: () => undefined };
      const store = await ReportFiles.open({ dir: ${JSON.stringify(dir)}, maxBytes: 1e9, log, lost: () => undefined, now: () => nowMs });
      const sample = () => ({ rooms: 1, speakers: 1, utterances: 1, viewers: 1, longestBacklogMs: 0, busyShare: 0 });
      const ledger = new LatencyLedger({ store, facts: { run: 'r' }, sample, now: () => nowMs });
      const stagesMs = { arrival: 300, gate: 0, lookahead: 0, queue: 0, decode: 0, segment: 0, publish: 0, delivery: 0 };
      for (; nowMs < ${FROM_MS + 3.5 * MINUTE_MS}; nowMs += 1000) {
        ledger.tick();
        ledger.word('council', { spokenAtMs: nowMs - performance.timeOrigin, stagesMs, totalMs: 300, isAcknowledged: false });
      }
      await store.close();
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    const window = await read(FROM_MS, 4);
    expect(window.steps.map(({ totals }) => totals.words.count)).toEqual([60, 60, 60, 0]);
  });
});

describe("the report's memory", () => {
  it('keeps the newest lines within its bound', async () => {
    const memory = new ReportMemory({ maxChars: 25 });
    for (const digit of '12345') memory.append([digit.repeat(10)], FROM_MS);
    const { lines } = await memory.source();
    expect(lines).toEqual(['4'.repeat(10), '5'.repeat(10)]);
  });
});
