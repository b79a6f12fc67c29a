import { beforeAll, describe, expect, it } from 'vitest';
import { percentile } from '../../asr/index.js';
import { STAGES } from '../latency/word-latency.js';
import { ReportRenderer } from './render-in-thread.js';
import type { Finding, ReportData } from './report-data.js';
import { parseReportQuery, type RawReportQuery } from './report-query.js';
import { ReportMemory } from './report-store.js';
import { roomLabel } from '../rooms/room-label.js';
import { SimulatedMeeting, type Stall } from './testing/simulated-meeting.js';

const FROM_MS = Date.UTC(2026, 10, 25, 14, 0);
const MINUTE_MS = 60_000;
const TEN_MINUTES = { from: '2026-11-25T14:00:00Z', to: '2026-11-25T14:10:00Z' };
const BUDGET = '600,1000,2000';

interface Played {
  readonly store: ReportMemory;
  readonly latenciesMs: readonly number[];
}

function play(options: {
  stalls?: readonly Stall[];
  rooms?: readonly string[];
  restartsAtMs?: number[];
}): Played {
  const store = new ReportMemory({ maxChars: 1e8 });
  const meeting = new SimulatedMeeting({ store, fromMs: FROM_MS, minutes: 10, ...options });
  meeting.play();
  meeting.ledger.close();
  return { store, latenciesMs: meeting.latenciesMs };
}

async function render({ store }: Played, raw: RawReportQuery): Promise<string> {
  const query = parseReportQuery({ ...TEN_MINUTES, budget: BUDGET, ...raw }, FROM_MS);
  const nowMs = FROM_MS + 60 * MINUTE_MS;
  return new ReportRenderer().render({ kind: 'gateway', source: await store.source(), query, nowMs });
}

const dataOf = async (played: Played, raw: RawReportQuery = {}): Promise<ReportData> =>
  JSON.parse(await render(played, { ...raw, format: 'json' })) as ReportData;

const lateOnes = ({ findings }: ReportData): Extract<Finding, { kind: 'late' }>[] =>
  findings.filter((finding) => finding.kind === 'late');

describe('the report of ten minutes', () => {
  it.each(STAGES)('with a stall in "%s" shows it at its time, in its stage', async (stage) => {
    const stall = { stage, delayMs: 5000, fromMs: FROM_MS + 6 * MINUTE_MS, toMs: FROM_MS + 6.5 * MINUTE_MS };
    const data = await dataOf(play({ stalls: [stall] }));
    const [late, ...others] = lateOnes(data);
    expect(others).toEqual([]);
    expect(late).toMatchObject({ fromMs: FROM_MS + 6 * MINUTE_MS, toMs: FROM_MS + 7 * MINUTE_MS, stage });
    expect(late?.p95Ms).toBeGreaterThan(5000);
    const steps = data.timeLine.map(({ meanStagesMs }) => Math.round((meanStagesMs?.[stage] ?? 0) / 1000));
    expect(steps.findIndex((seconds) => seconds >= 2)).toBe(6);
    // Half of the minute was late.
    expect(data.slowest?.meanStagesMs[stage]).toBeGreaterThan(4000);
    const page = await render(play({ stalls: [stall] }), { format: 'html' });
    expect(page).toMatch(/14:06 – 14:07.*The time went to <strong>/);
  });

  it('has a stall stand out where everything is over budget, too', async () => {
    const stall = {
      stage: 'queue',
      delayMs: 4000,
      fromMs: FROM_MS + 3 * MINUTE_MS,
      toMs: FROM_MS + 4 * MINUTE_MS,
    } as const;
    const data = await dataOf(play({ stalls: [stall] }), { budget: '100' });
    expect(lateOnes(data)).toMatchObject([{ fromMs: stall.fromMs, toMs: stall.toMs, stage: 'queue' }]);
    expect(data.findings.find(({ kind }) => kind === 'over')).toMatchObject({
      steps: 9,
      ofSteps: 10,
      stage: 'lookahead',
    });
  });

  it('has a stall stand out that holds up less than a twentieth of a minute', async () => {
    const [fromMs, minuteMs] = [FROM_MS + 4.2 * MINUTE_MS, FROM_MS + 4 * MINUTE_MS];
    const stall = { stage: 'arrival', delayMs: 4500, fromMs, toMs: fromMs + 2500 } as const;
    const data = await dataOf(play({ stalls: [stall] }));
    const [late, ...others] = lateOnes(data);
    expect(others).toEqual([]);
    expect(late).toMatchObject({ fromMs: minuteMs, toMs: minuteMs + MINUTE_MS, stage: 'arrival' });
    expect(late?.p95Ms).toBeLessThan(1000);
    expect(late?.maxMs).toBeGreaterThan(4500);
  });

  it('has the later of two minutes stand out', async () => {
    const stall = {
      stage: 'delivery',
      delayMs: 4000,
      fromMs: FROM_MS + MINUTE_MS,
      toMs: FROM_MS + 1.5 * MINUTE_MS,
    } as const;
    const data = await dataOf(play({ stalls: [stall] }), { to: '2026-11-25T14:02:00Z' });
    expect(lateOnes(data)).toMatchObject([{ fromMs: stall.fromMs, stage: 'delivery' }]);
  });

  it('has the percentiles of the words, as the reference has them', async () => {
    const played = play({});
    const { words, distribution, finals } = await dataOf(played);
    expect(words.count).toBe(played.latenciesMs.length);
    for (const [p, value] of [
      [50, words.p50Ms],
      [90, words.p90Ms],
      [95, words.p95Ms],
      [99, words.p99Ms],
    ] as const)
      expect(Math.abs((value ?? NaN) / (percentile(played.latenciesMs, p) ?? NaN) - 1)).toBeLessThan(0.01);
    expect(distribution.reduce((sum, { count }) => sum + count, 0)).toBe(words.count);
    expect(finals.count).toBeGreaterThan(0);
  });

  it('has stages that add up to the latency', async () => {
    const { stages, words } = await dataOf(play({}));
    const sum = stages.reduce((total, { meanMs }) => total + (meanMs ?? 0), 0);
    expect(stages.map(({ stage }) => stage)).toEqual([...STAGES]);
    expect(sum).toBeCloseTo(words.meanMs ?? NaN, -1);
    expect(stages.reduce((total, { share }) => total + share, 0)).toBeCloseTo(1, 1);
  });

  it('tells gaps and restarts', async () => {
    const data = await dataOf(play({ restartsAtMs: [FROM_MS + 2.2 * MINUTE_MS] }));
    expect(data.gaps).toEqual([{ reason: 'recogniser_failed', count: 1, durationMs: 2400 }]);
    expect(data.restarts).toBe(1);
    expect(data.findings.map(({ kind, fromMs }) => [kind, fromMs])).toEqual([
      ['gaps', FROM_MS + 2 * MINUTE_MS],
      ['restarts', FROM_MS + 2 * MINUTE_MS],
    ]);
  });

  it('says when no gateway ran', async () => {
    // The minute in which it ended counts.
    const played = play({});
    const data = await dataOf(played, { to: '2026-11-25T14:20:00Z' });
    expect(data.findings).toMatchObject([
      { kind: 'away', fromMs: FROM_MS + 11 * MINUTE_MS, toMs: FROM_MS + 20 * MINUTE_MS },
    ]);
  });

  it('says that there was nobody, instead of a latency', async () => {
    const empty = { store: new ReportMemory({ maxChars: 1000 }), latenciesMs: [] };
    expect((await dataOf(empty)).words).toMatchObject({ count: 0, p95Ms: null, withinBudget: null });
    expect(await render(empty, { format: 'html' })).toContain('Nobody was captioned');
    expect((await render(empty, { format: 'csv' })).split('\r\n')).toHaveLength(12);
  });
});

