import { request } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { type RoomName, roomName } from '../../protocol/index.js';
import { connectCaptions } from '../client/caption-client.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { rawTcp } from '../testing/raw-tcp.js';
import { helloWith, RawPeer, welcomedPeer } from '../testing/raw-peer.js';
import { longestTrack } from '../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitFor, waitUntil } from '../testing/wait-until.js';
import { textWith } from '../testing/matchers.js';

interface Metric {
  readonly help: string;
  readonly type: string;
  readonly samples: ReadonlyMap<string, number>;
}

/** The Prometheus text format, strictly: https://prometheus.io/docs/instrumenting/exposition_formats/ */
function parseMetrics(text: string): Map<string, Metric> {
  const metrics = new Map<string, { help: string; type: string; samples: Map<string, number> }>();
  const metricOf = (name: string) => {
    const metric = metrics.get(name) ?? { help: '', type: '', samples: new Map<string, number>() };
    metrics.set(name, metric);
    return metric;
  };
  for (const line of text.split('\n').filter((part) => part !== '')) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind === 'HELP') metricOf(name).help = rest;
      else metricOf(name).type = rest;
      continue;
    }
    const sample = /^([a-z_][a-z0-9_]*)(\{[^}]*\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/i.exec(line);
    if (sample === null) throw new Error(`this is no metric: ${line}`);
    const [, name = '', labels = '', value] = sample;
    const family = metrics.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '');
    if (!metrics.has(family)) throw new Error(`${name} has neither help nor type`);
    metricOf(family).samples.set(`${name}${labels}`, Number(value));
  }
  return metrics;
}

