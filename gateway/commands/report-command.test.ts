import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { percentile } from '../../asr/index.js';
import type { ReportData } from '../report/report-data.js';
import { ReportFiles } from '../report/report-files.js';
import { SimulatedMeeting } from '../report/testing/simulated-meeting.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { type EndedProgram, startProgram } from '../testing/program.js';

const FROM_MS = Date.UTC(2026, 10, 25, 14, 0);
const WINDOW = ['--from', '2026-11-25T14:00:00Z', '--to', '2026-11-25T14:10:00Z'];

describe('caption-gateway report', () => {
  const afterwards = cleanupsAfterEach();
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'caption-report-'));
    afterwards(() => rm(dir, { recursive: true, force: true }));
  });

  const report = (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<EndedProgram> => startProgram(['report', ...args], { cwd: dir, env }).ended;

  async function playIntoFiles(): Promise<void> {
    const log = pino({ level: 'silent' });
    const store = await ReportFiles.open({
      dir,
      maxBytes: 1e9,
      log,
      lost: () => undefined,
      now: () => FROM_MS,
    });
    const stall = {
      fromMs: FROM_MS + 120_000,
      toMs: FROM_MS + 180_000,
      stage: 'decode',
      delayMs: 3000,
    } as const;
    const meeting = new SimulatedMeeting({
      store,
      fromMs: FROM_MS,
      minutes: 10,
      rooms: ['works-council'],
      stalls: [stall],
    });
    meeting.play();
    meeting.ledger.close();
    await store.close();
  }

  it('tells of the files of a gateway that does not run: in the terminal, as JSON, as CSV, as a page', async () => {
    await playIntoFiles();
    const inTerminal = await report(['--dir', '.', ...WINDOW, '--budget', '1000']);
    expect(inTerminal).toMatchObject({ code: 0, stderr: '' });
    expect(inTerminal.stdout).toMatch(/^Wed, 25 Nov 2026, .*, 1 room$/m);
    expect(inTerminal.stdout).toMatch(/^word +\d+ ms /m);
    expect(inTerminal.stdout).toMatch(/: late, p95 3\.\d+ s, latest \d\.\d+ s, in decode \(/);
    const asJson = await report(['--dir', '.', ...WINDOW, '--json']);
    expect((JSON.parse(asJson.stdout) as ReportData).words.count).toBe(1200);
    const asCsv = await report(['--dir', '.', ...WINDOW, '--csv']);
    expect(asCsv.stdout.split('\r\n')[3]).toMatch(/^2026-11-25T14:02:00\.000Z,120,3/);
    const asPage = await report(['--dir', '.', ...WINDOW, '--html', 'report.html']);
    expect(asPage).toMatchObject({ code: 0, stdout: '' });
    const page = await readFile(join(dir, 'report.html'), 'utf8');
    expect(page).toContain('How late the captions are');
    expect(page).not.toContain('works-council');
    expect(await readdir(dir)).not.toContain('reports');
  });

  it('tells of raw samples of a benchmark', async () => {
    const latencies = Array.from({ length: 500 }, (_, index) => 250 + ((index * 37) % 400));
    const samples = [
      ...latencies.map((latencyMs) => ({ speaker: 1, clip: 'a', kind: 'word', latencyMs })),
      { metric: 'finalLatencyMs', value: 900, cluster: '1/a' },
      { kind: 'run', anything: 'else' },
    ];
    await writeFile(join(dir, 's.jsonl'), samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''));
    const { stdout, code } = await report(['--samples', 's.jsonl', '--json']);
    expect(code).toBe(0);
    const data = JSON.parse(stdout) as ReportData;
    expect(data).toMatchObject({ source: 'samples', window: null, stages: [], timeLine: [] });
    expect(Math.abs((data.words.p95Ms ?? 0) - (percentile(latencies, 95) ?? 0))).toBeLessThan(5);
    expect(data.finals.p50Ms).toBe(900);
    await report(['--samples', 's.jsonl', '--html', 's.html']);
    expect(await readFile(join(dir, 's.html'), 'utf8')).toContain('in a benchmark');
  });

  it.each([
    { what: 'no gateway', args: ['--url', 'http://127.0.0.1:9'], code: 4, name: 'gateway_unreachable' },
    { what: 'a folder that is not there', args: ['--dir', 'nowhere'], code: 2, name: 'file_not_found' },
    {
      what: 'samples that are not there',
      args: ['--samples', 'nowhere'],
      code: 2,
      name: 'usage_samples_invalid',
    },
    { what: 'a window that is none', args: ['--last', 'long'], code: 2, name: 'usage_report_query' },
    { what: 'two formats', args: ['--json', '--csv'], code: 2, name: 'usage_formats' },
    { what: 'two sources', args: ['--dir', '.', '--samples', 'x'], code: 2, name: 'usage_report_source' },
  ])('says what is wrong: $what', async ({ args, code, name }) => {
    const ended = await report(args);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toMatch(new RegExp(`^caption-gateway: ${name}: `));
  });

  it('says that a token is too short to be one', async () => {
    const ended = await report([], { CAPTION_OPERATOR_TOKEN: 'short' });
    expect(ended).toMatchObject({ code: 2 });
    expect(ended.stderr).toContain('16 characters');
  });
});
