import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { ProbeMetrics } from '../../probe/probe-metrics.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { GatewayMetrics } from '../gateway-metrics.js';
import { LiveKitMetrics } from '../livekit-metrics.js';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('.', import.meta.url));
const ALERTS = join(folder, 'alerts.yml');

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly type: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

/** Queries of the dashboard, with values for what Grafana fills in. */
async function queries(): Promise<{ title: string; expr: string }[]> {
  const { panels } = await dashboard();
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
    })),
  );
}

const dashboard = async (): Promise<Dashboard> =>
  JSON.parse(await readFile(join(folder, 'grafana-dashboard.json'), 'utf8')) as Dashboard;

/** Names of series in a query, or in a text: whatever begins as our metrics and those of Node do. */
const namesIn = (text: string): string[] =>
  [...text.matchAll(/\b(?:caption|process|nodejs)_[a-z0-9_]+\b/g)].map(([name]) => name);

/** Every series that gateway and probe can have, with those of histograms. */
async function knownSeries(): Promise<Set<string>> {
  const gateway = new GatewayMetrics();
  new LiveKitMetrics(gateway.registry);
  const all: MetricObjectWithValues<MetricValue<string>>[] = await Registry.merge([
    gateway.registry,
    new ProbeMetrics().registry,
  ]).getMetricsAsJSON();
  return new Set(
    all.flatMap(({ name, type }) =>
      String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

/** Runs promtool, or says why not. */
async function promtool(context: TestContext, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run('promtool', args, { cwd: folder });
    return stdout + stderr;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    const reason = 'SKIPPED: no promtool in PATH (Debian package "prometheus")';
    if (process.env['CI'] !== undefined) throw new Error(reason, { cause: error });
    process.stderr.write(`${reason}\n`);
    context.skip(reason);
    return '';
  }
}

describe('what operators are given', () => {
  const afterwards = cleanupsAfterEach();
  let series: Set<string>;

  beforeAll(async () => {
    series = await knownSeries();
  });

  it('has a dashboard that names series which exist', async () => {
    const found = await queries();
    expect(found.length).toBeGreaterThan(40);
    for (const { title, expr } of found) {
      const names = namesIn(expr);
      expect(names.length, `${title}: ${expr}`).toBeGreaterThan(0);
      for (const name of names) expect(series, `${title}: ${expr}`).toContain(name);
    }
  });

  it('has a dashboard whose panels do not overlap', async () => {
    const { panels } = await dashboard();
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x} ${y}`), title).toBeUndefined();
          taken.set(`${x} ${y}`, title);
        }
    }
  });

  it('has a dashboard that shows every metric of ours', async () => {
    const shown = new Set((await queries()).flatMap(({ expr }) => namesIn(expr)));
    const isShown = (name: string): boolean =>
      shown.has(name) || [...shown].some((other) => other.replace(/_(?:bucket|sum|count)$/, '') === name);
    const own = [...series].filter((name) => name.startsWith('caption_'));
    const missing = own
      .map((name) => name.replace(/_(?:bucket|sum|count)$/, ''))
      .filter((name) => !isShown(name));
    // What others say better: words by the latency's count, gaps by their seconds, the moments of the probe by its alerts.
    expect([...new Set(missing)].sort()).toEqual([
      'caption_gaps_total',
      'caption_ingest_audio_seconds_total',
      'caption_probe_last_ok_timestamp_seconds',
      'caption_probe_last_round_timestamp_seconds',
      'caption_probe_up',
      'caption_segments_total',
    ]);
  });

  it('has alerts that name series which exist', async () => {
    const names = namesIn(await readFile(ALERTS, 'utf8'));
    expect(names.length).toBeGreaterThan(15);
    // Descriptions name metrics of histograms without their suffix.
    for (const name of names)
      expect(
        [...series].some((known) => known.startsWith(name)),
        name,
      ).toBe(true);
    const expressions = (await readFile(ALERTS, 'utf8'))
      .split('\n')
      .filter((line) => /^\s+(?:expr:|sum by|\/ sum)/.test(line));
    for (const name of expressions.flatMap(namesIn)) expect(series).toContain(name);
  });

  it('has alerts that Prometheus takes, and that fire when they should', async (context) => {
    expect(await promtool(context, 'check', 'rules', ALERTS)).toContain('SUCCESS: 18 rules found');
    expect(await promtool(context, 'test', 'rules', 'alerts.test.yml')).toContain('SUCCESS');
  });

  it('has a dashboard whose queries Prometheus takes', async (context) => {
    const dir = await mkdtemp(join(tmpdir(), 'caption-rules-'));
    afterwards(() => rm(dir, { recursive: true, force: true }));
    const path = join(dir, 'queries.yml');
    const found = await queries();
    const rules = found.map(({ expr }, index) => ({ record: `query_${index}`, expr }));
    // JSON is YAML.
    await writeFile(path, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(await promtool(context, 'check', 'rules', path)).toContain(`SUCCESS: ${found.length} rules found`);
  });
});
