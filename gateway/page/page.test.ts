import type { Browser, BrowserContextOptions } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import {
  encodeMessage,
  epochMs,
  participantIdentity,
  type RoomName,
  roomName,
  snapshotMessages,
  startEpoch,
} from '../../protocol/index.js';
import { type CaptionClient, connectCaptions } from '../client/caption-client.js';
import { connectIngest } from '../client/ingest-client.js';
import { playPaced } from '../meeting/paced-playback.js';
import { Room } from '../rooms/room.js';
import { accessToken, TEST_KEYS } from '../testing/access-token.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { loadShortMeeting, longestTrack } from '../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { type CaptionPage, newCaptionPage, type ShownSegment } from './testing/caption-page.js';
import { withChromium } from './testing/chromium.js';
import { startCuttableProxy } from './testing/cuttable-proxy.js';
import { person, say } from './testing/room-script.js';
import { SPEAKER_COLOURS } from './speaker-colours.js';

const PATIENCE = { timeout: 20_000 };
/** Faster than people speak, so that the tests do not take as long as they do. */
const SPEED = 3;
/** What a browser says by itself about a connection that was cut. */
const CONNECTION_FAILED = /^WebSocket connection to '[^']*' failed|ERR_(?:EMPTY_RESPONSE|CONNECTION_\w+)/;

