import { describe, expect, it } from 'vitest';
import { summarise } from '../../asr/index.js';
import { describeWithModel } from '../../asr/testing/real-model.js';
import {
  applyMessage,
  type CaptionDelta,
  CaptionError,
  epochMs,
  initialState,
  participantIdentity,
  roomName,
  segmentId,
  snapshotMessages,
  startEpoch,
} from '../../protocol/index.js';
import { AGENT_NAME, liveKitSettings, startLiveKitGateway } from '../livekit/testing/captioned-meeting.js';
import { describeWithModelAndLiveKit, startTestLiveKit } from '../livekit/testing/livekit-server.js';
import { TEST_KEYS } from '../testing/access-token.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { freePort } from '../livekit/server/free-ports.js';
import { startProgram } from '../testing/program.js';
import { startTestGateway } from '../testing/test-gateway.js';
import { waitFor } from '../testing/wait-until.js';
import { liveKitRoad } from './livekit-road.js';
import { ProbeMetrics } from './probe-metrics.js';
import { PROBE_SPEAKER, type ProbeRoad } from './probe-road.js';
import { loadSentences } from './probe-sentences.js';
import { Prober, type ProberOptions } from './prober.js';
import { webSocketRoad } from './websocket-road.js';

const ROOM = roomName('canary');
const NO_KEYS = { apiKey: '', apiSecret: '' };
/** A machine that is busy with other tests is late, and nobody is called slow for it. */
const PATIENT = { maxLatencyMs: 60_000, maxWer: 0.6, finalDeadlineMs: 20_000 };

const afterwards = cleanupsAfterEach();

async function proberOn(road: ProbeRoad, options: Partial<ProberOptions> = {}): Promise<Prober> {
  const sentences = (await loadSentences()).filter(({ id }) => id === 'short-04-paul');
  const prober = new Prober({
    road,
    sentences,
    ...PATIENT,
    signal: new AbortController().signal,
    ...options,
  });
  afterwards(() => prober.close());
  return prober;
}

