import { beforeAll, expect, it } from 'vitest';
import { describeWithModel } from '../asr/testing/real-model.js';
import { participantIdentity, roomName } from '../protocol/index.js';
import { type CaptionClient, connectCaptions } from './client/caption-client.js';
import { connectIngest } from './client/ingest-client.js';
import type { SpeakerTrack } from './meeting/meeting.js';
import { cleanupsAfterEach } from './testing/cleanups.js';
import { rawTcp } from './testing/raw-tcp.js';
import { helloWith, RawPeer, welcomedPeer } from './testing/raw-peer.js';
import { framesOf, longestTrack, shownWords, undisturbedWords } from './testing/short-meeting.js';
import { startTestGateway, type TestGateway } from './testing/test-gateway.js';
import { waitUntil } from './testing/wait-until.js';
import { textMatching, textWith } from './testing/matchers.js';

describeWithModel('a gateway that is shut down', (model) => {
  const afterwards = cleanupsAfterEach();
  let track: SpeakerTrack;
  /** Ends in the middle of a word. */
  let begun: Int16Array;

  beforeAll(async () => {
    track = await longestTrack();
    const word = track.spoken[6]!;
    begun = track.pcm.subarray(0, Math.round(((word.startMs + word.endMs) / 2) * 16));
  });

  async function watch(gateway: TestGateway): Promise<{ viewer: CaptionClient; closes: string[] }> {
    const closes: string[] = [];
    const viewer = connectCaptions({
      url: gateway.url,
      room: roomName('council'),
      changed: () => undefined,
      disconnected: ({ code, reason }) => closes.push(`${code} ${reason}`),
    });
    afterwards(() => viewer.close());
    await viewer.ready;
    return { viewer, closes };
  }

  const hasEnded = async (url: string): Promise<boolean> =>
    fetch(`${url}/healthz`).then(
      () => false,
      () => true,
    );

  it.each([16_000, 48_000])(
    'in mid-sentence shows viewers the last words before it leaves (%i Hz)',
    async (sampleRateHz) => {
      const gateway = await startTestGateway(model);
      afterwards(() => gateway.close());
      const expected = await undisturbedWords(gateway, begun);
      expect(expected.length).toBeGreaterThan(3);
      const { viewer, closes } = await watch(gateway);
      const peer = await welcomedPeer(gateway.url, { sampleRateHz });
      const pcm = sampleRateHz === 16_000 ? begun : tripled(begun);
      for (const frame of framesOf(pcm)) peer.sendPcm(frame);
      await waitUntil(() => (viewer.state.open.length > 0 ? undefined : 'no words'));
      const closing = gateway.close();
      // Whoever does not know yet goes on speaking.
      const chatter = setInterval(() => peer.sendPcm(new Int16Array(640)), 1);
      await closing;
      clearInterval(chatter);
      await waitUntil(() => (closes.length > 0 ? undefined : 'the viewer is still connected'));
      expect(closes[0]).toMatch(/^1001 shutting_down: /);
      expect(viewer.state.open).toEqual([]);
      expect(viewer.state.finals.length).toBeGreaterThan(0);
      if (sampleRateHz === 16_000) expect(shownWords(viewer.state, 'ana')).toEqual(expected);
      expect(peer.messages.map(({ kind }) => kind)).not.toContain('error');
      expect(await peer.closed()).toEqual({ code: 1001, reason: textMatching(/^shutting_down: /) });
      expect(await hasEnded(gateway.url)).toBe(true);
    },
  );

  it('does it once, however often it is asked, and leaves no child', async () => {
    const gateway = await startTestGateway(model);
    const pids = [...gateway.engine.childPids];
    expect(pids).toHaveLength(1);
    const closing = gateway.close();
    expect(gateway.close()).toBe(closing);
    await closing;
    await gateway.close();
    for (const pid of pids)
      expect(() => process.kill(pid, 0)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
  });

  it('is not held up by clients that answer nothing or never finish a request', async () => {
    const gateway = await startTestGateway(model);
    const silent = await rawTcp(gateway.url, '');
    const halfway = await rawTcp(gateway.url, 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ');
    const mute = await new RawPeer(`${gateway.url}/v1/captions?room=r`).opened();
    mute.socket.pause();
    await gateway.close();
    await waitUntil(() => (silent.isClosed() && halfway.isClosed() ? undefined : 'connections are open'));
    mute.socket.resume();
    expect((await mute.closed()).code).toBe(1001);
  });

  it('is not held up by recognition that hangs', async () => {
    const gateway = await startTestGateway(model, { timing: { drainDeadlineMs: 200 } });
    const { closes } = await watch(gateway);
    const peer = await welcomedPeer(gateway.url);
    const [pid] = gateway.engine.childPids;
    process.kill(pid!, 'SIGSTOP');
    peer.sendPcm(begun);
    await waitUntil(() => (gateway.engine.openUtterances > 0 ? undefined : 'nobody talks'));
    await gateway.close();
    await waitUntil(() => (closes.length > 0 ? undefined : 'the viewer is still connected'));
    expect(gateway.logText()).toContain('before everything was recognised');
  });

  it('is not ready and takes no new speakers while it finishes', async () => {
    const gateway = await startTestGateway(model, { timing: { drainDeadlineMs: 3000 } });
    const [pid] = gateway.engine.childPids;
    const talking = await welcomedPeer(gateway.url);
    const late = await new RawPeer(`${gateway.url}/v1/ingest`).opened();
    process.kill(pid!, 'SIGSTOP');
    talking.sendPcm(begun);
    await waitUntil(() => (gateway.engine.openUtterances > 0 ? undefined : 'nobody talks'));
    const closing = gateway.close();
    const ready = await fetch(`${gateway.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ reason: textWith('shutting down') });
    late.send(helloWith({ speaker: { identity: 'late', name: '' } }));
    expect(await late.received('error')).toMatchObject({ code: 'shutting_down', retryable: true });
    process.kill(pid!, 'SIGCONT');
    await closing;
    expect(gateway.logText()).not.toContain('before everything was recognised');
  });

  it('is found again by its clients when another one starts in its place', async () => {
    const first = await startTestGateway(model);
    const { viewer } = await watch(first);
    const speaker = connectIngest({
      url: first.url,
      room: roomName('council'),
      speaker: { identity: participantIdentity('ana'), name: 'Ana' },
    });
    afterwards(() => speaker.close());
    await speaker.ready;
    for (const frame of framesOf(begun)) speaker.send(frame);
    await waitUntil(() =>
      speaker.lastAck?.receivedThroughSample === begun.length ? undefined : 'not acknowledged',
    );
    await first.close();
    const firstEpochMs = viewer.state.epochMs;
    const second = await startTestGateway(model, { settings: { CAPTION_PORT: first.port } });
    afterwards(() => second.close());
    const rest = track.pcm.subarray(begun.length);
    for (const frame of framesOf(rest)) speaker.send(frame);
    await speaker.end();
    await waitUntil(() =>
      viewer.state.epochMs > firstEpochMs && viewer.state.open.length === 0 ? undefined : 'no new epoch',
    );
    // What the first one heard is not heard again.
    expect(shownWords(viewer.state, 'ana')).toEqual(await undisturbedWords(second, rest));
  });
});

/** 48 kHz, each sample three times. */
const tripled = (pcm: Int16Array): Int16Array =>
  Int16Array.from({ length: pcm.length * 3 }, (_, index) => pcm[Math.floor(index / 3)]!);