describeWithModel("the gateway's HTTP", (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway(model);
    afterAllTests(() => gateway.close());
  });

  const metrics = async (): Promise<Map<string, Metric>> =>
    parseMetrics(await (await fetch(`${gateway.url}/metrics`)).text());

  const valueOf = async (name: string, sample = name): Promise<number> =>
    (await metrics()).get(name)?.samples.get(sample) ?? NaN;

  it('is alive and ready', async () => {
    for (const [path, body] of [
      ['/healthz', { status: 'alive' }],
      ['/readyz', { status: 'ready' }],
    ] as const) {
      const response = await fetch(`${gateway.url}${path}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      expect(await response.json()).toEqual(body);
    }
  });

  it('answers HEAD as GET, without the body', async () => {
    const response = await fetch(`${gateway.url}/healthz`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  it.each([
    '/nowhere',
    '/v1/captions',
    '/v1/ingest',
    '/protocol/../package.json',
    '/protocol/%2e%2e/index.js',
  ])('answers 404 at %s', async (path) => {
    const response = await fetch(`${gateway.url}${path}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found' });
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])(
    'answers 405 to %s, and says what is allowed',
    async (method) => {
      const response = await fetch(`${gateway.url}/healthz`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, HEAD');
      expect(await response.json()).toMatchObject({ code: 'method_not_allowed' });
    },
  );

  it('survives addresses that are none, with and without an upgrade', async () => {
    for (const headers of ['', 'Connection: Upgrade\r\nUpgrade: websocket\r\n']) {
      const client = await rawTcp(gateway.url, `GET // HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`);
      const answer = await waitFor(
        'an answer',
        () => /^HTTP\/1.1 (\d+)/.exec(client.received().toString())?.[1],
      );
      expect(answer).toBe('404');
      client.socket.destroy();
    }
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });

  it('survives clients that vanish while they are refused', async () => {
    for (let index = 0; index < 20; index++) {
      const client = await rawTcp(
        gateway.url,
        'GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      );
      client.socket.resetAndDestroy();
    }
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });

  it('refuses an upgrade where there is no endpoint', async () => {
    const peer = new RawPeer(`${gateway.url}/v1/nothing`);
    await peer.closed();
    const status = await new Promise<number | undefined>((resolve) => {
      const headers = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      request(`${gateway.url}/v1/nothing`, { headers }, (response) => resolve(response.statusCode)).end();
    });
    expect(status).toBe(404);
  });

  describe('metrics', () => {
    it('parse, and each has a help and a type', async () => {
      const parsed = await metrics();
      const own = [...parsed.keys()].filter((name) => name.startsWith('caption_'));
      expect(own.length).toBeGreaterThanOrEqual(15);
      for (const [name, { help, type }] of parsed) {
        expect(help, name).toMatch(/\S{2}/);
        expect(type, name).toMatch(/^(?:counter|gauge|histogram|summary)$/);
        if (type === 'counter' && name.startsWith('caption_')) expect(name).toMatch(/_total$/);
      }
    });

    it('count what happens, without names of rooms or people', async () => {
      const room: RoomName = roomName('the-secret-council');
      const viewer = connectCaptions({ url: gateway.url, room, changed: () => undefined });
      afterwards(() => viewer.close());
      await viewer.ready;
      const { pcm } = await longestTrack();
      const speaker = { identity: 'identity-of-ana', name: 'Name of Ana' };
      const peer = await welcomedPeer(gateway.url, { room, speaker });
      expect(await valueOf('caption_speakers')).toBe(1);
      expect(await valueOf('caption_viewers')).toBe(1);
      expect(await valueOf('caption_rooms')).toBe(1);
      expect(await valueOf('caption_recogniser_live')).toBe(1);
      peer.sendPcm(pcm);
      peer.send({ kind: 'end' });
      await peer.received('ended');
      expect(await valueOf('caption_ingest_audio_seconds_total')).toBeCloseTo(pcm.length / 16_000, 3);
      expect(await valueOf('caption_words_total')).toBeGreaterThan(5);
      expect(await valueOf('caption_segments_total', 'caption_segments_total{kind="final"}')).toBeGreaterThan(
        0,
      );
      expect(
        await valueOf('caption_segments_total', 'caption_segments_total{kind="partial"}'),
      ).toBeGreaterThan(0);
      expect(
        await valueOf('caption_decode_call_seconds', 'caption_decode_call_seconds_count'),
      ).toBeGreaterThan(0);
      expect(await valueOf('caption_speakers')).toBe(0);
      expect(await valueOf('caption_open_utterances')).toBe(0);
      const text = await (await fetch(`${gateway.url}/metrics`)).text();
      expect(text).not.toMatch(/secret|council|of.ana/i);
    });

    it('count refusals by code', async () => {
      const name = 'caption_refused_connections_total';
      const sample = `${name}{code="sample_rate_unsupported"}`;
      const peer = await new RawPeer(`${gateway.url}/v1/ingest`).opened();
      peer.send(helloWith({ sampleRateHz: 1 }));
      await peer.closed();
      expect(await valueOf(name, sample)).toBe(1);
    });
  });

  it('is not ready without recognition, and says why', async () => {
    // Children that cannot be started again: none will be ready.
    const broken = await startTestGateway(model, {
      supervision: {
        backoff: { firstDelayMs: 60_000, maxDelayMs: 60_000, healthyAfterMs: 0 },
        readyDeadlineMs: 30_000,
      },
    });
    afterwards(() => broken.close());
    const [pid] = broken.engine.childPids;
    process.kill(pid!, 'SIGKILL');
    await waitUntil(() =>
      broken.engine.childPids[0] !== undefined && broken.engine.childPids[0] !== pid
        ? undefined
        : 'no new child',
    );
    // Stopped while it loads its model.
    const [second] = broken.engine.childPids;
    process.kill(second!, 'SIGSTOP');
    afterwards(() => void process.kill(second!, 'SIGCONT'));
    const { status, body } = await waitForNotReady(broken);
    expect(status).toBe(503);
    expect(body).toEqual({
      status: 'not_ready',
      code: 'recognition_unavailable',
      reason: textWith('not running'),
    });
    expect(await (await fetch(`${broken.url}/metrics`)).text()).toContain('caption_recogniser_live 0');
    expect((await fetch(`${broken.url}/healthz`)).status).toBe(200);
  });

  async function waitForNotReady(broken: TestGateway): Promise<{ status: number; body: unknown }> {
    await waitUntil(() =>
      broken.engine.health.state === 'unavailable' ? undefined : 'recognition is not unavailable',
    );
    const response = await fetch(`${broken.url}/readyz`);
    return { status: response.status, body: await response.json() };
  }
});
