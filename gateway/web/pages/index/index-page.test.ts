/** The page at `/` in a real browser: a room is picked or typed, one's own voice is captioned, transcripts are taken home. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { normaliseWords, wordErrorRate } from '../../../../asr/index.js';
import { describeWithModel } from '../../../../asr/testing/real-model.js';
import { participantIdentity, roomName, segmentsOf } from '../../../../protocol/index.js';
import type { Room } from '../../../rooms/room.js';
import { accessToken, TEST_KEYS } from '../../../testing/access-token.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../../../testing/cleanups.js';
import { startTestGateway } from '../../../testing/test-gateway.js';
import { waitUntil } from '../../../testing/wait-until.js';
import { violationsOn } from '../../testing/accessibility.js';
import { withChromium } from '../../testing/chromium.js';
import { startCuttableProxy } from '../../testing/cuttable-proxy.js';
import { type FakeMicrophone, makeFakeMicrophone } from '../../testing/fake-microphone.js';
import { pageHarness, PATIENCE } from '../../testing/page-harness.js';
import { person, say } from '../../testing/room-script.js';

/** What a browser says by itself about a connection that was cut, or a request that was refused. */
const NETWORK_NOISE =
  /^WebSocket connection to '[^']*' failed|ERR_(?:EMPTY_RESPONSE|CONNECTION_\w+)|status of 40/;
const TIMEOUT_MS = 60_000;

const wordsIn = (room: Room): string[] =>
  normaliseWords(
    segmentsOf(room.state)
      .flatMap(({ words }) => words.map(({ text }) => text))
      .join(' '),
  );

/** The clip is heard again and again: once is enough. */
const isHeard = (heard: readonly string[], said: readonly string[]): boolean =>
  heard.some((_, first) => {
    const part = heard.slice(first, first + said.length);
    return part.length === said.length && (wordErrorRate(said, part).rate ?? 1) <= 0.4;
  });

const voiceStatus = (page: Page): Promise<string> => page.locator('#voice-status').innerText();
const microphone = (page: Page) => page.getByRole('button', { name: /Caption my voice|Stop captioning me/ });

