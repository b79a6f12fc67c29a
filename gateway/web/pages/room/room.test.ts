import { expect, it } from 'vitest';
import type { InstalledModel } from '../../../../asr/index.js';
import { demoRoomAddress, liveKitStage } from '../../../demo/livekit-demo.js';
import { DEMO_ROOM } from '../../../demo/demo-stage.js';
import { runDemo } from '../../../demo/run-demo.js';
import {
  describeWithModelAndLiveKit,
  startTestLiveKit,
  type TestLiveKit,
} from '../../../livekit/testing/livekit-server.js';
import { roomPageAddress } from '../../../livekit/index.js';
import { cleanupsAfterEach } from '../../../testing/cleanups.js';
import { loadShortMeeting } from '../../../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../../../testing/test-gateway.js';
import { type CaptionPage, newCaptionPage, type ShownSegment } from '../../testing/caption-page.js';
import { type LaunchedBrowser, withChromium } from '../../testing/chromium.js';
import { PATIENCE } from '../../testing/page-harness.js';

const AGENT = 'multi-user-transcriber';
/** livekit-client makes one when it connects, before anybody clicks, and resumes it when somebody listens. */
const AUDIO_BEFORE_CLICK = /^The AudioContext was not allowed to start/;
/** What a browser says by itself about a request that was refused. */
const REQUEST_REFUSED = /^(?:WebSocket connection to '[^']*' failed|Failed to load resource)/;

