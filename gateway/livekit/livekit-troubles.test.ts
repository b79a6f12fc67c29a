import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
/** A LiveKit server that is not there, refuses us, goes away; rooms that cannot be heard without a key. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { startTestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import {
  finalWordsOf,
  isHeard,
  liveKitSettings,
  loadVoices,
  MeetingRoom,
  say,
  type Speech,
  startLiveKitGateway,
  type Voice,
} from './testing/captioned-meeting.js';
import { describeWithModelAndLiveKit, startTestLiveKit, type TestLiveKit } from './testing/livekit-server.js';
import { disposeSdk } from './dispose-sdk.js';

const TIMEOUT_MS = 180_000;

describeWithModelAndLiveKit('LiveKit in trouble', (model) => {
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;
  let voices: Readonly<Record<Voice, Speech>>;

  beforeAll(async () => {
    voices = await loadVoices();
    server = await startTestLiveKit();
  });
  afterAll(async () => {
    await server.stop();
    await disposeSdk();
  });

  function meeting(name: string): MeetingRoom {
    const room = new MeetingRoom(server, name);
    afterThis(() => room.leave());
    return room;
  }

  const readiness = async (url: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(`${url}/readyz`);
    return { status: response.status, text: await response.text() };
  };
  const metric = async (url: string, line: string): Promise<boolean> =>
    (await (await fetch(`${url}/metrics`)).text()).split('\n').includes(line);

  it('is told by readiness and metrics: a wrong secret', async () => {
    const gateway = await startTestGateway(model, {
      settings: {
        ...liveKitSettings(server),
        LIVEKIT_API_SECRET: 'a secret that is not the server’s, 32 long',
      },
    });
    afterThis(() => gateway.close());
    await waitUntil(() => (gateway.livekit?.worker?.state === 'refused' ? undefined : 'not refused yet'));
    const { status, text } = await readiness(gateway.url);
    expect(status).toBe(503);
    expect(text).toContain('LIVEKIT_API_SECRET');
    expect(await metric(gateway.url, 'caption_livekit_worker_registered 0')).toBe(true);
    expect(gateway.logText().match(/not registered with LiveKit/g)).toHaveLength(1);
  });

  it(
    'is waited for when it is down at the start, and told to be',
    async () => {
      const later = await startTestLiveKit();
      afterThis(() => later.stop());
      await later.kill();
      const gateway = await startTestGateway(model, { settings: liveKitSettings(later) });
      afterThis(() => gateway.close());
      await waitUntil(() =>
        gateway.livekit?.worker?.lastError?.code === 'livekit_unreachable' ? undefined : 'no trouble yet',
      );
      const { status, text } = await readiness(gateway.url);
      expect(status).toBe(503);
      expect(JSON.parse(text)).toMatchObject({ code: 'livekit_unreachable' });
      // Anybody may ask; where the server is, only the log tells.
      expect(text).not.toContain(new URL(later.url).host);
      expect(gateway.logText()).toContain(new URL(later.url).host);
      await later.restart();
      await waitUntil(() => gateway.livekit?.notReadyReason, 60_000);
      expect((await readiness(gateway.url)).status).toBe(200);
      expect(await metric(gateway.url, 'caption_livekit_worker_registered 1')).toBe(true);
    },
    TIMEOUT_MS,
  );

  it(
    'goes on where it was after the server was restarted',
    async () => {
      const own = await startTestLiveKit();
      afterThis(() => own.stop());
      const gateway = await startLiveKitGateway(model, own);
      afterThis(() => gateway.close());
      const room = new MeetingRoom(own, 'restarted');
      afterThis(() => room.leave());
      const viewer = await room.viewer('vera');
      const david = await room.speaker('david');
      await room.dispatch();
      await viewer.ready;
      await waitUntil(() => (gateway.livekit?.speakerCount === 1 ? undefined : 'david is not listened to'));
      await say(david, voices.david);
      await waitUntil(() => (finalWordsOf(viewer.state, 'david').length > 0 ? undefined : 'no captions'));
      const before = finalWordsOf(viewer.state, 'david');
      const metricBefore = viewer.state.epochMs;
      const downSinceMs = performance.now();
      await own.kill();
      // Longer than what is taken for a breath.
      await waitUntil(() =>
        performance.now() - downSinceMs > 3000 ? undefined : 'it was down for a moment only',
      );
      await own.restart();
      // The people come back by themselves or open the page again; the bot comes back by itself.
      await room.leave();
      const viewerAgain = await room.viewer('vera');
      const davidAgain = await room.speaker('david');
      await waitUntil(
        () =>
          gateway.livekit?.captioners.captionerOf(room.name)?.isConnected === true &&
          gateway.livekit.speakerCount === 1
            ? undefined
            : 'the bot is not back',
        60_000,
      );
      await viewerAgain.ready;
      // On a slow machine his sound comes with holes, and what is after one is final later.
      const again = finalWordsOf(viewerAgain.state, 'david');
      expect(again.slice(0, before.length)).toEqual(before);
      expect(viewerAgain.state.epochMs).toBe(metricBefore);
      // What he may have said meanwhile reached nobody: his microphone was on.
      const missing = (): string[] =>
        (gateway.rooms.find(room.name)?.state.gaps ?? []).map(
          ({ speaker, reason }) => `${speaker.identity}: ${reason}`,
        );
      await waitUntil(() => (missing().length > 0 ? undefined : 'no gap for the time without a server'));
      expect(new Set(missing())).toEqual(new Set(['david: audio_missing']));
      expect(await room.transcript(gateway.url)).toContain('the sound did not arrive');
      await say(davidAgain, voices.david);
      await waitUntil(() =>
        finalWordsOf(viewerAgain.state, 'david').length > again.length
          ? undefined
          : 'no captions after the restart',
      );
    },
    TIMEOUT_MS,
  );

  it(
    'is captioned end-to-end encrypted with the shared key, without one legacy packet',
    async () => {
      const key = 'a key that only the people in the room know';
      const gateway = await startLiveKitGateway(model, server, { settings: { CAPTION_E2EE_KEY: key } });
      afterThis(() => gateway.close());
      const room = meeting('encrypted');
      const viewer = await room.viewer('vera', { e2eeKey: key });
      const claire = await room.speaker('claire', { e2eeKey: key });
      await room.dispatch();
      await waitUntil(() => (gateway.livekit?.speakerCount === 1 ? undefined : 'claire is not listened to'));
      await say(claire, voices.claire);
      await waitUntil(() => (finalWordsOf(viewer.state, 'claire').length > 0 ? undefined : 'no captions'));
      expect(isHeard(finalWordsOf(viewer.state, 'claire'), voices.claire.words)).toBe(true);
      expect(viewer.transcriptions).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'is captioned as soon as the application gives the key, which could not be asked for at first',
    async () => {
      const key = 'a key that the application keeps';
      let isAway = true;
      const hook = createServer((_request, response) => {
        response.writeHead(isAway ? 503 : 200, { 'Content-Type': 'application/json' });
        response.end(isAway ? '' : JSON.stringify({ key }));
      });
      hook.listen(0, '127.0.0.1');
      await once(hook, 'listening');
      afterThis(() => void hook.close());
      const { port } = hook.address() as AddressInfo;
      const gateway = await startLiveKitGateway(model, server, {
        settings: { CAPTION_E2EE_KEY_URL: `http://127.0.0.1:${String(port)}/key` },
      });
      afterThis(() => gateway.close());
      const room = meeting('late-key');
      const viewer = await room.viewer('vera', { e2eeKey: key });
      const claire = await room.speaker('claire', { e2eeKey: key });
      await room.dispatch();
      await waitUntil(() =>
        viewer.state.state === 'unavailable' ? undefined : `status ${viewer.state.state}`,
      );
      expect(gateway.livekit?.speakerCount).toBe(0);

      isAway = false;

      await waitUntil(() => (gateway.livekit?.speakerCount === 1 ? undefined : 'claire is not listened to'));
      await say(claire, voices.claire);
      await waitUntil(() => (finalWordsOf(viewer.state, 'claire').length > 0 ? undefined : 'no captions'));
      expect(isHeard(finalWordsOf(viewer.state, 'claire'), voices.claire.words)).toBe(true);
      expect(viewer.state.state).toBe('live');
    },
    TIMEOUT_MS,
  );

  it(
    'says why there are no captions when a room is encrypted and nobody gave a key',
    async () => {
      const gateway = await startLiveKitGateway(model, server);
      afterThis(() => gateway.close());
      const room = meeting('locked');
      const viewer = await room.viewer('vera');
      const claire = await room.speaker('claire', { e2eeKey: 'nobody told us' });
      await room.dispatch();
      await waitUntil(() =>
        viewer.state.state === 'unavailable' ? undefined : `status ${viewer.state.state}`,
      );
      expect(viewer.state.reason).toContain('CAPTION_E2EE_KEY');
      expect(gateway.livekit?.speakerCount).toBe(0);
      await say(claire, { pcm: voices.claire.pcm.subarray(0, 16_000) });
      expect(viewer.state.finals).toEqual([]);
      expect(viewer.transcriptions).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