describeWithModel('the probe over WebSocket', (model) => {
  it('hears what it says, twice in one room, and tells how late it was', async () => {
    const gateway = await startTestGateway(model);
    afterwards(() => gateway.close());
    const prober = await proberOn(webSocketRoad({ url: gateway.url, room: ROOM, ...NO_KEYS }));
    const first = await prober.probe();
    expect(first).toMatchObject({
      outcome: 'ok',
      reason: '',
      code: null,
      road: 'websocket',
      spokenWords: 10,
    });
    expect(first.wordLatencyMs.count).toBeGreaterThan(3);
    expect(first.finalLatencyMs).not.toBeNull();
    expect(first.joinMs).toBeGreaterThan(0);
    const second = await prober.probe();
    expect(second).toMatchObject({ outcome: 'ok', joinMs: null, spokenWords: 10 });
    // Of this sentence alone, not of both.
    expect(second.wordLatencyMs.count).toBeLessThanOrEqual(10);
  });

  it('brings a token where one is wanted', async () => {
    const gateway = await startTestGateway(model, { settings: TEST_KEYS });
    afterwards(() => gateway.close());
    const { LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret } = TEST_KEYS;
    const prober = await proberOn(webSocketRoad({ url: gateway.url, room: ROOM, apiKey, apiSecret }));
    expect(await prober.probe()).toMatchObject({ outcome: 'ok' });
  });

  it('says that no word came, when recognition rests', async () => {
    const gateway = await startTestGateway(model);
    afterwards(() => gateway.close());
    gateway.rooms.enter(ROOM).replaceRecognition('everybody');
    const road = webSocketRoad({ url: gateway.url, room: ROOM, ...NO_KEYS });
    const prober = await proberOn(road, { finalDeadlineMs: 300 });
    expect(await prober.probe()).toMatchObject({ outcome: 'no_captions', wordErrors: 10 });
  });

  it('is slow or wrong when it is later, or errs more, than is allowed', async () => {
    const gateway = await startTestGateway(model);
    afterwards(() => gateway.close());
    const road = webSocketRoad({ url: gateway.url, room: ROOM, ...NO_KEYS });
    const slow = await proberOn(road, { maxLatencyMs: 1 });
    expect(await slow.probe()).toMatchObject({ outcome: 'slow' });
    await slow.close();
    const [sentence] = await loadSentences();
    const otherWords = sentence?.words.map((word) => ({ ...word, text: 'nonsense' })) ?? [];
    const wrong = await proberOn(road, { sentences: [{ ...sentence!, words: otherWords }] });
    expect(await wrong.probe()).toMatchObject({ outcome: 'wrong' });
  });

  it('joins again when the gateway was away, and says so meanwhile', async () => {
    const port = await freePort();
    const settings = { CAPTION_PORT: port };
    const prober = await proberOn(webSocketRoad({ url: `http://127.0.0.1:${port}`, room: ROOM, ...NO_KEYS }));
    const away = { outcome: 'unreachable', code: 'gateway_unreachable' };
    expect(await prober.probe()).toMatchObject(away);
    const gateway = await startTestGateway(model, { settings });
    expect(await prober.probe()).toMatchObject({ outcome: 'ok' });
    await gateway.close();
    expect(await prober.probe()).toMatchObject(away);
  });

  it('--once ends with 0 when it was heard, and with 4 when there is no gateway', async () => {
    const gateway = await startTestGateway(model);
    afterwards(() => gateway.close());
    const limits = ['--max-latency', '60000', '--max-wer', '100'];
    const heard = await startProgram(['probe', '--once', '--json', '--url', gateway.url, ...limits]).ended;
    expect(heard.code, heard.stderr).toBe(0);
    expect(JSON.parse(heard.stdout)).toMatchObject({ outcome: 'ok', road: 'websocket' });
    const url = `http://127.0.0.1:${await freePort()}`;
    const alone = await startProgram(['probe', '--once', '--json', '--url', url]).ended;
    expect(alone.code).toBe(4);
    expect(JSON.parse(alone.stdout)).toMatchObject({ outcome: 'unreachable' });
    expect(alone.stderr).toMatch(/gateway_unreachable/);
    const late = await startProgram(['probe', '--once', '--url', gateway.url, '--max-latency', '1']).ended;
    expect(late).toMatchObject({ code: 1, stdout: '' });
    expect(late.stderr).toMatch(/probe_failed: slow/);
  });

  it('goes on for Prometheus until it is stopped', async () => {
    const gateway = await startTestGateway(model);
    afterwards(() => gateway.close());
    const program = startProgram(['probe', '--url', gateway.url, '--port', '0', '--interval', '1']);
    afterwards(() => program.kill());
    const url = await waitFor('the address', () => /"url":"([^"]+)"/.exec(program.stderr())?.[1]);
    await waitFor('a round', () => (program.stderr().includes('"probed"') ? true : undefined));
    const metrics = await (await fetch(url)).text();
    expect(metrics).toMatch(/^caption_probe_rounds_total\{outcome="(?:ok|slow)"\} [1-9]/m);
    expect(metrics).toMatch(/^caption_probe_word_latency_seconds_count [1-9]/m);
    program.child.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 0 });
  });
});

