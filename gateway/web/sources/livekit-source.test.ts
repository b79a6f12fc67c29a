/** The component in a room of a real livekit-server, beside captioners of every kind: it shows what is said, once. */
import { disposeSdk } from '../../livekit/dispose-sdk.js';
import { RoomServiceClient } from 'livekit-server-sdk';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { normaliseWords } from '../../../asr/index.js';
import {
  isHeard,
  loadVoices,
  MeetingRoom,
  say,
  type Speech,
  startLiveKitGateway,
} from '../../livekit/testing/captioned-meeting.js';
import {
  type BrowserClients,
  serveBrowserClients,
  visitRoom,
} from '../../livekit/testing/browser/browser-clients.js';
import {
  describeWithModelAndLiveKit,
  startTestLiveKit,
  type TestLiveKit,
} from '../../livekit/testing/livekit-server.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitUntil } from '../../testing/wait-until.js';
import { type CaptionPage, newCaptionPage } from '../testing/caption-page.js';
import { withChromium } from '../testing/chromium.js';
import { PATIENCE } from '../testing/page-harness.js';

const TIMEOUT_MS = 120_000;
/** livekit-client makes one when it connects, before anybody clicks. */
const AUDIO_BEFORE_CLICK = /^The AudioContext was not allowed to start/;

describeWithModelAndLiveKit('the component in a room of LiveKit', (model) => {
  withChromium((launch) => {
    const afterAllTests = cleanupsAfterAll();
    const afterThis = cleanupsAfterEach();
    let server: TestLiveKit;
    let clients: BrowserClients;
    let browser: Browser;
    let claire: Speech;
    let rooms = 0;

    beforeAll(async () => {
      claire = (await loadVoices()).claire;
      server = await startTestLiveKit();
      afterAllTests(() => server.stop());
      clients = await serveBrowserClients();
      afterAllTests(() => clients.close());
      const launched = await launch();
      afterAllTests(() => launched.close());
      browser = launched.browser;
    });
    afterAll(() => disposeSdk());

    async function openRoom(settings: Record<string, string>) {
      const gateway = await startLiveKitGateway(model, server, { settings });
      afterThis(() => gateway.close());
      const room = new MeetingRoom(server, `component-${(rooms += 1)}`);
      afterThis(() => room.leave());
      const captions = await newCaptionPage(browser, { locale: 'en-GB' });
      afterThis(async () => {
        await captions.page.context().close();
        expect(captions.problems.filter((problem) => !AUDIO_BEFORE_CLICK.test(problem))).toEqual([]);
      });
      await visitRoom(captions.page, { clients, server, room: room.name, kinds: ['element'] });
      await expect.poll(() => captions.status, PATIENCE).toBe('In the room. Nobody captions it yet.');
      const speaker = await room.speaker('claire', { name: 'Claire Martin' });
      await room.dispatch();
      await waitUntil(() =>
        gateway.livekit?.captioners.captionerOf(room.name)?.speakerCount === 1
          ? undefined
          : `nobody listens: ${gateway.logText()}`,
      );
      return { room, captions, speaker };
    }

    const wordsOf = async (captions: CaptionPage): Promise<string[]> =>
      normaliseWords((await captions.settled).map(({ text }) => text).join(' '));

    it.each([
      ['captions', { CAPTION_ROADS: 'captions,transcription,legacy', CAPTION_LEGACY_MANNER: 'agents' }],
      ['transcription', { CAPTION_ROADS: 'transcription,legacy', CAPTION_LEGACY_MANNER: 'agents' }],
      ['legacy', { CAPTION_ROADS: 'legacy', CAPTION_LEGACY_MANNER: 'agents' }],
      ['legacy', { CAPTION_ROADS: 'legacy', CAPTION_LEGACY_MANNER: 'visio' }],
    ])(
      'reads %s where there is no better road: %j',
      async (road, settings) => {
        const { captions, speaker } = await openRoom(settings);
        await say(speaker, claire);
        await waitUntil(async () => {
          const [shown, open] = [await wordsOf(captions), await captions.open];
          // Said once and shown once: twice would be as many errors as words.
          return open.length === 0 && isHeard(shown, claire.words)
            ? undefined
            : `shown is "${shown.join(' ')}"`;
        });
        expect(new Set((await captions.settled).map(({ name }) => name))).toEqual(new Set(['Claire Martin']));
        expect(await captions.page.locator('#element').getAttribute('data-road')).toBe(road);
        expect(await captions.status).toBe('Live');
      },
      TIMEOUT_MS,
    );

    it(
      'shows those who come late what was said, and says that the room was left',
      async () => {
        const { room, captions, speaker } = await openRoom({});
        await say(speaker, claire);
        await waitUntil(async () =>
          isHeard(await wordsOf(captions), claire.words) ? undefined : 'not heard yet',
        );
        const late = await newCaptionPage(browser);
        afterThis(() => late.page.context().close());
        await visitRoom(late.page, { clients, server, room: room.name, kinds: ['element'], prefix: 'late-' });
        await expect.poll(() => wordsOf(late), PATIENCE).toEqual(await wordsOf(captions));
        const admin = new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
        await admin.removeParticipant(room.name, 'late-element');
        await expect
          .poll(() => late.status, PATIENCE)
          .toBe('Captions unavailable: the room was left, or closed.');
      },
      TIMEOUT_MS,
    );
  });
});
