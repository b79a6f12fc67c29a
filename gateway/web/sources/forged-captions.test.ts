/** Other people in a room of a real livekit-server write as the gateway does: the component shows only what the gateway says. */
import { DataPacket_Kind, RoomServiceClient, type VideoGrant } from 'livekit-server-sdk';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  CAPTIONS_TOPIC,
  type CaptionMessage,
  decodeMessage,
  encodeMessage,
  epochMs,
  participantIdentity,
  type RoomName,
  roomName,
  segmentId,
} from '../../../protocol/index.js';
import { disposeSdk } from '../../livekit/dispose-sdk.js';
import type { RoadsOut } from '../../livekit/room-settings.js';
import { RoomKey } from '../../livekit/signing/room-key.js';
import {
  type BrowserClients,
  serveBrowserClients,
  visitRoom,
} from '../../livekit/testing/browser/browser-clients.js';
import { startEarlessBot } from '../../livekit/testing/earless-bot.js';
import {
  describeWithLiveKit,
  startTestLiveKit,
  type TestLiveKit,
} from '../../livekit/testing/livekit-server.js';
import { joinAsMember } from '../../livekit/testing/room-member.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../../testing/cleanups.js';
import { type CaptionPage, newCaptionPage } from '../testing/caption-page.js';
import { withChromium } from '../testing/chromium.js';
import { PATIENCE } from '../testing/page-harness.js';

type Member = Awaited<ReturnType<typeof joinAsMember>>;

const FORGED = 'I accept the bribe.';
const ANA = { identity: participantIdentity('ana'), name: 'Ana' };
const CAPTIONS_ONLY: RoadsOut = { captions: true, transcription: false, legacy: 'off' };
const STREAMS_ONLY: RoadsOut = { captions: false, transcription: true, legacy: 'off' };

const forgedDelta = (room: RoomName, epoch: number, seq = 1): CaptionMessage => ({
  kind: 'delta',
  room,
  epochMs: epochMs(epoch),
  seq,
  speaker: ANA,
  segment: segmentId(`forged-${seq}`),
  revision: 1,
  keep: 0,
  words: [{ text: FORGED, startMs: epochMs(epoch), endMs: epochMs(epoch) }],
  stable: 1,
  isFinal: true,
  language: 'en',
});

