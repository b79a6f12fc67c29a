/** A person who writes captions, in a room of a real livekit-server: what viewers get on each of the three roads. */
import { dispose } from '@livekit/rtc-node';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { segmentsOf } from '../../protocol/index.js';
import { accessToken } from '../testing/access-token.js';
import { captionerHello, CaptionerPeer } from '../testing/captioner-peer.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import type { TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import type { ViewingParticipant } from './participant/viewing-participant.js';
import {
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

const TIMEOUT_MS = 120_000;

describeWithModelAndLiveKit('a person who writes captions in a room of LiveKit', (model) => {
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;
  let gateway: TestGateway;
  let voices: Readonly<Record<Voice, Speech>>;
  let room: MeetingRoom;
  let viewer: ViewingParticipant;
  let rooms = 0;

  beforeAll(async () => {
    voices = await loadVoices();
    server = await startTestLiveKit();
    gateway = await startLiveKitGateway(model, server);
  });
  beforeEach(async () => {
    rooms += 1;
    room = new MeetingRoom(server, `written-${rooms}`);
    afterThis(() => room.leave());
    viewer = await room.viewer('vera');
    await room.dispatch();
    await waitUntil(() => (captioner()?.isConnected === true ? undefined : 'no captioner in the room'));
  });
  afterAll(async () => {
    await gateway.close();
    await server.stop();
    await dispose();
  });

  const captioner = () => gateway.livekit?.captioners.captionerOf(room.name);

  /** Carol, with a token of the LiveKit server, as the application makes it. */
  async function carolWrites(changes: Record<string, unknown> = {}): Promise<CaptionerPeer> {
    const token = await accessToken({
      identity: 'carol',
      name: 'Carol',
      issuer: server.apiKey,
      secret: server.apiSecret,
      video: { room: room.name, roomJoin: true },
      isCaptioner: true,
    });
    const carol = await new CaptionerPeer(gateway.url, { room: room.name, token }).opened();
    afterThis(() => carol.socket.terminate());
    carol.send(captionerHello({ correctableLines: 1, settleAfterMs: 120_000, ...changes }));
    await carol.received('welcome');
    return carol;
  }

  const isSame = (shown: readonly string[], expected: string): string | undefined =>
    shown.join(' ') === expected ? undefined : `shown is "${shown.join(' ')}", not "${expected}"`;

  it(
    'is read as a speaker while still writing, and corrected, by the contract and by text streams',
    async () => {
      const carol = await carolWrites();
      carol.line(1, 'Good mourning');
      await waitUntil(() => isSame(wordsOf(viewer.state, 'carol'), 'good mourning'));
      await waitUntil(() => isSame(streamedWordsOf(viewer, 'carol'), 'good mourning'));
      expect(viewer.state.finals).toEqual([]);
      expect(viewer.textStreams.at(-1)?.attributes['lk.transcription_final']).toBe('false');
      carol.line(1, 'Good morning, everybody.', { isCommitted: true });
      carol.send({ kind: 'settle', line: 1 });
      await carol.received('settled');
      await waitUntil(() => (viewer.state.finals.length === 1 ? undefined : 'the line is not final'));
      await waitUntil(() =>
        viewer.textStreams.at(-1)?.attributes['lk.transcription_final'] === 'true'
          ? undefined
          : 'the stream is not final',
      );
      expect(viewer.state.finals[0]?.speaker).toEqual({ identity: 'carol', name: 'Carol' });
      expect(wordsOf(viewer.state, 'carol')).toEqual(['good', 'morning', 'everybody']);
      expect(viewer.textStreams.at(-1)).toMatchObject({ speaker: 'carol', text: 'Good morning, everybody.' });
      expect(streamedWordsOf(viewer, 'carol')).toEqual(['good', 'morning', 'everybody']);
      // Legacy packets need a track, and she has none.
      expect(viewer.transcriptions).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'stands in for a speaker on all three roads, under the speaker’s name and track, until they leave',
    async () => {
      const claire = await room.speaker('claire', { name: 'Claire' });
      await waitUntil(() => (captioner()?.speakerCount === 1 ? undefined : 'claire is not listened to'));
      const carol = await carolWrites({ replaces: ['claire'] });
      await carol.received('speakers', ({ speakers }) => speakers[0]?.isReplaced === true);
      await say(claire, voices.claire);
      carol.line(1, 'Written by hand.', { as: 'claire', isCommitted: true });
      carol.send({ kind: 'settle', line: 1 });
      const written = 'written by hand';
      await waitUntil(() => isSame(wordsOf(viewer.state, 'claire'), written));
      await waitUntil(() => isSame(streamedWordsOf(viewer, 'claire'), written));
      await waitUntil(() => isSame(legacyWordsOf(viewer, 'claire'), written));
      // A signature is checked before its message is shown; legacy packets have none.
      await waitUntil(() => (viewer.state.finals.length === 1 ? undefined : 'the line is not final'));
      const [final] = viewer.state.finals;
      expect(final).toMatchObject({
        speaker: { identity: 'claire', name: 'Claire' },
        trackSid: claire.trackSid,
      });
      expect(viewer.textStreams.at(-1)?.attributes['lk.transcribed_track_id']).toBe(claire.trackSid);
      expect(viewer.transcriptions.at(-1)?.trackSid).toBe(claire.trackSid);
      expect(new Set(segmentsOf(viewer.state).map(({ speaker }) => speaker.identity))).toEqual(
        new Set(['claire']),
      );

      carol.send({ kind: 'end' });
      await carol.received('ended');
      await say(claire, voices.claire);
      const heard = (words: readonly string[]): string | undefined => {
        const afterwards = words.slice(3);
        return isHeard(afterwards, voices.claire.words) ? undefined : `heard is "${afterwards.join(' ')}"`;
      };
      await waitUntil(() =>
        viewer.state.open.length === 0 ? heard(wordsOf(viewer.state, 'claire')) : 'a segment is open',
      );
      await waitUntil(() => heard(streamedWordsOf(viewer, 'claire')));
      await waitUntil(() => heard(legacyWordsOf(viewer, 'claire')));
      const transcript = await fetch(`${gateway.url}/v1/rooms/${room.name}/transcript.txt`, {
        headers: {
          Authorization: `Bearer ${await accessToken({
            issuer: server.apiKey,
            secret: server.apiSecret,
            video: { room: room.name, roomJoin: true },
          })}`,
        },
      });
      expect(await transcript.text()).toContain('Claire (written by Carol): Written by hand.');
    },
    TIMEOUT_MS,
  );
});
