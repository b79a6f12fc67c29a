/** What people see and say in browsers, in a real LiveKit room: applications of several kinds in a real Chromium. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { normaliseWords } from '../../asr/index.js';
import { participantIdentity, roomName, type RoomName } from '../../protocol/index.js';
import type { SpeakerTrack } from '../meeting/meeting.js';
import { playPaced } from '../meeting/paced-playback.js';
import { withChromium } from '../web/testing/chromium.js';
import type { Room } from '../rooms/room.js';
import { wallClockMs } from '../clock.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { loadShortMeeting } from '../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { createDispatch } from './participant/create-dispatch.js';
import { joinAsPublisher } from './participant/publishing-participant.js';
import { joinAsViewer, type ViewingParticipant } from './participant/viewing-participant.js';
import {
  type BrowserClients,
  captionedWords,
  finalWords,
  serveBrowserClients,
  visitRoom,
  wordsOn,
} from './testing/browser/browser-clients.js';
import type { ClientKind } from './testing/browser/visit.js';
import { describeWithModelAndLiveKit, startTestLiveKit, type TestLiveKit } from './testing/livekit-server.js';
import { disposeSdk } from './dispose-sdk.js';

const AGENT = 'multi-user-transcriber';
/** Roads that show what was said before one came; the legacy one cannot. */
const READERS_OF_HISTORY = ['captions', 'transcriptions'] as const satisfies readonly ClientKind[];
const READERS = [...READERS_OF_HISTORY, 'meet'] as const satisfies readonly ClientKind[];
/** For `expect.poll`: longer than anything should take on a slow machine. */
const PATIENCE = { timeout: 30_000, interval: 100 };
const TEST_TIMEOUT_MS = 180_000;

/** What Chromium's fake microphone hears, again and again from the moment it is opened. */
const CLIP = fileURLToPath(new URL('../../fixtures/speech/demo-01-claire.wav', import.meta.url));
const CLIP_TEXT =
  'Good morning everyone. Thank you all for coming. Today we want to bring live captions to the big meeting room.';
const FAKE_MICROPHONE = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  `--use-file-for-fake-audio-capture=${CLIP}`,
];

describeWithModelAndLiveKit('browsers in a room of LiveKit', (model) => {
  withChromium((launch) => {
    const afterAllTests = cleanupsAfterAll();
    const afterThis = cleanupsAfterEach();
    let server: TestLiveKit;
    let clients: BrowserClients;
    let browser: Browser;

    beforeAll(async () => {
      server = await startTestLiveKit();
      afterAllTests(() => server.stop());
      clients = await serveBrowserClients();
      afterAllTests(() => clients.close());
      const launched = await launch(FAKE_MICROPHONE);
      afterAllTests(() => launched.close());
      browser = launched.browser;
    });
    afterAll(() => disposeSdk());

    /** A room with a captioner, and somebody who reads along outside of browsers. */
    const openRoom = async (): Promise<{ gateway: TestGateway; room: Room; viewer: ViewingParticipant }> => {
      const gateway = await startTestGateway(model, {
        settings: {
          LIVEKIT_URL: server.url,
          LIVEKIT_API_KEY: server.apiKey,
          LIVEKIT_API_SECRET: server.apiSecret,
        },
      });
      afterThis(() => gateway.close());
      const name = roomName(randomUUID());
      await createDispatch(server, { room: name, agentName: AGENT });
      const viewer = await joinAsViewer({ server, room: name, identity: participantIdentity('viewer') });
      afterThis(() => viewer.leave());
      await viewer.ready;
      return { gateway, room: gateway.rooms.enter(name), viewer };
    };
    const visit = async (room: RoomName, kinds: readonly ClientKind[], prefix = ''): Promise<Page> => {
      const context = await browser.newContext();
      afterThis(() => context.close());
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      afterThis(() => expect(problems).toEqual([]));
      await visitRoom(page, { clients, server, room, kinds, prefix });
      return page;
    };

    it(
      'show the whole meeting, no word missing and none twice, whatever road they read',
      { timeout: TEST_TIMEOUT_MS },
      async () => {
        const { gateway, room, viewer } = await openRoom();
        const page = await visit(room.name, READERS);
        const { tracks } = await loadShortMeeting();
        await sayAll({ server, room, tracks, afterThis });

        const said = finalWords(room.state);
        for (const { identity, spoken } of tracks) {
          const missed = spoken.filter(({ text }) => said[identity]?.includes(text) !== true);
          expect(missed.length / spoken.length, `${identity}: ${String(said[identity])}`).toBeLessThan(0.2);
        }
        await viewer.settled();
        expect(finalWords(viewer.state)).toEqual(said);
        for (const kind of READERS) {
          await expect.poll(() => wordsOn(page, kind), { ...PATIENCE, message: kind }).toEqual(said);
        }
        // Nor does anything come late: what still waited to be told is told before the captioner leaves.
        await gateway.close();
        for (const kind of READERS) expect(await wordsOn(page, kind), kind).toEqual(said);
      },
    );

    it(
      'are heard: what a browser publishes is captioned under its identity',
      { timeout: TEST_TIMEOUT_MS },
      async () => {
        const { viewer } = await openRoom();
        await visit(viewer.state.room, ['speaker']);
        const expected = new Set(normaliseWords(CLIP_TEXT));
        await waitUntil(() => {
          const { speaker = [] } = captionedWords(viewer.state);
          const missing = [...expected].filter((word) => !speaker.includes(word));
          return missing.length <= expected.size / 5
            ? undefined
            : `"${missing.join(' ')}" of ${speaker.join(' ')}`;
        }, 60_000);
        expect(Object.keys(captionedWords(viewer.state))).toEqual(['speaker']);
      },
    );
  });
});

/** People come, say what they have to say at its pace, and stay, muted. Resolves when all of it is final. */
async function sayAll(meeting: {
  readonly server: TestLiveKit;
  readonly room: Room;
  readonly tracks: readonly SpeakerTrack[];
  readonly afterThis: (cleanup: () => Promise<void>) => void;
}): Promise<void> {
  const { server, room, tracks, afterThis } = meeting;
  const people = await Promise.all(
    tracks.map(async ({ identity, name }) => {
      const options = { server, room: room.name, identity: participantIdentity(identity), name };
      const person = await joinAsPublisher(options);
      afterThis(() => person.leave());
      return person;
    }),
  );
  const startedAtMs = wallClockMs();
  await playPaced(
    tracks.map(({ pcm }, index) => ({ pcm, send: (frame) => void people[index]?.write(frame) })),
    { startAtMs: performance.now() },
  );
  for (const person of people) {
    expect(person.droppedSamples).toBe(0);
    person.mute();
  }
  await waitUntil(() => {
    const late = tracks.find(({ identity, spoken }) => {
      const last = room.state.finals.findLast(({ speaker }) => speaker.identity === identity);
      return (last?.words.at(-1)?.endMs ?? 0) < startedAtMs + (spoken.at(-1)?.startMs ?? 0);
    });
    if (late !== undefined)
      return `the end of what ${late.identity} said, not ${JSON.stringify(finalWords(room.state))}`;
    return room.state.open.length > 0 ? 'everything to be final' : undefined;
  }, 60_000);
}
