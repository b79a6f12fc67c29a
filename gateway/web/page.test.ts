import { expect, it } from 'vitest';
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
import { Room } from '../rooms/room.js';
import { accessToken, TEST_KEYS } from '../testing/access-token.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { longestTrack } from '../testing/short-meeting.js';
import { startTestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import type { ShownSegment } from './testing/caption-page.js';
import { withChromium } from './testing/chromium.js';
import { startCuttableProxy } from './testing/cuttable-proxy.js';
import { pageHarness, PATIENCE } from './testing/page-harness.js';
import { playMeeting } from './testing/play-meeting.js';
import { person, say } from './testing/room-script.js';

/** Faster than people speak, so that the tests do not take as long as they do. */
const SPEED = 3;
/** What a browser says by itself about a connection that was cut. */
const CONNECTION_FAILED = /^WebSocket connection to '[^']*' failed|ERR_(?:EMPTY_RESPONSE|CONNECTION_\w+)/;

describeWithModel('the captions page', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();
    const { gateway, enter, freshName, newPage, showRoom } = pageHarness({ model, launch, afterwards });

    const follow = async (room: RoomName): Promise<CaptionClient> => {
      const viewer = connectCaptions({ url: gateway().url, room, changed: () => undefined });
      afterwards(() => viewer.close());
      await viewer.ready;
      return viewer;
    };

    /** Resolves when all have spoken and the last final is out. */
    const playShortMeeting = (room: RoomName): Promise<void> =>
      playMeeting('short-meeting', { url: gateway().url, room, speed: SPEED, afterwards });

    const finalsOf = ({ state }: CaptionClient): ShownSegment[] =>
      state.finals.map(({ speaker, words }) => ({
        name: speaker.name,
        text: words.map(({ text }) => text).join(' '),
      }));

    /** The page shows segments as they began, a state has them as they ended. */
    const inOrder = (segments: readonly ShownSegment[]): string[] =>
      segments.map(({ name, text }) => `${name}: ${text}`).sort();

    const caughtUp = (viewer: CaptionClient, room: Room): Promise<void> =>
      waitUntil(() => (viewer.state.seq === room.state.seq ? undefined : 'the viewer lags'));

    it('shows words while they are spoken, and every final once with its speaker', async () => {
      const name = freshName();
      const page = await showRoom(await newPage(), name);
      const room = enter(name);
      expect(await page.page.locator('#hint').innerText()).toBe('Nobody has spoken yet.');
      const viewer = await follow(room.name);
      const meeting = playShortMeeting(room.name);
      const unsettled = page.page.locator('.open .unsettled');
      await expect
        .poll(
          () =>
            unsettled.evaluateAll((words) => words.map((word) => getComputedStyle(word).textDecorationStyle)),
          PATIENCE,
        )
        .toContain('dotted');
      await meeting;
      await caughtUp(viewer, room);
      const finals = finalsOf(viewer);
      expect(new Set(finals.map(({ name }) => name))).toEqual(
        new Set(['Claire Martin', 'Paul Bernard', 'David Keller']),
      );
      await expect.poll(async () => inOrder(await page.settled), PATIENCE).toEqual(inOrder(finals));
      expect(await page.open).toEqual([]);
      const everything = (await page.settled).map(({ text }) => text).join('\n');
      for (const { text } of finals) expect(everything.split(text)).toHaveLength(2);
      const colours = await page.page
        .locator('.block .name')
        .evaluateAll((names) => names.map((name) => `${name.textContent} ${getComputedStyle(name).color}`));
      expect(new Set(colours).size).toBe(3);
      expect(new Set(colours.map((colour) => colour.replace(/^.*rgb/, ''))).size).toBe(3);
    });

    it('says that its connection is lost, and shows the same as all when it is back', async () => {
      const proxy = await startCuttableProxy(gateway().url);
      afterwards(() => proxy.close());
      const name = freshName();
      const page = await showRoom(await newPage({}, CONNECTION_FAILED), name, proxy.url);
      const room = enter(name);
      const viewer = await follow(room.name);
      const meeting = playShortMeeting(room.name);
      await page.page.locator('.block[data-segment]:not(.open)').first().waitFor();
      proxy.cut();
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe('No connection: captions have stopped. Trying again…');
      await meeting;
      await caughtUp(viewer, room);
      expect(inOrder(await page.settled)).not.toEqual(inOrder(finalsOf(viewer)));
      proxy.restore();
      await expect.poll(async () => inOrder(await page.settled), PATIENCE).toEqual(inOrder(finalsOf(viewer)));
      expect(await page.open).toEqual([]);
      // At first it says how late the last words came.
      await expect.poll(() => page.status, PATIENCE).toBe('Live');
    });

    it('shows a hostile name as text', async () => {
      const name = freshName();
      const page = await showRoom(await newPage({ viewport: { width: 320, height: 600 } }), name);
      const room = enter(name);
      const hostile = `<img src=x onerror="document.title='owned'">\u202egnihtemos\u2067`.padEnd(200, 'W');
      const { identity, pcm } = await longestTrack();
      const speaker = connectIngest({
        url: gateway().url,
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
      // What turns text around is taken away.
      expect((await page.settled)[0]?.name).toBe(hostile.replaceAll(/[\u202e\u2067]/g, ''));
      const captions = page.page.locator('#log');
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
      room.setStatus('recognition', { state: 'unavailable', reason: 'Recognition is being restarted.' });
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe('Captions unavailable: Recognition is being restarted.');
      const gap = {
        speaker: person('Ana'),
        startMs: epochMs(room.epochMs + 1000),
        reason: 'overloaded',
      } as const;
      room.publishGap({ ...gap, endMs: epochMs(room.epochMs + 5000) });
      room.setStatus('recognition', { state: 'live', reason: '' });
      await expect.poll(() => page.status, PATIENCE).toBe('Live');
      const gaps = await page.page.locator('.gap').allInnerTexts();
      expect(gaps).toEqual(['Ana not captioned: 4 s (recognition could not keep up)']);
    });

    it.each([
      ['en', /^Captions are behind by \d+ s$/, 'Live'],
      ['fr', /^Les sous-titres ont \d+ s de retard$/, 'En direct'],
      ['de', /^Untertitel sind \d+ s im Rückstand$/, 'Live'],
    ])('tells by how much captions are behind: %s', async (lang, behind, live) => {
      const page = await newPage();
      const name = freshName();
      await page.page.goto(`${gateway().url}/?room=${encodeURIComponent(name)}&lang=${lang}`);
      await expect.poll(() => page.status, PATIENCE).toBe(live);
      const room = enter(name);
      let segment = 0;
      const sayLate = (lateMs: number): void => {
        segment += 1;
        const atMs = Date.now() - lateMs - room.epochMs;
        say(room, { speaker: person('Ana'), segment: `s${segment}`, text: 'words', atMs });
      };
      await expect
        .poll(() => {
          sayLate(0);
          sayLate(9000);
          return page.status;
        }, PATIENCE)
        .toMatch(behind);
      await expect
        .poll(() => {
          sayLate(0);
          return page.status;
        }, PATIENCE)
        .toBe(live);
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
        for (const part of run?.snapshotFor(run.historyStart) ?? [])
          socket.send(Buffer.from(part).toString());
        if (runs.length > 0) {
          await page.page.locator('.block', { hasText: run === before ? 'cut off' : 'said after' }).waitFor();
          await socket.close({ code: 1001, reason: 'shutting_down: connect again' });
        }
      });
      await page.page.goto(`${gateway().url}/?room=council`);
      await page.page.locator('.block', { hasText: 'later 59' }).waitFor();
      const lines = await page.page.locator('.block[data-segment] .text, .notice').allInnerTexts();
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
      await page.page.goto(`${gateway().url}/?room=council`);
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe('Captions unavailable: this page cannot read what the gateway sends. Load the page again.');
      expect(connections).toBe(1);
    });

    it('asks for the room where none is named, and keeps the token', async () => {
      const name = freshName();
      const page = await newPage();
      await page.page.goto(`${gateway().url}/#token=some.access.token`);
      expect(await page.page.locator('#log').isVisible()).toBe(false);
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
        'Captions unavailable: The access token is not valid here: it is not a JSON Web Token.',
      );
      expect(await statusWith('#token=not, one')).toMatch(
        /^Captions unavailable: the access token .* not well-formed/,
      );
      const elsewhere = await accessToken({ video: { room: 'other', roomJoin: true } });
      expect(await statusWith(`#token=${elsewhere}`)).toMatch(/does not allow to see captions in this room/);
      expect(await statusWith(`#token=${await accessToken()}`)).toBe('Live');
    });

    it('outlives its token: it waits for a newer one, and keeps what is shown', async () => {
      const guarded = await startTestGateway(model, { settings: TEST_KEYS });
      afterwards(() => guarded.close());
      // What is refused is told in the console by the browser.
      const page = await newPage({}, /WebSocket/);
      const room = guarded.rooms.enter(roomName('council'));
      say(room, { speaker: person('Ana'), segment: 'a', text: 'Before.' });
      const ofCouncil = `${guarded.url}/?room=council&lang=en#token=`;
      // With the minute for clocks that differ it counts for two seconds more.
      await page.page.goto(`${ofCouncil}${await accessToken({ expiresInS: -58 })}`);
      await expect.poll(async () => (await page.settled).length, PATIENCE).toBe(1);
      await page.page.evaluate(() => {
        const counted = window as unknown as { asked: number };
        counted.asked = 0;
        document.addEventListener('tokenexpiring', () => (counted.asked += 1));
      });
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe(
          'Captions unavailable: your access to these captions has expired. They resume as soon as it is renewed.',
        );
      expect(await page.page.evaluate(() => (window as unknown as { asked: number }).asked)).toBeGreaterThan(
        0,
      );
      expect(await page.settled).toEqual([{ name: 'Ana', text: 'Before.' }]);
      say(room, { speaker: person('Ana'), segment: 'b', text: 'Meanwhile.' });
      // As an application does that shows the page in a frame.
      await page.page.evaluate((token) => (location.hash = `token=${token}`), await accessToken());
      await expect.poll(() => page.status, PATIENCE).toBe('Live');
      await expect
        .poll(() => page.settled, PATIENCE)
        .toEqual([
          { name: 'Ana', text: 'Before.' },
          { name: 'Ana', text: 'Meanwhile.' },
        ]);
    });

    it('hands a newer token over on the connection that it has', async () => {
      const guarded = await startTestGateway(model, { settings: TEST_KEYS });
      afterwards(() => guarded.close());
      const page = await newPage();
      const sockets: string[] = [];
      const frames: string[] = [];
      page.page.on('websocket', (socket) => {
        sockets.push(socket.url());
        socket.on('framereceived', ({ payload }) => frames.push(String(payload)));
      });
      await page.page.goto(`${guarded.url}/?room=council#token=${await accessToken()}`);
      await expect.poll(() => page.status, PATIENCE).toBe('Live');
      await page.page.evaluate(
        (token) => {
          (document.querySelector('live-captions') as HTMLElement & { token: string }).token = token;
        },
        await accessToken({ expiresInS: 1200 }),
      );
      await expect
        .poll(() => frames.filter((frame) => frame.includes('"kind":"access"')).length, PATIENCE)
        .toBe(2);
      expect(frames.at(-1)).not.toContain('refusal');
      expect(sockets).toHaveLength(1);
    });
  });
});
