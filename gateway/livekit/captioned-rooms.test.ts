/** Rooms of a real livekit-server, captioned by a real gateway: what people in them see. */
import { RoomEvent } from '@livekit/rtc-node';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { TestGateway } from '../testing/test-gateway.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { waitUntil } from '../testing/wait-until.js';
import { CaptionFollower, segmentsOf } from '../../protocol/index.js';
import {
  finalWordsOf,
  isHeard,
  legacyWordsOf,
  loadVoices,
  MeetingRoom,
  say,
  type Speech,
  startLiveKitGateway,
  streamedWordsOf,
  type Voice,
  wordsOf,
} from './testing/captioned-meeting.js';
import { describeWithModelAndLiveKit, startTestLiveKit, type TestLiveKit } from './testing/livekit-server.js';
import { joinAsMember } from './testing/room-member.js';
import { disposeSdk } from './dispose-sdk.js';

const TIMEOUT_MS = 120_000;
const VOICES = ['claire', 'paul', 'david'] as const;

describeWithModelAndLiveKit('rooms of LiveKit', (model) => {
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;
  let gateway: TestGateway;
  let voices: Readonly<Record<Voice, Speech>>;
  let room: MeetingRoom;
  let rooms = 0;

  beforeAll(async () => {
    voices = await loadVoices();
    server = await startTestLiveKit();
    gateway = await startLiveKitGateway(model, server);
  });
  beforeEach(() => {
    room = newRoom();
  });
  afterAll(async () => {
    await gateway.close();
    await server.stop();
    await disposeSdk();
  });

  function newRoom(): MeetingRoom {
    rooms += 1;
    const made = new MeetingRoom(server, `room-${rooms}`);
    afterThis(() => made.leave());
    return made;
  }

  const admin = (): RoomServiceClient =>
    new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
  const captionerOf = (of = room) => gateway.livekit?.captioners.captionerOf(of.name);
  const isCaptioned = (of = room): Promise<void> =>
    waitUntil(() => (captionerOf(of)?.isConnected === true ? undefined : 'no captioner in the room'));
  const everythingIsFinal = (viewer: { state: { open: readonly unknown[]; finals: readonly unknown[] } }) =>
    waitUntil(() =>
      viewer.state.open.length === 0 && viewer.state.finals.length > 0
        ? undefined
        : 'not everything is final',
    );

  it(
    'two at once, three speakers each: everybody sees who says what, on all three roads',
    async () => {
      const meetings = await Promise.all(
        [room, newRoom()].map(async (meeting) => {
          const viewer = await meeting.viewer('vera');
          const speakers = await Promise.all(VOICES.map((voice) => meeting.speaker(voice)));
          await meeting.dispatch();
          await isCaptioned(meeting);
          return { meeting, viewer, speakers };
        }),
      );
      await waitUntil(() => (gateway.livekit?.speakerCount === 6 ? undefined : 'not all are listened to'));
      const startedAtMs = Date.now();
      await Promise.all(
        meetings.flatMap(({ speakers }) =>
          speakers.map((speaker) => say(speaker, voices[speaker.identity as Voice])),
        ),
      );
      for (const { viewer, speakers } of meetings) {
        for (const { identity, trackSid } of speakers) {
          const said = voices[identity as Voice].words;
          await waitUntil(() =>
            isHeard(finalWordsOf(viewer.state, identity), said)
              ? undefined
              : `${identity} is shown as "${wordsOf(viewer.state, identity).join(' ')}"`,
          );
          const shown = wordsOf(viewer.state, identity);
          await waitUntil(() =>
            legacyWordsOf(viewer, identity).length === shown.length &&
            streamedWordsOf(viewer, identity).length === shown.length &&
            viewer.textStreams.findLast(({ speaker }) => speaker === identity)?.attributes[
              'lk.transcription_final'
            ] === 'true'
              ? undefined
              : 'the other roads lag behind',
          );
          expect(streamedWordsOf(viewer, identity)).toEqual(shown);
          expect(legacyWordsOf(viewer, identity)).toEqual(shown);
          const finals = viewer.state.finals.filter(({ speaker }) => speaker.identity === identity);
          expect(new Set(finals.map((final) => final.trackSid))).toEqual(new Set([trackSid]));
          for (const { words } of finals) {
            expect(words[0]?.startMs).toBeGreaterThan(startedAtMs - 1000);
            expect(words.at(-1)?.endMs).toBeLessThan(Date.now());
          }
          const streams = viewer.textStreams.filter(({ speaker }) => speaker === identity);
          expect(new Set(streams.map(({ attributes }) => attributes['lk.transcribed_track_id']))).toEqual(
            new Set([trackSid]),
          );
          const legacy = viewer.transcriptions.filter(({ speaker }) => speaker === identity);
          expect(new Set(legacy.map((packet) => packet.trackSid))).toEqual(new Set([trackSid]));
        }
        expect(new Set(segmentsOf(viewer.state).map(({ speaker }) => speaker.identity)).size).toBe(3);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'show those who come late what was said, and go on when the last one of several dispatches is answered',
    async () => {
      const claire = await room.speaker('claire');
      // La Suite Meet dispatches on every click of every participant.
      await Promise.all([room.dispatch(), room.dispatch(), room.dispatch()]);
      await isCaptioned();
      const early = await room.viewer('early');
      await say(claire, voices.claire);
      await everythingIsFinal(early);
      const late = await room.viewer('late');
      await late.ready;
      expect(wordsOf(late.state, 'claire')).toEqual(wordsOf(early.state, 'claire'));
      expect(isHeard(wordsOf(late.state, 'claire'), voices.claire.words)).toBe(true);
      await room.dispatch();
      const bots = (await admin().listParticipants(room.name)).filter(({ permission }) => permission?.hidden);
      expect(bots.map(({ identity }) => identity)).toEqual([room.bot]);
    },
    TIMEOUT_MS,
  );

  it(
    'know a speaker again who mutes, unpublishes, publishes anew, leaves and comes back',
    async () => {
      const viewer = await room.viewer('vera');
      const paul = await room.speaker('paul', { name: 'Paul' });
      await room.dispatch();
      await isCaptioned();
      await waitUntil(() => (captionerOf()?.speakerCount === 1 ? undefined : 'paul is not listened to'));
      // Nothing is lost and nothing cut in two: one more final for each sentence, however well it was understood.
      const timesHeard = async (times: number): Promise<void> => {
        await waitUntil(() =>
          viewer.state.open.length === 0 && viewer.state.finals.length >= times
            ? undefined
            : `heard "${wordsOf(viewer.state, 'paul').join(' ')}" and not ${times} times the sentence`,
        );
        expect(new Set(viewer.state.finals.map(({ speaker }) => speaker.identity))).toEqual(
          new Set(['paul']),
        );
      };
      await say(paul, voices.david);
      await timesHeard(1);
      const firstSid = paul.trackSid;

      paul.mute();
      paul.unmute();
      await say(paul, voices.david);
      await timesHeard(2);

      await paul.unpublish();
      await waitUntil(() => (captionerOf()?.speakerCount === 0 ? undefined : 'the track is still there'));
      await paul.publish();
      expect(paul.trackSid).not.toBe(firstSid);
      await waitUntil(() => (captionerOf()?.speakerCount === 1 ? undefined : 'the new track is not there'));
      await say(paul, voices.david);
      await timesHeard(3);
      expect(viewer.state.finals.at(-1)?.trackSid).toBe(paul.trackSid);

      await paul.leave();
      await waitUntil(() => (captionerOf()?.speakerCount === 0 ? undefined : 'paul is still there'));
      const again = await room.speaker('paul', { name: 'Paul Martin' });
      await waitUntil(() =>
        captionerOf()?.speakerCount === 1 ? undefined : 'paul is not listened to again',
      );
      await say(again, voices.david);
      await timesHeard(4);
      expect(viewer.state.finals.at(-1)?.speaker.name).toBe('Paul Martin');
    },
    TIMEOUT_MS,
  );

  it(
    'catch a viewer up that loses every third message',
    async () => {
      const whole = await room.viewer('vera');
      let received = 0;
      let isLosing = true;
      const lossy = await joinAsMember(server, { room: room.name, identity: 'lossy' }, (member) => {
        member.on(RoomEvent.DataReceived, (...[bytes, , , topic]) => {
          if (topic !== 'captions') return;
          received += 1;
          if (!isLosing || received % 3 !== 0) follower.receive(bytes);
        });
      });
      afterThis(() => lossy.disconnect());
      const follower = new CaptionFollower({
        room: room.name,
        changed: () => undefined,
        ask: (bytes) =>
          void lossy.localParticipant
            ?.publishData(bytes, { reliable: true, topic: 'captions' })
            .catch(() => undefined),
      });
      afterThis(() => follower.close('The test is over.'));
      const claire = await room.speaker('claire');
      await room.dispatch();
      await isCaptioned();
      await waitUntil(() => (captionerOf()?.speakerCount === 1 ? undefined : 'claire is not listened to'));
      await say(claire, voices.claire);
      await everythingIsFinal(whole);
      // Whoever loses the last message of all learns of it with the next one.
      isLosing = false;
      await say(claire, voices.david);
      await everythingIsFinal(whole);
      await waitUntil(() => {
        const [shown, expected] = [follower, whole].map(({ state }) => wordsOf(state, 'claire').join(' '));
        return shown === expected && follower.state.open.length === 0
          ? undefined
          : `shown is "${shown ?? ''}"`;
      });
      expect(received).toBeGreaterThan(3);
      expect(follower.resyncs).toBeGreaterThan(0);
      const said = [...voices.claire.words, ...voices.david.words];
      expect(isHeard(wordsOf(follower.state, 'claire'), said)).toBe(true);
    },
    TIMEOUT_MS,
  );

  it(
    'caption people only, and shared screens where it is asked for',
    async () => {
      const viewer = await room.viewer('vera');
      await room.dispatch(JSON.stringify({ captions: { screenShareAudio: true } }));
      const david = await room.speaker('david', { source: 'screen_share_audio' });
      const agent = await joinAsMember(server, { room: room.name, identity: 'other-agent', isAgent: true });
      afterThis(() => agent.disconnect());
      await isCaptioned();
      await waitUntil(() =>
        captionerOf()?.speakerCount === 1 ? undefined : 'the screen is not listened to',
      );
      await say(david, voices.david);
      await everythingIsFinal(viewer);
      expect(isHeard(wordsOf(viewer.state, 'david', 'screen'), voices.david.words)).toBe(true);
      expect(captionerOf()?.speakerCount).toBe(1);
    },
    TIMEOUT_MS,
  );

  it(
    'take a vocabulary from their metadata; of many changes at once the newest comes into force',
    async () => {
      const viewer = await room.viewer('vera');
      await room.dispatch();
      await isCaptioned();
      const david = await room.speaker('david');
      await waitUntil(() => (captionerOf()?.speakerCount === 1 ? undefined : 'nobody is listened to'));
      const [word = ''] = [...voices.david.words].sort((a, b) => b.length - a.length);
      const newest = word.toUpperCase();
      const between = Array.from(word.slice(1), (letter, at) =>
        word.toLowerCase().replace(letter.toLowerCase(), at % 2 === 0 ? letter.toUpperCase() : letter),
      );
      for (const spelling of ['other', ...between, newest]) {
        const metadata = JSON.stringify({ captions: { vocabulary: [spelling] } });
        await admin().updateRoomMetadata(room.name, metadata);
      }
      const shown = (): string[] =>
        viewer.state.finals
          .flatMap(({ words }) => words.map(({ text }) => text.replace(/\W/g, '')))
          .filter((text) => text.toUpperCase() === newest);
      // It holds after 5 s; until then the word is written as any other.
      while (!shown().includes(newest)) {
        await say(david, voices.david);
        await everythingIsFinal(viewer);
      }
      const capitalised = word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
      expect([word.toLowerCase(), capitalised, newest]).toEqual(expect.arrayContaining(shown()));
    },
    TIMEOUT_MS,
  );

  it(
    'say what is wrong in their settings, and use the default',
    async () => {
      const viewer = await room.viewer('vera');
      await room.dispatch(JSON.stringify({ captions: { language: 'fr', histroy: false } }));
      await isCaptioned();
      await waitUntil(() => (viewer.state.state === 'degraded' ? undefined : `status ${viewer.state.state}`));
      expect(viewer.state.reason).toContain('histroy');
      expect(viewer.state.reason).toContain('knows en');
      const david = await room.speaker('david');
      await waitUntil(() => (captionerOf()?.speakerCount === 1 ? undefined : 'nobody is listened to'));
      await say(david, voices.david);
      await everythingIsFinal(viewer);
      expect(viewer.state.finals[0]?.language).toBe('en');
    },
    TIMEOUT_MS,
  );

  it(
    'are left when the last human has left, and when the bot is removed, for good',
    async () => {
      const vera = await room.viewer('vera');
      await room.dispatch();
      await isCaptioned();
      await vera.leave();
      await waitUntil(() => (captionerOf() === undefined ? undefined : 'the bot is still there'));

      const second = newRoom();
      await second.viewer('vera');
      await second.dispatch();
      await isCaptioned(second);
      const ended = captionerOf(second)?.ended;
      await admin().removeParticipant(second.name, second.bot);
      expect(await ended).toEqual({ kind: 'removed' });
    },
    TIMEOUT_MS,
  );

  it(
    'are left to whoever takes over the bot’s identity',
    async () => {
      await room.viewer('vera');
      await room.dispatch();
      await isCaptioned();
      const ended = captionerOf()?.ended;
      const rival = await joinAsMember(server, { room: room.name, identity: room.bot, isAgent: true });
      afterThis(() => rival.disconnect());
      expect(await ended).toEqual({ kind: 'superseded' });
      expect(rival.isConnected).toBe(true);
    },
    TIMEOUT_MS,
  );

  it(
    'that are deleted end the captioner',
    async () => {
      await room.viewer('vera');
      await room.dispatch();
      await isCaptioned();
      const ended = captionerOf()?.ended;
      await admin().deleteRoom(room.name);
      expect(await ended).toEqual({ kind: 'room_closed' });
    },
    TIMEOUT_MS,
  );
});
