import { describe, expect, it } from 'vitest';
import { summarise } from '../asr/index.js';
import { type CapacityStep, kneeText } from './capacity-bench.js';
import type { LatencyResult } from './latency-bench.js';
import type { Machine } from './machine.js';
import { parseReportParts, type Report } from './report-bench.js';
import { reportHtml } from './report-html.js';
import { reportMarkdown } from './report-markdown.js';

const machine: Machine = {
  cpu: 'A <fast> CPU',
  cores: 2,
  memoryGb: 8,
  node: 'v20.19.0',
  load1: 0.2,
  commit: 'abc1234',
  date: '2026-11-25T12:00:00.000Z',
};

const latency = (
  speakers: number,
  valuesMs: readonly number[],
  failures: readonly string[] = [],
): LatencyResult => ({
  wordLatencyMs: summarise(valuesMs),
  finalLatencyMs: summarise([]),
  firstPartialMs: summarise([700]),
  handLabelledWordLatencyMs: summarise([]),
  upwr: 0,
  wer: 0.105,
  talkingSpeakers: speakers * 0.75,
  cpuCores: 0.25,
  talkingPerCore: speakers * 3,
  rssMb: 160.25,
  rssPerStreamMb: 1,
  othersCores: 0.05,
  speakers,
  seconds: 20,
  model: 'tiny',
  failures,
  machine,
});

const step = (load: number, p95: number): CapacityStep & { load: number } => ({
  load,
  speakers: Math.ceil(load * 1.25),
  talkingSpeakers: load,
  fits: p95 <= 900,
  because: p95 <= 900 ? null : 'latency',
  wordLatencyMs: summarise([p95]),
  finalLatencyMs: summarise([p95]),
  growthMsPerS: null,
  wer: 0.1,
  cpuCores: 1,
  rssMb: 200,
  clientCores: 0.3,
  failures: [],
  areSpeakersHeard: true,
});

const report: Report = {
  flags: ' --quick',
  runs: [{ bench: 'latency-1', machine }],
  manifest: 'manifest.json',
  machine,
  tookMinutes: 3.5,
  latency: [latency(1, [400, 500]), latency(40, [600, 700], ['recognition | does not keep up'])],
  latencySamples: [
    { name: 'latency-1', valuesMs: [-20, 400, 500] },
    { name: 'latency-40', valuesMs: [600, 700] },
  ],
  capacity: {
    knee: 40,
    tooMuch: 44,
    limit: 'latency',
    isMachineUsedUp: true,
    budgetMs: 900,
    stepSeconds: 8,
    steps: [step(20, 600), step(60, 4000), step(40, 800), step(44, 1000)],
    model: 'tiny',
    machine,
  },
  endurance: {
    wordLatencyMs: summarise([500]),
    finalLatencyMs: summarise([800]),
    latencyDriftMs: { atStart: 500, perHour: -3, perHourInterval: [-20, 14], growth: -0.01 },
    memoryDriftMb: null,
    laps: [0, 60, 120].map((atS) => ({ atS, p50: 500, p95: 600 })),
    wer: 0.1,
    speakers: 3,
    noisy: 0,
    seconds: 180,
    model: 'tiny',
    failures: [],
    machine,
  },
  failures: ['peers: livekit-server was not found\nand a long log'],
};

describe('the report', () => {
  it.each([
    { knee: 40, tooMuch: 44, limit: 'latency', text: '40' },
    { knee: 0, tooMuch: 1, limit: 'latency', text: '0' },
    { knee: 40, tooMuch: null, limit: null, text: '≥ 40' },
    { knee: 6, tooMuch: 8, limit: 'bench used up', text: '≥ 6' },
    { knee: 0, tooMuch: 1, limit: 'bench used up', text: '–' },
  ] as const)('claims no more of a search than it showed: $knee, $limit', ({ text, ...found }) => {
    expect(kneeText(found)).toBe(text);
  });

  it('measures anew what it is told to, and says what it knows', () => {
    expect(parseReportParts('latency, peers')).toEqual(['latency', 'peers']);
    expect(() => parseReportParts('everything')).toThrow('accuracy');
  });

  it('has a row for each arm, says what limits, and names what failed', () => {
    const text = reportMarkdown(report);
    expect(text).toContain('`npm run bench -- report --quick` in 3.5 minutes on 2026-11-25');
    expect(text).toMatch(
      /\| WebSocket, 1 connected +\| 450 ms +\| 495 ms +\| 499 ms +\| – +\| 700 ms +\| 10\.5 % +\| 0\.75 +\| 0\.25 +\| 3 +\| 160 +\|/,
    );
    expect(text).toContain(
      '40 people talking on average within a p95 of 900 ms. 44 were too many: latency; all cores were in use',
    );
    expect(text).toMatch(/\| 60 +\| 75 +\| 4000 ms +\|/);
    expect(text).toMatch(/\| private memory, MB +\| – +\| – +\| too short a run +\|/);
    expect(text).toContain('Failed: recognition \\| does not keep up');
    expect(text).toContain('- peers: livekit-server was not found\n');
    expect(text).not.toContain('a long log');
    expect(text).not.toContain('<fast>');
    expect(text).not.toContain('## Accuracy');
    expect(text).toMatch(/\| latency-1 +\| 2026-11-25 12:00 +\| 0\.2 +\| abc1234 +\|/);
    expect(text).not.toContain('busy');
  });

  it('says that the machine was busy, where it was', () => {
    const busy = { ...report, machine: { ...machine, load1: 7 } };
    expect(reportMarkdown(busy)).toContain('busy with other work (load 7 on 2 cores');
    expect(reportHtml(busy)).toContain('busy with other work');
  });

  it('has plots with a label for those who cannot see them, and only numbers in them', () => {
    const page = reportHtml(report);
    expect(page.match(/<svg [^>]*role="img"[^>]*aria-label="[^"]+"/g)).toHaveLength(3);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    expect(page).toContain('A &lt;fast&gt; CPU');
    expect(page).not.toMatch(/<script|https?:(?!\/\/www\.w3\.org)/);
  });

  it('is written also when nothing could be measured', () => {
    const nothing: Report = {
      ...{ flags: ' --kept', runs: [], manifest: 'm', machine, tookMinutes: null },
      ...{ latency: [], latencySamples: [], failures: ['latency-1: no model'] },
    };
    expect(reportMarkdown(nothing)).toContain('- latency-1: no model');
    expect(reportHtml(nothing)).not.toMatch(/NaN|undefined|<svg/);
  });
});