describeWithModelAndLiveKit('the probe in a room of LiveKit', (model) => {
  it('is heard as people are, and its viewer reports back; without a gateway it says so', async () => {
    const server = await startTestLiveKit();
    afterwards(() => server.stop());
    const roadOptions = { server, room: ROOM, agentName: AGENT_NAME };
    const alone = await proberOn(liveKitRoad({ ...roadOptions, captionerDeadlineMs: 500 }));
    expect(await alone.probe()).toMatchObject({ outcome: 'no_captioner', code: 'probe_no_captioner' });
    const gateway = await startLiveKitGateway(model, server);
    afterwards(() => gateway.close());
    const prober = await proberOn(liveKitRoad(roadOptions));
    expect(await prober.probe()).toMatchObject({ outcome: 'ok', road: 'livekit', spokenWords: 10 });
    // The words of the first sentence count when a further message is published.
    expect(await prober.probe()).toMatchObject({ outcome: 'ok', joinMs: null });
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(Number(/^caption_acknowledged_words_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
  });

  it('--once ends with 4 when there is no LiveKit', async () => {
    const server = await startTestLiveKit();
    const env = Object.fromEntries(
      Object.entries(liveKitSettings(server)).map(([name, value]) => [name, String(value)]),
    );
    await server.stop();
    const ended = await startProgram(['probe', '--once'], { env }).ended;
    expect(ended.code).toBe(4);
    expect(ended.stderr).toMatch(/livekit_unreachable/);
  });
});

describe("the probe's rounds", () => {
  it('are counted by how they went, and what was heard by how late it was', async () => {
    const metrics = new ProbeMetrics();
    const result = {
      outcome: 'ok',
      reason: '',
      code: null,
      road: 'livekit',
      sentence: 'a',
      joinMs: 800,
      wordLatenciesMs: [300, 400],
      wordLatencyMs: summarise([300, 400]),
      finalLatencyMs: 700,
      spokenWords: 4,
      wordErrors: 1,
    } as const;
    metrics.record(result, 1_000_000);
    metrics.record(
      { ...result, outcome: 'no_captioner', wordLatenciesMs: [], spokenWords: 0, joinMs: null },
      2_000_000,
    );
    const text = await metrics.registry.metrics();
    for (const line of [
      'caption_probe_rounds_total{outcome="ok"} 1',
      'caption_probe_rounds_total{outcome="no_captioner"} 1',
      'caption_probe_rounds_total{outcome="slow"} 0',
      'caption_probe_up 0',
      'caption_probe_last_ok_timestamp_seconds 1000',
      'caption_probe_word_latency_seconds_sum 0.7',
      'caption_probe_word_error_ratio 0.25',
      'caption_probe_words_total 4',
    ])
      expect(text).toContain(line);
  });

  it('are unfinished when words come and no final', async () => {
    const road: ProbeRoad = {
      kind: 'websocket',
      room: ROOM,
      open({ watch }) {
        let state = initialState(ROOM);
        const tell = (): void => {
          const message: CaptionDelta = {
            kind: 'delta',
            room: ROOM,
            epochMs: epochMs(1),
            seq: 1,
            speaker: { identity: participantIdentity(PROBE_SPEAKER), name: '' },
            segment: segmentId('s1'),
            revision: 1,
            keep: 0,
            words: [{ text: 'It', startMs: epochMs(Date.now()), endMs: epochMs(Date.now() + 100) }],
            stable: 1,
            isFinal: false,
            language: 'en',
          };
          state = applyMessage(applyMessage(state, emptySnapshot), message);
          watch(state, message);
        };
        const ignored = (): void => undefined;
        return Promise.resolve({
          isAlive: true,
          get state() {
            return state;
          },
          send: () => (state.open.length === 0 ? tell() : undefined),
          mute: ignored,
          unmute: ignored,
          close: () => Promise.resolve(),
        });
      },
    };
    const emptySnapshot = snapshotMessages(startEpoch(ROOM, epochMs(1)))[0]!;
    const prober = await proberOn(road, { finalDeadlineMs: 200 });
    expect(await prober.probe()).toMatchObject({ outcome: 'unfinished' });
  });

  it('are of servers that cannot be reached when the road fails', async () => {
    const error = new CaptionError('livekit_unauthorised', 'LiveKit refuses the key.');
    const road: ProbeRoad = { kind: 'livekit', room: ROOM, open: () => Promise.reject(error) };
    const prober = await proberOn(road);
    expect(await prober.probe()).toMatchObject({ outcome: 'unreachable', code: 'livekit_unauthorised' });
  });
});