describeWithModelAndLiveKit('the room page', (model: InstalledModel) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();

    const startServer = async (): Promise<TestLiveKit> => {
      const server = await startTestLiveKit();
      afterwards(() => server.stop());
      return server;
    };

    const startGatewayOf = async (server: TestLiveKit | undefined): Promise<TestGateway> => {
      const settings =
        server === undefined
          ? {}
          : {
              LIVEKIT_URL: server.url,
              LIVEKIT_API_KEY: server.apiKey,
              LIVEKIT_API_SECRET: server.apiSecret,
            };
      const gateway = await startTestGateway(model, { settings });
      afterwards(() => gateway.close());
      return gateway;
    };

    /** A page that must not show any problem until the end of the test, but those that `expected` matches. */
    const newPage = async (expected?: RegExp): Promise<CaptionPage> => {
      const launched: LaunchedBrowser = await launch();
      afterwards(() => launched.close());
      const page = await newCaptionPage(launched.browser);
      afterwards(() => {
        expect(
          page.problems.filter(
            (problem) => !AUDIO_BEFORE_CLICK.test(problem) && expected?.test(problem) !== true,
          ),
        ).toEqual([]);
      });
      return page;
    };

    const texts = (page: CaptionPage, road: string): Promise<string> =>
      page.page
        .locator(`${road} .segment:not([hidden]) .text`)
        .evaluateAll((elements) => elements.map((element) => element.textContent.trim()).join(' '));

    it('shows who is there and every word of everybody, on all three roads, and lets one listen', async () => {
      const server = await startServer();
      const gateway = await startGatewayOf(server);
      const page = await newPage();
      await noteSoundElements(page);
      await page.page.goto(await demoRoomAddress(gateway, server));
      await expect.poll(() => page.status, PATIENCE).toBe('In the room. Nobody captions it yet.');
      expect(await page.page.locator('#title').innerText()).toBe(DEMO_ROOM);
      expect(await page.page.locator('#streams-road').isVisible()).toBe(false);
      await page.page.getByLabel('Compare all three roads').check();
      await page.page.getByRole('button', { name: 'Listen' }).click();
      const talking = page.page.locator('.person.talking .name').first();
      const someoneTalked = talking.waitFor({ timeout: 60_000 });

      const meeting = await loadShortMeeting();
      const finals = new Map<string, ShownSegment>();
      let peopleSeen: string[] = [];
      let voices = 0;
      await runDemo({
        gateway,
        meeting,
        speed: 1,
        openStage: async (options) => {
          const stage = await liveKitStage({ server, gateway, agentName: AGENT })(options);
          return {
            ...stage,
            async end() {
              await stage.end();
              peopleSeen = await page.page.locator('#people .name').allInnerTexts();
              await expect
                .poll(async () => (voices = await voicesHeard(page)), PATIENCE)
                .toBe(meeting.tracks.length);
              // While all are there: LiveKit's texts go to those who are in the room.
              const byText = (segments: Iterable<ShownSegment>): ShownSegment[] =>
                [...segments].sort((a, b) => (a.text < b.text ? -1 : 1));
              await expect
                .poll(async () => byText(await page.settled), PATIENCE)
                .toEqual(byText(finals.values()));
              for (const { text } of finals.values()) {
                await expect.poll(() => texts(page, '#streams'), PATIENCE).toContain(text);
              }
            },
          };
        },
        shown: (state) => {
          for (const { segment, speaker, words } of state.finals)
            finals.set(segment, { name: speaker.name, text: words.map(({ text }) => text).join(' ') });
        },
        signal: new AbortController().signal,
      });
      expect(voices).toBe(3);
      await someoneTalked;
      expect(new Set(peopleSeen)).toEqual(
        new Set(['Claire Martin', 'Paul Bernard', 'David Keller', 'Demo viewer', 'You, watching']),
      );
      expect(finals.size).toBeGreaterThanOrEqual(3);
      expect(await page.status).toBe('Live');
      // Words as they were committed, under ids of their own: the same words, in pieces.
      const legacy = await texts(page, '#legacy');
      const letters = (text: string): string[] => Array.from(text.replace(/\s/g, '')).sort();
      expect(letters(legacy)).toEqual(letters([...finals.values()].map(({ text }) => text).join('')));
    }, 120_000);

    it('tells in words that a token is bad, or that nobody answers', async () => {
      const server = await startServer();
      const gateway = await startGatewayOf(server);
      const page = await newPage(REQUEST_REFUSED);
      await page.page.goto(roomPageAddress(gateway.url, { url: server.url, token: 'not.a.token' }));
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe(
          'Captions unavailable: the LiveKit server does not take the access token of this link: it is no token of this server, or has expired.',
        );
      await server.stop();
      await page.page.reload();
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe(`Captions unavailable: no LiveKit server can be reached at ${server.url}.`);
    });

    it('tells that the room was closed', async () => {
      const server = await startServer();
      const gateway = await startGatewayOf(server);
      const page = await newPage();
      await page.page.goto(await demoRoomAddress(gateway, server));
      await expect.poll(() => page.status, PATIENCE).toBe('In the room. Nobody captions it yet.');
      await deleteRoom(server);
      await expect.poll(() => page.status, PATIENCE).toBe('Captions unavailable: the room was closed.');
      expect(await page.page.locator('#people li').count()).toBe(0);
    });

    it('says at a plain gateway what it needs, and joins when it is told', async () => {
      const server = await startServer();
      const gateway = await startGatewayOf(undefined);
      const page = await newPage();
      await page.page.goto(`${gateway.url}/room`);
      const why = await page.page.locator('#why').innerText();
      expect(why).toContain('the address of the LiveKit server and an access token');
      const address = new URL(await demoRoomAddress(gateway, server));
      const fragment = new URLSearchParams(address.hash.slice(1));
      await page.page.getByLabel('Address of the LiveKit server').fill(fragment.get('url') ?? '');
      await page.page.getByLabel('Access token').fill(fragment.get('token') ?? '');
      await page.page.keyboard.press('Enter');
      await expect.poll(() => page.status, PATIENCE).toBe('In the room. Nobody captions it yet.');
      await page.page.goto(`${gateway.url}/?gone`);
      await page.page.goto(`${gateway.url}/room#url=${encodeURIComponent(server.url)}`);
      await expect
        .poll(() => page.page.locator('#problem').innerText(), PATIENCE)
        .toBe('The link has no access token (#token=…).');
      expect(gateway.logText()).not.toContain(fragment.get('token'));
    });

    it('speaks the language of the reader', async () => {
      const gateway = await startGatewayOf(undefined);
      const page = await newPage();
      for (const [lang, title, problem] of [
        ['fr', 'Salle LiveKit – sous-titres en direct', 'Le lien n’a pas de jeton d’accès (#token=…).'],
        ['de', 'LiveKit-Raum – Live-Untertitel', 'Der Link hat kein Zugangstoken (#token=…).'],
      ] as const) {
        await page.page.goto(`${gateway.url}/room?lang=${lang}#url=ws://127.0.0.1`);
        await expect.poll(() => page.page.locator('#problem').innerText(), PATIENCE).toBe(problem);
        expect(await page.page.title()).toBe(title);
        expect(await page.page.locator('html').getAttribute('lang')).toBe(lang);
      }
    });

    it('may connect to the LiveKit server of its gateway only, and says so', async () => {
      const server = await startServer();
      const gateway = await startGatewayOf(server);
      const other = await startServer();
      const page = await newPage(/Content Security Policy/);
      await page.page.goto(await demoRoomAddress(gateway, other));
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe(
          `Captions unavailable: pages of this gateway may connect to its own LiveKit server only (LIVEKIT_URL), and ${other.url} is another one.`,
        );
      expect(page.problems.length).toBeGreaterThan(0);
    });
  });
});

/** The page's sound elements have no place on it: they are noted where they are made. */
async function noteSoundElements(page: CaptionPage): Promise<void> {
  await page.page.addInitScript(() => {
    const elements: HTMLMediaElement[] = [];
    Object.assign(window, { elements });
    const maker = document as unknown as { createElement: (name: string) => HTMLElement };
    const create = maker.createElement.bind(document);
    maker.createElement = (name) => {
      const element = create(name);
      if (element instanceof HTMLMediaElement) elements.push(element);
      return element;
    };
  });
}

/** How many live voices sound. */
const voicesHeard = (page: CaptionPage): Promise<number> =>
  page.page.evaluate(() => {
    const { elements = [] } = window as { elements?: HTMLMediaElement[] };
    const tracks = elements
      .filter(({ paused }) => !paused)
      .flatMap(({ srcObject }) => (srcObject instanceof MediaStream ? srcObject.getAudioTracks() : []))
      .filter(({ readyState }) => readyState === 'live');
    return new Set(tracks.map(({ id }) => id)).size;
  });

async function deleteRoom(server: TestLiveKit): Promise<void> {
  const { RoomServiceClient } = await import('livekit-server-sdk');
  await new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret).deleteRoom(DEMO_ROOM);
}