describeWithModel('the captions page', (model) => {
  withChromium((launch) => {
    const afterAllTests = cleanupsAfterAll();
    const afterwards = cleanupsAfterEach();
    let browser: Browser;
    let gateway: TestGateway;
    let rooms = 0;

    beforeAll(async () => {
      gateway = await startTestGateway(model);
      afterAllTests(() => gateway.close());
      browser = await launch();
      afterAllTests(() => browser.close());
    });

    const freshName = (): RoomName => roomName(`room ${(rooms += 1)} & <more>`);
    /** The gateway forgets a room in which nobody is and nothing was said: to be used at once, or when a page is in it. */
    const enter = (name: RoomName): Room => gateway.rooms.enter(name);

    /** A page that must not show any problem until the end of the test, but those that `expected` matches. */
    const newPage = async (options: BrowserContextOptions = {}, expected?: RegExp): Promise<CaptionPage> => {
      const page = await newCaptionPage(browser, options);
      afterwards(async () => {
        await page.page.context().close();
        expect(page.problems.filter((problem) => expected?.test(problem) !== true)).toEqual([]);
      });
      return page;
    };

    const showRoom = async (page: CaptionPage, name: RoomName, url = gateway.url): Promise<CaptionPage> => {
      await page.page.goto(`${url}/?room=${encodeURIComponent(name)}`);
      await expect.poll(() => page.status, PATIENCE).toBe('Live');
      return page;
    };

    const follow = async (room: RoomName): Promise<CaptionClient> => {
      const viewer = connectCaptions({ url: gateway.url, room, changed: () => undefined });
      afterwards(() => viewer.close());
      await viewer.ready;
      return viewer;
    };

    /** Resolves when all have spoken and the last final is out. */
    const playShortMeeting = async (room: RoomName): Promise<void> => {
      const { tracks } = await loadShortMeeting();
      const speakers = tracks.map(({ identity, name }) =>
        connectIngest({
          url: gateway.url,
          room,
          speaker: { identity: participantIdentity(identity), name },
        }),
      );
      afterwards(() => speakers.forEach((speaker) => speaker.close()));
      await Promise.all(speakers.map(({ ready }) => ready));
      const played = tracks.map(({ pcm }, index) => ({
        pcm,
        send: (frame: Int16Array) => speakers[index]?.send(frame),
      }));
      await playPaced(played, { startAtMs: performance.now(), speed: SPEED });
      await Promise.all(speakers.map((speaker) => speaker.end()));
    };

    const finalsOf = ({ state }: CaptionClient): ShownSegment[] =>
      state.finals.map(({ speaker, words }) => ({
        name: speaker.name,
        text: words.map(({ text }) => text).join(' '),
      }));

    const caughtUp = (viewer: CaptionClient, room: Room): Promise<void> =>
      waitUntil(() => (viewer.state.seq === room.state.seq ? undefined : 'the viewer lags'));

    it('shows words while they are spoken, and every final once with its speaker', async () => {
      const name = freshName();
      const page = await showRoom(await newPage(), name);
      const room = enter(name);
      expect(await page.page.locator('#hint').innerText()).toBe('Nobody has spoken yet.');
      const viewer = await follow(room.name);
      const meeting = playShortMeeting(room.name);
      const unsettled = page.page.locator('#open .unsettled:not(:empty)').first();
      await unsettled.waitFor();
      expect(await unsettled.evaluate((element) => getComputedStyle(element).textDecorationStyle)).toBe(
        'dotted',
      );
      await meeting;
      await caughtUp(viewer, room);
      const finals = finalsOf(viewer);
      expect(new Set(finals.map(({ name }) => name))).toEqual(
        new Set(['Claire Martin', 'Paul Bernard', 'David Keller']),
      );
      await expect.poll(() => page.settled, PATIENCE).toEqual(finals);
      expect(await page.open).toEqual([]);
      const everything = await page.page.locator('body').innerText();
      for (const { text } of finals) expect(everything.split(text)).toHaveLength(2);
      const colours = await page.page
        .locator('#settled .name')
        .evaluateAll((names) => names.map((name) => `${name.textContent} ${getComputedStyle(name).color}`));
      expect(new Set(colours).size).toBe(3);
      expect(new Set(colours.map((colour) => colour.replace(/^.*rgb/, ''))).size).toBe(3);
    });

    it('says that its connection is lost, and shows the same as all when it is back', async () => {
      const proxy = await startCuttableProxy(gateway.url);
      afterwards(() => proxy.close());
      const name = freshName();
      const page = await showRoom(await newPage({}, CONNECTION_FAILED), name, proxy.url);
      const room = enter(name);
      const viewer = await follow(room.name);
      const meeting = playShortMeeting(room.name);
      await page.page.locator('#settled .segment').first().waitFor();
      proxy.cut();
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe('No connection: captions have stopped. Trying again…');
      await meeting;
      await caughtUp(viewer, room);
      expect(await page.settled).not.toEqual(finalsOf(viewer));
      proxy.restore();
      await expect.poll(() => page.settled, PATIENCE).toEqual(finalsOf(viewer));
      expect(await page.open).toEqual([]);
      expect(await page.status).toBe('Live');
    });

    it('shows a hostile name as text', async () => {
      const name = freshName();
      const page = await showRoom(await newPage({ viewport: { width: 320, height: 600 } }), name);
      const room = enter(name);
      const hostile = `<img src=x onerror="document.title='owned'">\u202egnihtemos\u2067`.padEnd(200, 'W');
      const { identity, pcm } = await longestTrack();
      const speaker = connectIngest({
        url: gateway.url,
        room: room.name,
        speaker: { identity: participantIdentity(identity), name: hostile },
      });
      afterwards(() => speaker.close());
      speaker.send(pcm);
      await speaker.end();
      say(room, { speaker: person('Ana'), segment: 'html', text: '<b>bold</b> &amp; \u202eback' });
      await expect
        .poll(async () => (await page.settled).at(-1), PATIENCE)
        .toEqual({ name: 'Ana', text: '<b>bold</b> &amp; \u202eback' });
      expect((await page.settled)[0]?.name).toBe(hostile);
      const captions = page.page.locator('#captions');
      expect(await captions.locator('img, b').count()).toBe(0);
      expect(await page.page.title()).toBe(`${room.name} – live captions`);
      const named = await captions.locator('.name').first().boundingBox();
      expect(named?.height).toBeLessThan(100);
      // Nothing sticks out to the right.
      const widths = await page.page.evaluate(() => [
        document.documentElement.scrollWidth,
        window.innerWidth,
      ]);
      expect(widths[0]).toBeLessThanOrEqual(widths[1] ?? 0);
    });

    it('tells in words how captions are doing and what was not captioned', async () => {
      const name = freshName();
      const page = await showRoom(await newPage(), name);
      const room = enter(name);
      room.publishStatus('unavailable', 'Recognition is being restarted.');
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe('Captions unavailable: Recognition is being restarted.');
      const gap = {
        speaker: person('Ana'),
        startMs: epochMs(room.epochMs + 1000),
        reason: 'overloaded',
      } as const;
      room.publishGap({ ...gap, endMs: epochMs(room.epochMs + 5000) });
      room.publishStatus('live', '');
      await expect.poll(() => page.status, PATIENCE).toBe('Live');
      const gaps = await page.page.locator('#settled .gap').allInnerTexts();
      expect(gaps).toEqual(['Ana not captioned: 4 s (recognition could not keep up)']);
    });

    it('gives screen readers settled segments only', async () => {
      const room = enter(freshName());
      say(room, { speaker: person('Ana'), segment: 'said', text: 'This is settled.' });
      say(room, { speaker: person('Ben'), segment: 'open', text: 'this may', stable: 1, isFinal: false });
      const page = await showRoom(await newPage(), room.name);
      await expect.poll(() => page.open).toEqual([{ name: 'Ben', text: 'this may' }]);
      const session = await page.page.context().newCDPSession(page.page);
      const { nodes } = await session.send('Accessibility.getFullAXTree');
      const log = nodes.find(({ role }) => role?.value === 'log');
      const live = log?.properties?.find(({ name }) => name === 'live');
      expect(live?.value.value).toBe('polite');
      const texts = nodes
        .filter(({ role }) => role?.value === 'StaticText')
        .map(({ name }) => String(name?.value));
      expect(texts).toContain('This is settled.');
      expect(texts.join(' ')).not.toMatch(/this may|Ben/);
    });

    it('leaves words where they are when they settle', async () => {
      const name = freshName();
      const page = await showRoom(await newPage(), name);
      const room = enter(name);
      const places = () =>
        page.page.locator('.segment .text').evaluateAll((texts) =>
          texts
            .map((text) => {
              const range = document.createRange();
              range.selectNodeContents(text);
              const { x, y, width, height } = range.getBoundingClientRect();
              return { text: text.textContent.trim(), x, y, width, height };
            })
            .sort((a, b) => a.y - b.y),
        );
      const ana = { speaker: person('Ana'), segment: 'a', text: 'she began first and goes on', stable: 1 };
      const ben = { speaker: person('Ben'), segment: 'b', text: 'he ends first', stable: 0, atMs: 500 };
      say(room, { ...ana, isFinal: false });
      say(room, { ...ben, isFinal: false });
      await expect.poll(() => page.open, PATIENCE).toHaveLength(2);
      const before = await places();
      expect(before.map(({ text }) => text)).toEqual([ana.text, ben.text]);
      say(room, { ...ben, stable: 3 });
      await expect.poll(() => page.settled, PATIENCE).toHaveLength(1);
      expect(await places()).toEqual(before);
      say(room, { ...ana, stable: 6 });
      await expect.poll(() => page.settled, PATIENCE).toHaveLength(2);
      expect(await places()).toEqual(before);
    });

    it('follows the newest line until the reader scrolls up, and keeps a bounded number of lines', async () => {
      const name = freshName();
      const page = await showRoom(await newPage(), name);
      const room = enter(name);
      let said = 0;
      const sayMore = async (count: number): Promise<void> => {
        for (const last = said + count; said < last; said++) {
          const text = `sentence number ${said} of a long meeting.`;
          say(room, { speaker: person(`Speaker ${said % 3}`), segment: `s${said}`, text, atMs: said * 1000 });
          // No more than a gateway would say, so that nothing is left to a snapshot.
          if (said % 20 === 19) await shown(said);
        }
        await shown(said - 1);
      };
      const shown = (number: number): Promise<void> =>
        expect.poll(async () => (await page.settled).at(-1)?.text, PATIENCE).toContain(`number ${number} `);
      const jump = page.page.locator('#jump');

      await sayMore(230);
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      expect(await jump.isVisible()).toBe(false);
      const settled = await page.settled;
      expect(settled).toHaveLength(200);
      expect(settled[0]?.text).toContain('number 30 ');

      await page.page.keyboard.press('PageUp');
      await jump.waitFor();
      const read = page.page.locator('.segment', { hasText: 'number 223 ' });
      await expect.poll(async () => (await read.boundingBox()) !== null).toBe(true);
      const restingY = await settledValue(async () => (await read.boundingBox())?.y);
      // Lines come at the end and go at the top: what is being read stays where it is.
      await sayMore(30);
      expect(await settledValue(async () => (await read.boundingBox())?.y)).toBeCloseTo(restingY ?? NaN, 0);
      expect(await page.toEndPx).toBeGreaterThan(500);

      await page.page.keyboard.press('Tab');
      expect(await jump.evaluate((button) => button === document.activeElement)).toBe(true);
      await page.page.keyboard.press('Enter');
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      expect(await jump.isVisible()).toBe(false);
      await sayMore(10);
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
    });

    it('asks for what it missed', async () => {
      const name = freshName();
      const page = await newPage();
      let messages = 0;
      let resyncs = 0;
      await page.page.routeWebSocket(/\/v1\/captions/, (socket) => {
        const server = socket.connectToServer();
        server.onMessage((message) => {
          // The snapshot, and then every second message, arrive.
          if (resyncs > 0 || (messages += 1) % 2 === 1) socket.send(message);
        });
        socket.onMessage((message) => {
          resyncs += 1;
          server.send(message);
        });
      });
      await showRoom(page, name);
      const room = enter(name);
      for (const text of ['one', 'two', 'three']) say(room, { speaker: person('Ana'), segment: text, text });
      await expect
        .poll(async () => (await page.settled).map(({ text }) => text), PATIENCE)
        .toEqual(['one', 'two', 'three']);
      expect(resyncs).toBe(1);
    });

    it('keeps what was said when captioning begins anew, and says what may be missing', async () => {
      const page = await newPage();
      const name = roomName('council');
      const before = new Room(name, 1_700_000_000_000);
      say(before, { speaker: person('Ana'), segment: 'before', text: 'said before' });
      say(before, { speaker: person('Ana'), segment: 'cut', text: 'cut off', isFinal: false });
      const after = new Room(name, 1_700_000_060_000);
      say(after, { speaker: person('Ana'), segment: 'after', text: 'said after' });
      // Much later: more was said than a snapshot holds.
      const later = new Room(name, 1_700_000_060_000);
      for (let index = 0; index < 60; index++) {
        say(later, {
          speaker: person('Ana'),
          segment: `later-${index}`,
          text: `later ${index}`,
          atMs: index * 1000,
        });
      }
      const runs = [before, after, later];
      await page.page.routeWebSocket(/\/v1\/captions/, async (socket) => {
        const run = runs.shift();
        for (const part of run?.snapshot() ?? []) socket.send(Buffer.from(part).toString());
        if (runs.length > 0) {
          await page.page
            .locator('.segment', { hasText: run === before ? 'cut off' : 'said after' })
            .waitFor();
          await socket.close({ code: 1001, reason: 'shutting_down: connect again' });
        }
      });
      await page.page.goto(`${gateway.url}/?room=council`);
      await page.page.locator('.segment', { hasText: 'later 59' }).waitFor();
      const lines = await page.page.locator('#settled .text, #settled .notice').allInnerTexts();
      expect(lines.slice(0, 5)).toEqual([
        'said before',
        'Captioning was restarted; something may be missing here.',
        'said after',
        'Something is missing here: the connection was lost for too long.',
        'later 10',
      ]);
      expect(lines).toHaveLength(54);
      expect(await page.open).toEqual([]);
    });

    it('gives up on a gateway that it cannot read', async () => {
      const page = await newPage();
      let connections = 0;
      await page.page.routeWebSocket(/\/v1\/captions/, (socket) => {
        connections += 1;
        const [snapshot] = snapshotMessages(startEpoch(roomName('council'), epochMs(1)));
        const text = snapshot === undefined ? '' : Buffer.from(encodeMessage(snapshot)).toString();
        socket.send(text.replace('"v":1', '"v":2'));
      });
      await page.page.goto(`${gateway.url}/?room=council`);
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe('Captions unavailable: this page cannot read what the gateway sends. Load the page again.');
      expect(connections).toBe(1);
    });

    it('asks for the room where none is named, and keeps the token', async () => {
      const name = freshName();
      const page = await newPage();
      await page.page.goto(`${gateway.url}/#token=some.access.token`);
      expect(await page.page.locator('#captions').isVisible()).toBe(false);
      await page.page.getByLabel('Which room?').fill(name);
      await page.page.keyboard.press('Enter');
      await expect.poll(() => page.status, PATIENCE).toBe('Live');
      const address = new URL(page.page.url());
      expect(address.searchParams.get('room')).toBe(name);
      expect(address.hash).toBe('#token=some.access.token');
      expect(await page.page.locator('h1').innerText()).toBe(name);
    });

    it('passes the token on, and says why it may not see captions', async () => {
      const guarded = await startTestGateway(model, { settings: TEST_KEYS });
      afterwards(() => guarded.close());
      const page = await newPage();
      const statusWith = async (fragment: string): Promise<string> => {
        await page.page.goto('about:blank');
        await page.page.goto(`${guarded.url}/?room=council${fragment}`);
        await expect.poll(() => page.status, PATIENCE).not.toMatch(/^$|Connecting/);
        return page.status;
      };
      expect(await statusWith('')).toMatch(/^Captions unavailable: an access token is needed/);
      expect(await statusWith('#token=not-one')).toBe(
        'Captions unavailable: The access token is not valid here.',
      );
      expect(await statusWith('#token=not, one')).toMatch(
        /^Captions unavailable: the access token .* not well-formed/,
      );
      const elsewhere = await accessToken({ video: { room: 'other', roomJoin: true } });
      expect(await statusWith(`#token=${elsewhere}`)).toMatch(/does not allow to see captions in this room/);
      expect(await statusWith(`#token=${await accessToken()}`)).toBe('Live');
    });

    describe.each(['light', 'dark'] as const)('in a %s colour scheme', (colorScheme) => {
      it('has enough contrast', async () => {
        const room = enter(freshName());
        const page = await newPage({ colorScheme });
        for (let index = 0; index < SPEAKER_COLOURS; index++) {
          const text = 'some words settled and some not';
          say(room, { speaker: person(`P${index}`), segment: `s${index}`, text, stable: 3, isFinal: false });
        }
        await showRoom(page, room.name);
        await expect.poll(() => page.open, PATIENCE).toHaveLength(SPEAKER_COLOURS);
        const colours = await page.page
          .locator('#status, .segment .name, .segment time, .segment .text, .segment .unsettled')
          .evaluateAll((elements) => elements.map((element) => getComputedStyle(element).color));
        const background = await page.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        expect(luminance(background) > 0.5).toBe(colorScheme === 'light');
        expect(colours).toHaveLength(1 + 4 * SPEAKER_COLOURS);
        for (const colour of colours) expect(contrast(colour, background)).toBeGreaterThanOrEqual(4.5);
      });
    });
  });
});

/** What `read` gives once it gives the same twice: scrolling takes a few frames. */
async function settledValue<T>(read: () => Promise<T>): Promise<T> {
  let last = await read();
  await expect
    .poll(async () => {
      const before = last;
      last = await read();
      return before === last;
    }, PATIENCE)
    .toBe(true);
  return last;
}

/** Relative luminance as in WCAG 2.2, of `rgb(r, g, b)`. */
function luminance(colour: string): number {
  const [red = NaN, green = NaN, blue = NaN] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast ratio as in WCAG 2.2, from 1 to 21. */
function contrast(one: string, other: string): number {
  const [dark = NaN, light = NaN] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