describe('the report of several rooms', () => {
  const rooms = ['works-council', '<img src=x onerror=alert(1)>', 'payroll'];
  let played: Played;

  beforeAll(() => {
    played = play({ rooms });
  });

  it('does not name them unless it is asked to', async () => {
    for (const format of ['html', 'json', 'csv']) {
      const text = await render(played, { format });
      for (const room of rooms) expect(text).not.toContain(room);
    }
    const data = await dataOf(played);
    expect(data.rooms.map(({ room }) => room).sort()).toEqual(rooms.map(roomLabel).sort());
    const named = await dataOf(played, { names: '1' });
    expect(named.rooms.map(({ room }) => room).sort()).toEqual([...rooms].sort());
  });

  it('runs nothing that a room is called', async () => {
    const page = await render(played, { format: 'html', names: '1' });
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  });

  it('is of one room by its name, or by what stands for it', async () => {
    for (const room of ['payroll', roomLabel('payroll')]) {
      const data = await dataOf(played, { room });
      expect(data.words.count).toBe(1200);
      expect(data.room).toBe(roomLabel('payroll'));
    }
    expect((await dataOf(played, { room: 'nobody' })).words.count).toBe(0);
  });

  it('has the worst first', async () => {
    const { rooms: found } = await dataOf(played, { names: '1', budget: '400' });
    // Each further room is a little slower, by the simulation.
    expect(found.map(({ room }) => room)).toEqual([
      'payroll',
      '<img src=x onerror=alert(1)>',
      'works-council',
    ]);
  });
});

describe('what a report is asked for', () => {
  it.each<[string, RawReportQuery]>([
    ['a moment that is none', { from: 'yesterday' }],
    ['an end before the beginning', { from: '2026-11-25T15:00:00Z', to: '2026-11-25T14:00:00Z' }],
    ['a time that is too long', { last: '8d' }],
    ['a time without a unit', { last: '60' }],
    ['both from and last', { from: '2026-11-25T14:00:00Z', last: '1h' }],
    ['a budget of words', { budget: 'fast' }],
    ['a budget of four', { budget: '1,2,3,4' }],
    ['another format', { format: 'pdf' }],
    ['names neither on nor off', { names: 'some' }],
  ])('is refused: %s', (_, raw) => {
    expect(() => parseReportQuery(raw, FROM_MS)).toThrow(
      expect.objectContaining({ code: 'query_invalid' }) as Error,
    );
  });

  it('is the last hour against the design, unless it is said', () => {
    expect(parseReportQuery({}, FROM_MS)).toEqual({
      fromMs: FROM_MS - 60 * MINUTE_MS,
      toMs: FROM_MS,
      room: undefined,
      showsNames: false,
      budget: {},
      format: 'html',
    });
    expect(parseReportQuery({ budget: '300,500' }, FROM_MS).budget).toEqual({ p50Ms: 300, p95Ms: 500 });
  });
});