describeWithModel('the page at /', (model) => {
  withChromium((launch) => {
    describe('with a microphone', () => {
      const afterAllTests = cleanupsAfterAll();
      const afterwards = cleanupsAfterEach();
      let fake: FakeMicrophone;
      beforeAll(async () => {
        fake = await makeFakeMicrophone();
        afterAllTests(() => fake.remove());
      });
      const { gateway, enter, freshName, newPage } = pageHarness({
        model,
        launch: () => launch(fake.flags),
        afterwards,
      });

      async function open(name = freshName(), url = gateway().url) {
        const captions = await newPage({ locale: 'en-GB' }, NETWORK_NOISE);
        const { page } = captions;
        await page.goto(`${url}/?room=${encodeURIComponent(name)}`);
        await microphone(page).waitFor();
        return { captions, page, room: enter(name) };
      }
      const isHeardIn = (room: Room): Promise<void> =>
        waitUntil(
          () => (isHeard(wordsIn(room), fake.words) ? undefined : `heard is "${wordsIn(room).join(' ')}"`),
          TIMEOUT_MS,
        );

      it(
        'captions what a sound card gives that runs at 44.1 kHz, which is no rate of ingest',
        async () => {
          const { page } = await newPage({ locale: 'en-GB' }, NETWORK_NOISE);
          await page.addInitScript(() => {
            const Original = AudioContext;
            window.AudioContext = class extends Original {
              constructor(options?: AudioContextOptions) {
                super({ ...options, sampleRate: 44_100 });
                Object.assign(window, { rateHz: this.sampleRate });
              }
            };
          });
          const name = freshName();
          await page.goto(`${gateway().url}/?room=${encodeURIComponent(name)}`);
          await microphone(page).click();
          const room = enter(name);
          await isHeardIn(room);
          expect(await page.evaluate('window.rateHz')).toBe(44_100);
        },
        TIMEOUT_MS,
      );

      it(
        'captions what is said, under the name one gave, until one has said enough',
        async () => {
          const { captions, page, room } = await open();
          expect(await microphone(page).getAttribute('aria-pressed')).toBe('false');
          await page.getByLabel('Your name').fill('Zoë');
          await page.keyboard.press('Enter');
          await expect.poll(() => voiceStatus(page), PATIENCE).toBe('Your voice is being captioned.');
          expect(await microphone(page).getAttribute('aria-pressed')).toBe('true');
          await expect
            .poll(
              () => page.locator('#level').evaluate((meter) => (meter as HTMLMeterElement).value),
              PATIENCE,
            )
            .toBeGreaterThan(0.2);
          await isHeardIn(room);
          const shown = async (): Promise<string[]> =>
            normaliseWords(
              [...(await captions.settled), ...(await captions.open)].map(({ text }) => text).join(' '),
            );
          await expect.poll(async () => isHeard(await shown(), fake.words), PATIENCE).toBe(true);
          expect(new Set(segmentsOf(room.state).map(({ speaker }) => speaker.name))).toEqual(
            new Set(['Zoë']),
          );
          await microphone(page).click();
          await expect.poll(() => voiceStatus(page), PATIENCE).toBe('');
          await waitUntil(() => (room.speakerCount === 0 ? undefined : 'the voice is still there'));
          expect(room.state.open).toEqual([]);
          // The same person, under another name.
          await page.getByLabel('Your name').fill('');
          await microphone(page).click();
          await waitUntil(() =>
            room.sources.some(({ speaker }) => speaker.name === 'Guest') ? undefined : 'not there again',
          );
          expect(room.sources[0]?.speaker.identity).toBe(room.state.finals[0]?.speaker.identity);
          expect(await violationsOn(page)).toEqual([]);
        },
        TIMEOUT_MS,
      );

      it(
        'captions a voice that speaks to it for the first time after one click',
        async () => {
          const { page } = await newPage({ locale: 'en-GB' }, NETWORK_NOISE);
          await page.goto(gateway().url);
          await page.getByRole('button', { name: 'Try it with my microphone' }).click();
          await expect.poll(() => voiceStatus(page), PATIENCE).toBe('Your voice is being captioned.');
          const name = new URL(page.url()).searchParams.get('room') ?? '';
          expect(name).toMatch(/^try-[0-9a-f]{8}$/);
          await isHeardIn(gateway().rooms.enter(roomName(name)));
          await page.goBack();
          await page.getByLabel('Which room?').waitFor();
        },
        TIMEOUT_MS,
      );

      it(
        'keeps what is said while the connection is away, and tells so',
        async () => {
          const proxy = await startCuttableProxy(gateway().url);
          afterwards(() => proxy.close());
          const { page, room } = await open(freshName(), proxy.url);
          await microphone(page).click();
          await expect.poll(() => voiceStatus(page), PATIENCE).toBe('Your voice is being captioned.');
          await waitUntil(() => (wordsIn(room).length > 0 ? undefined : 'nothing is heard'));
          proxy.cut();
          await expect
            .poll(() => voiceStatus(page), PATIENCE)
            .toMatch(/^No connection: what you say is kept/);
          proxy.restore();
          await expect.poll(() => voiceStatus(page), PATIENCE).toBe('Your voice is being captioned.');
          await isHeardIn(room);
          // One stream, resumed, without a gap.
          expect(room.state.gaps).toEqual([]);
          expect(room.sources).toHaveLength(1);
        },
        TIMEOUT_MS,
      );

      it(
        'speaks with a token under its owner’s name, and says what a token does not allow',
        async () => {
          const guarded = await startTestGateway(model, { settings: TEST_KEYS });
          afterwards(() => guarded.close());
          const visit = async (video?: Record<string, unknown>): Promise<Page> => {
            const { page } = await newPage({ locale: 'en-GB' }, NETWORK_NOISE);
            const token = await accessToken(video === undefined ? {} : { video });
            await page.goto(`${guarded.url}/?room=council#token=${token}`);
            await microphone(page).click();
            return page;
          };
          const page = await visit();
          expect(await page.getByLabel('Your name').isVisible()).toBe(false);
          await expect.poll(() => voiceStatus(page), PATIENCE).toBe('Your voice is being captioned.');
          const [source] = guarded.rooms.enter(roomName('council')).sources;
          expect(source?.speaker).toEqual({ identity: participantIdentity('ana'), name: 'Ana' });
          const listener = await visit({ room: 'council', roomJoin: true, canPublish: false });
          await expect
            .poll(() => voiceStatus(listener), PATIENCE)
            .toBe(
              'The gateway does not take your voice: The access token does not allow to speak in this room.',
            );
          expect(await microphone(listener).getAttribute('aria-pressed')).toBe('false');
        },
        TIMEOUT_MS,
      );
    });

    describe('without one', () => {
      const afterwards = cleanupsAfterEach();
      const { gateway, enter, freshName, newPage } = pageHarness({ model, launch, afterwards });

      it('says that there is none, in the language of the reader', async () => {
        for (const [locale, button, said] of [
          ['en-GB', 'Caption my voice', /^No microphone was found|^This page may not use your microphone/],
          ['fr-FR', 'Sous-titrer ma voix', /^Aucun micro n’a été trouvé|^Cette page n’a pas le droit/],
          [
            'de-DE',
            'Meine Stimme untertiteln',
            /^Es wurde kein Mikrofon gefunden|^Diese Seite darf Ihr Mikrofon nicht/,
          ],
        ] as const) {
          const { page } = await newPage({ locale });
          await page.goto(`${gateway().url}/?room=${encodeURIComponent(freshName())}`);
          await page.getByRole('button', { name: button }).click();
          await expect.poll(() => voiceStatus(page), PATIENCE).toMatch(said);
          expect(await page.locator('html').getAttribute('lang')).toBe(locale);
          expect(await page.getByRole('button', { name: button }).getAttribute('aria-pressed')).toBe('false');
        }
      });

      it.each([
        ['NotAllowedError', /^This page may not use your microphone/],
        ['NotFoundError', /^No microphone was found/],
        ['NotReadableError', /^The microphone cannot be opened/],
        ['InvalidStateError', /^The microphone could not be started/],
      ])('says what to do when the browser says %s', async (name, said) => {
        const { page } = await newPage({ locale: 'en-GB' });
        await page.addInitScript((errorName) => {
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', errorName));
        }, name);
        await page.goto(`${gateway().url}/?room=${encodeURIComponent(freshName())}`);
        await microphone(page).click();
        await expect.poll(() => voiceStatus(page), PATIENCE).toMatch(said);
        expect(await violationsOn(page)).toEqual([]);
      });

      it('lists the rooms that are live, and opens the one that is chosen', async () => {
        const { page } = await newPage({ locale: 'fr-FR' });
        await page.goto(gateway().url);
        await expect
          .poll(() => page.locator('#rooms-note').innerText(), PATIENCE)
          .toBe('Personne ne parle dans aucune salle en ce moment.');
        const hostile = roomName('<img src=x onerror=alert(1)> \u202ekcab');
        const room = enter(hostile);
        room.addSpeaker('test');
        const { speaker } = { speaker: person('Ana') };
        room.setSource('test', { speaker });
        afterwards(() => room.removeSpeaker('test'));
        const link = page.getByRole('link', { name: /1 personne/ });
        await link.waitFor();
        expect(await page.locator('#rooms img').count()).toBe(0);
        expect(await link.innerText()).toMatch(
          /^<img src=x onerror=alert\(1\)>[^]*1 personne · depuis \d\d:\d\d$/,
        );
        expect(await violationsOn(page)).toEqual([]);
        await link.press('Enter');
        await expect.poll(() => page.locator('h1').innerText(), PATIENCE).toBe(hostile);
        await page.getByRole('link', { name: 'Autre salle' }).click();
        await page.getByLabel('Quelle salle ?').waitFor();
      });

      it('with keys asks for a token, and lists what a token may see', async () => {
        const guarded = await startTestGateway(model, { settings: TEST_KEYS });
        afterwards(() => guarded.close());
        for (const name of ['council', 'elsewhere']) guarded.rooms.enter(roomName(name)).addSpeaker('test');
        const { page } = await newPage({ locale: 'en-GB' }, NETWORK_NOISE);
        await page.goto(guarded.url);
        await expect
          .poll(() => page.locator('#rooms-note').innerText(), PATIENCE)
          .toMatch(/^This gateway wants an access token/);
        await page.goto('about:blank');
        await page.goto(`${guarded.url}/#token=${await accessToken()}`);
        await page.getByRole('link', { name: /council/ }).waitFor();
        expect(await page.locator('#rooms li').count()).toBe(1);
        expect(await page.getByLabel('Which room?').inputValue()).toBe('council');
        await page.getByRole('link', { name: /council/ }).click();
        await expect.poll(() => page.locator('h1').innerText(), PATIENCE).toBe('council');
        expect(new URL(page.url()).hash).toMatch(/^#token=/);
      });

      it.each([
        ['vtt', /^WEBVTT\n[^]*<v Ana>/],
        ['srt', /^1\n[^]*Ana: Bonjour/],
        ['txt', /Ana: Bonjour/],
        ['md', /\*\*Ana\*\*/],
        ['json', /"text":"Bonjour/],
      ])('takes the transcript home as %s', async (format, content) => {
        const name = freshName();
        const { page } = await newPage({ locale: 'en-GB' });
        await page.goto(`${gateway().url}/?room=${encodeURIComponent(name)}`);
        await microphone(page).waitFor();
        say(enter(name), { speaker: person('Ana'), segment: 's1', text: 'Bonjour à tous.' });
        await page.locator('#format').selectOption(format);
        const saved = page.waitForEvent('download');
        await page.getByRole('button', { name: 'Download' }).click();
        const download = await saved;
        expect(download.suggestedFilename()).toMatch(new RegExp(`^room-.*\\.${format}$`));
        expect(await readFile(await download.path(), 'utf8')).toMatch(content);
      });

      it('says why there is no transcript', async () => {
        const { page } = await newPage({ locale: 'en-GB' }, NETWORK_NOISE);
        const name = freshName();
        await page.goto(`${gateway().url}/?room=${encodeURIComponent(name)}`);
        await page.getByRole('button', { name: 'Download' }).click();
        const status = page.locator('#download-status');
        await expect.poll(() => status.innerText(), PATIENCE).toBe('Nothing that was said is final yet.');
        enter(name).showsHistory = false;
        await page.getByRole('button', { name: 'Download' }).click();
        await expect.poll(() => status.innerText(), PATIENCE).toBe('No transcript of this room is kept.');
      });

      it('speaks the language that the reader sets, and shows nothing but captions as an overlay', async () => {
        const { page } = await newPage({ locale: 'en-GB' });
        const address = `${gateway().url}/?room=${encodeURIComponent(freshName())}`;
        await page.goto(`${address}&lang=de`);
        await page.getByRole('button', { name: 'Meine Stimme untertiteln' }).waitFor();
        await page.goto(`${address}&layout=overlay`);
        await page.locator('live-captions').waitFor({ state: 'attached' });
        await expect.poll(() => page.locator('footer').isVisible(), PATIENCE).toBe(false);
        const backgrounds = await page.evaluate(() =>
          [document.documentElement, document.body].map(
            (element) => getComputedStyle(element).backgroundColor,
          ),
        );
        expect(backgrounds).toEqual(['rgba(0, 0, 0, 0)', 'rgba(0, 0, 0, 0)']);
      });
    });

    it('tells of pages to which browsers give no microphone', async () => {
      const afterwards: (() => Promise<void> | void)[] = [];
      const gateway = await startTestGateway(model, { settings: TEST_KEYS });
      afterwards.push(() => gateway.close());
      try {
        const launched = await launch(['--host-resolver-rules=MAP captions.example 127.0.0.1']);
        afterwards.push(() => launched.close());
        const page = await (await launched.browser.newContext({ locale: 'en-GB' })).newPage();
        await page.goto(`http://captions.example:${gateway.port}/?room=council#token=${await accessToken()}`);
        await microphone(page).click();
        await expect
          .poll(() => voiceStatus(page), PATIENCE)
          .toMatch(/^Browsers give microphones to secure pages alone/);
      } finally {
        for (const cleanup of afterwards.reverse()) await cleanup();
      }
    });
  });
});