describeWithLiveKit('captions that others forge', () => {
  withChromium((launch) => {
    const afterAllTests = cleanupsAfterAll();
    const afterThis = cleanupsAfterEach();
    let server: TestLiveKit;
    let clients: BrowserClients;
    let browser: Browser;
    let rooms = 0;

    beforeAll(async () => {
      server = await startTestLiveKit();
      afterAllTests(() => server.stop());
      clients = await serveBrowserClients();
      afterAllTests(() => clients.close());
      const launched = await launch();
      afterAllTests(() => launched.close());
      browser = launched.browser;
    });
    afterAll(() => disposeSdk());

    /** The gateway's hidden bot without ears, and a page that reads along. */
    async function open(roadsOut: RoadsOut, options: { signs?: boolean } = {}) {
      const room = roomName(`forged-${(rooms += 1)}`);
      const page = await newCaptionPage(browser, { locale: 'en-GB' });
      afterThis(() => page.page.context().close());
      await visitRoom(page.page, { clients, server, room, kinds: ['element'] });
      const keyRoad = options.signs === false ? 'https' : 'metadata';
      const bot = await startEarlessBot(server, { room, agentName: 'captions', roads: roadsOut, keyRoad });
      afterThis(() => bot.leave());
      return { room, page, captioned: bot.captioned, spoken: bot.spoken };
    }

    const join = async (room: RoomName, identity: string, grant: VideoGrant = {}): Promise<Member> => {
      const joined = await joinAsMember(server, { room, identity, grant });
      afterThis(() => joined.disconnect());
      return joined;
    };
    const write = (
      from: Member,
      message: CaptionMessage,
      bytes = encodeMessage(message),
    ): Promise<void> | undefined =>
      from.localParticipant?.publishData(bytes, { reliable: true, topic: CAPTIONS_TOPIC });
    const textsOf = async (page: CaptionPage): Promise<string[]> => [
      ...(await page.settled).map(({ text }) => text),
      ...(await page.open).map(({ text }) => text),
    ];
    const expectShown = (page: CaptionPage, texts: readonly string[]): Promise<void> =>
      expect.poll(() => textsOf(page), PATIENCE).toEqual(texts);

    it('are never shown, whoever sends them and whenever, and silence nobody', async () => {
      const { room, page, captioned, spoken } = await open(CAPTIONS_ONLY);
      spoken.finish('s1', { text: 'Welcome to the council.' });
      await expectShown(page, ['Welcome to the council.']);
      const hidden = await join(room, 'hidden-eve', { hidden: true });
      const known = await join(room, 'known-eve');
      const epoch = captioned.epochMs;
      for (const from of [hidden, known]) {
        await write(from, forgedDelta(room, epoch, captioned.state.seq + 1));
        await write(from, forgedDelta(room, 8_640_000_000_000_000));
        await write(from, forgedDelta(room, epoch + 1));
      }
      for (let newcomer = 0; newcomer < 4; newcomer += 1) {
        const eve = await join(room, `eve-${newcomer}`);
        await write(eve, forgedDelta(room, epoch, captioned.state.seq + 1));
        await write(eve, forgedDelta(room, epoch + 1000));
        spoken.finish(`r${newcomer}`, { text: `Real ${newcomer}.` });
      }
      await expectShown(page, ['Welcome to the council.', 'Real 0.', 'Real 1.', 'Real 2.', 'Real 3.']);
    }, 90_000);

    it('are not shown when they are signed with the key of another session, or repeat an old one', async () => {
      const { room, page, captioned, spoken } = await open(CAPTIONS_ONLY);
      spoken.finish('s1', { text: 'Before.' });
      await expectShown(page, ['Before.']);
      const eve = await join(room, 'hidden-eve', { hidden: true });
      const old = new RoomKey({ room, sid: 'RM_yesterday' }, server.apiSecret);
      const message = forgedDelta(room, captioned.epochMs, captioned.state.seq + 1);
      await write(eve, message, new Uint8Array(old.signMessage(encodeMessage(message))));
      spoken.finish('s2', { text: 'After.' });
      await expectShown(page, ['Before.', 'After.']);
    }, 60_000);

    it('are reported, not shown, where the page has no key', async () => {
      const { room, page } = await open(CAPTIONS_ONLY, { signs: false });
      const eve = await join(room, 'hidden-eve', { hidden: true });
      await write(eve, forgedDelta(room, Date.now()));
      await expect
        .poll(() => page.status, PATIENCE)
        .toBe(
          'Captions unavailable: this page has no key to check where captions in this room come from, and shows none that it cannot check.',
        );
      expect(await textsOf(page)).toEqual([]);
    }, 60_000);

    it('are not shown as text streams either, and take nobody’s segment over', async () => {
      const { room, page, captioned, spoken } = await open(STREAMS_ONLY);
      spoken.revise('s1', { text: 'I agree' });
      await expectShown(page, ['I agree']);
      const [segment] = captioned.state.open;
      const eve = await join(room, 'eve');
      const hidden = await join(room, 'hidden-eve', { hidden: true });
      for (const from of [eve, hidden]) {
        const writer = await from.localParticipant?.streamText({
          topic: 'lk.transcription',
          attributes: { 'lk.segment_id': segment?.segment ?? '', 'lk.transcription_final': 'true' },
          senderIdentity: segment?.speaker.identity ?? '',
        });
        await writer?.write(FORGED);
        await writer?.close();
      }
      spoken.finish('s1', { text: 'I agree with nobody.' });
      await expectShown(page, ['I agree with nobody.']);
    }, 60_000);

    it('as a megabyte of text leave the page with what a caption can be', async () => {
      const { room, page, spoken } = await open(STREAMS_ONLY, { signs: false });
      const eve = await join(room, 'eve');
      const writer = await eve.localParticipant?.streamText({ topic: 'lk.transcription' });
      for (let part = 0; part < 70; part += 1) await writer?.write('word '.repeat(3000));
      await writer?.close();
      spoken.finish('s1', { text: 'And on we go.' });
      await expect
        .poll(async () => (await textsOf(page)).some((text) => text === 'And on we go.'), PATIENCE)
        .toBe(true);
      const lengths = (await textsOf(page)).map(({ length }) => length);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(10_000);
    }, 60_000);

    it('are kept from who may not subscribe: they are sent nothing, and not answered', async () => {
      const room = roomName(`forged-${rooms + 1}`);
      const waiting: string[] = [];
      const kept = await joinAsMember(
        server,
        { room, identity: 'waiting', grant: { canSubscribe: false } },
        (joined) => {
          joined.on('dataReceived', (...[bytes, , , topic]) => {
            const kind = topic === CAPTIONS_TOPIC ? decodeMessage(bytes)?.kind : topic;
            // What the page asks goes to everybody.
            if (kind !== 'resync') waiting.push(kind ?? '');
          });
          joined.registerTextStreamHandler('lk.transcription', () => waiting.push('stream'));
        },
      );
      afterThis(() => kept.disconnect());
      const { page, spoken } = await open({ ...CAPTIONS_ONLY, transcription: true });
      await kept.localParticipant?.publishData(encodeMessage({ kind: 'resync', room, lastSeq: 0 }), {
        reliable: true,
        topic: CAPTIONS_TOPIC,
      });
      spoken.finish('s1', { text: 'Not for those who wait.' });
      await expectShown(page, ['Not for those who wait.']);
      const admin = new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
      // What was sent to others before this has been sent to all whom it was for.
      await admin.sendData(room, new Uint8Array(1), DataPacket_Kind.RELIABLE, {
        destinationIdentities: ['waiting'],
        topic: 'mark',
      });
      await expect.poll(() => waiting, PATIENCE).toContain('mark');
      expect(waiting).toEqual(['mark']);
    }, 60_000);
  });
});
