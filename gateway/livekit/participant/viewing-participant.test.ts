import { type Room, RoomEvent } from '@livekit/rtc-node';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  applyMessage,
  type BroadcastMessage,
  type CaptionState,
  decodeMessage,
  encodeMessage,
  epochMs,
  participantIdentity,
  resyncMessage,
  roomName,
  segmentId,
  segmentsOf,
  snapshotMessages,
  startEpoch,
} from '../../../protocol/index.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitUntil } from '../../testing/wait-until.js';
import { describeWithLiveKit, startTestLiveKit, type TestLiveKit } from '../testing/livekit-server.js';
import { joinAsMember } from '../testing/room-member.js';
import { joinAsPublisher, type PublishingParticipant } from './publishing-participant.js';
import { joinAsViewer, type ViewingParticipant, type ViewOptions } from './viewing-participant.js';
import { disposeSdk } from '../dispose-sdk.js';

const CLAIRE = participantIdentity('claire');

/** Captions a room by the test's script, and answers requests for snapshots as the gateway does. */
class ScriptedCaptioner {
  resyncs = 0;
  room: Room | undefined;
  #state: CaptionState;

  constructor(name: string) {
    this.#state = startEpoch(roomName(name), epochMs(1000));
  }

  get identity(): string {
    return `captioner-${this.#state.room}`;
  }

  /** A delta with one word; told to everybody unless `isLost`. */
  async say(word: string, { isLost = false } = {}): Promise<void> {
    const seq = this.#state.seq + 1;
    const message: BroadcastMessage = {
      kind: 'delta',
      room: this.#state.room,
      epochMs: epochMs(1000),
      seq,
      speaker: { identity: CLAIRE, name: 'Claire' },
      segment: segmentId('one'),
      revision: seq,
      keep: seq - 1,
      words: [{ text: word, startMs: epochMs(1000), endMs: epochMs(2000) }],
      stable: seq,
      isFinal: false,
      language: 'en',
    };
    this.#state = applyMessage(this.#state, message);
    if (!isLost) await this.send(encodeMessage(message));
  }

  async send(bytes: Uint8Array, to: string[] = []): Promise<void> {
    await this.room?.localParticipant?.publishData(bytes, {
      reliable: true,
      topic: 'captions',
      destination_identities: to,
    });
  }

  listen(room: Room): void {
    room.on(RoomEvent.DataReceived, (bytes, from) => {
      if (decodeMessage(bytes)?.kind !== 'resync') return;
      this.resyncs += 1;
      // LiveKit tells of people who publish nothing up to 3 s late (rtc/room.go, subscriberUpdateInterval); the SDK cannot say
      // until then whose packet it is.
      const to = from === undefined ? [] : [from.identity];
      for (const message of snapshotMessages(this.#state)) void this.send(encodeMessage(message), to);
    });
  }
}

const shown = (viewer: ViewingParticipant): string =>
  segmentsOf(viewer.state)
    .flatMap(({ words }) => words.map(({ text }) => text))
    .join(' ');
const shows = (viewer: ViewingParticipant, text: string): Promise<void> =>
  waitUntil(() => (shown(viewer) === text ? undefined : `"${shown(viewer)}" is shown, not "${text}"`));

describeWithLiveKit('a participant who reads along', () => {
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;
  let rooms = 0;
  let room = roomName('');

  beforeAll(async () => {
    server = await startTestLiveKit();
  });
  beforeEach(() => {
    rooms += 1;
    room = roomName(`room-${rooms}`);
  });
  afterAll(async () => {
    await server.stop();
    await disposeSdk();
  });

  const startCaptioner = async (): Promise<ScriptedCaptioner> => {
    const captioner = new ScriptedCaptioner(room);
    const joining = { room, identity: captioner.identity, isAgent: true };
    captioner.room = await joinAsMember(server, joining, (joined) => captioner.listen(joined));
    afterThis(() => captioner.room?.disconnect());
    return captioner;
  };
  const view = async (options: Partial<ViewOptions> = {}): Promise<ViewingParticipant> => {
    const viewer = await joinAsViewer({
      server,
      room,
      identity: participantIdentity('paul'),
      // The scripted captioner does not sign.
      unverified: 'show',
      ...options,
    });
    afterThis(() => viewer.leave());
    return viewer;
  };
  const joinClaire = async (): Promise<PublishingParticipant> => {
    const claire = await joinAsPublisher({ server, room, identity: CLAIRE });
    afterThis(() => claire.leave());
    return claire;
  };

  it('asks for what was said before, and follows from there', async () => {
    const captioner = await startCaptioner();
    await captioner.say('good', { isLost: true });
    const told: string[] = [];
    const viewer = await view({ changed: (_state, message) => told.push(message.kind) });
    await viewer.ready;
    expect(shown(viewer)).toBe('good');
    await captioner.say('morning');
    await shows(viewer, 'good morning');
    expect(told).toEqual(['snapshot', 'delta']);
    expect(viewer.received).toMatchObject({ messages: 2, undecodable: 0 });
    expect(viewer.received.bytes).toBeGreaterThan(200);
  });

  it('asks again when somebody comes to caption the room later', async () => {
    const viewer = await view();
    // Sent after its first question, which has reached nobody then.
    await viewer.sendCaptionData(new Uint8Array(1));
    const captioner = await startCaptioner();
    await captioner.say('late', { isLost: true });
    await viewer.ready;
    expect(shown(viewer)).toBe('late');
    expect(viewer.resyncs).toBeGreaterThan(1);
  });

  it('is given a snapshot when a message was lost', async () => {
    const captioner = await startCaptioner();
    const viewer = await view();
    await viewer.ready;
    const resyncsBefore = viewer.resyncs;
    await captioner.say('one');
    await captioner.say('two', { isLost: true });
    await captioner.say('three');
    await shows(viewer, 'one two three');
    expect(viewer.state.needsResync).toBe(false);
    expect(viewer.resyncs).toBeGreaterThan(resyncsBefore);
  });

  it('asks the captioner alone where it knows who that is', async () => {
    const captioner = await startCaptioner();
    const heard: string[] = [];
    const bystander = await joinAsMember(server, { room, identity: 'alan' }, (joining) =>
      joining.on(RoomEvent.DataReceived, (bytes) => heard.push(decodeMessage(bytes)?.kind ?? '')),
    );
    afterThis(() => bystander.disconnect());
    const viewer = await view({ captioner: participantIdentity(captioner.identity) });
    await viewer.ready;
    expect(captioner.resyncs).toBe(1);
    await viewer.sendCaptionData(encodeMessage(resyncMessage(viewer.state)));
    // Data of one sender keeps its order: the viewer's own request would have come before this one.
    await waitUntil(() => (heard.includes('resync') ? undefined : 'the bystander has heard no request'));
    expect(heard.filter((kind) => kind === 'resync')).toHaveLength(1);
  });

  it('settles when everything said by then is shown', async () => {
    const captioner = await startCaptioner();
    const viewer = await view();
    await viewer.ready;
    await captioner.say('done', { isLost: true });
    await viewer.settled();
    expect(shown(viewer)).toBe('done');
  });

  it('does not settle for ever where nobody captions', async () => {
    const viewer = await view();
    await expect(viewer.settled(50)).rejects.toMatchObject({ code: 'connection_closed', retryable: true });
  });

  it('leaves aside what is no message, and other topics', async () => {
    const captioner = await startCaptioner();
    const viewer = await view();
    await viewer.ready;
    await captioner.send(new TextEncoder().encode('no message'));
    await captioner.room?.localParticipant?.publishData(new TextEncoder().encode('chat'), {
      reliable: true,
      topic: 'chat',
    });
    await captioner.say('words');
    await shows(viewer, 'words');
    expect(viewer.received.undecodable).toBe(1);
  });

  it('collects text streams, by the one whose words they are', async () => {
    const captioner = await startCaptioner();
    const claire = await joinClaire();
    const viewer = await view();
    const attributes = {
      'lk.segment_id': 'SG_1',
      'lk.transcription_final': 'true',
      'lk.transcribed_track_id': claire.trackSid ?? '',
    };
    const writer = await captioner.room!.localParticipant!.streamText({
      topic: 'lk.transcription',
      senderIdentity: 'claire',
      attributes,
    });
    await writer.write('Good morning.');
    await writer.close();
    await waitUntil(() => (viewer.textStreams.length > 0 ? undefined : 'no text stream'));
    expect(viewer.textStreams).toMatchObject([{ speaker: 'claire', text: 'Good morning.', attributes }]);
  });

  it('collects legacy packets, which the SDK itself drops', async () => {
    const captioner = await startCaptioner();
    const claire = await joinClaire();
    const received: string[] = [];
    const viewer = await view({ transcribed: ({ segments }) => received.push(segments[0]?.text ?? '') });
    await captioner.room!.localParticipant!.publishTranscription({
      participantIdentity: 'claire',
      trackSid: claire.trackSid ?? '',
      segments: [{ id: 'a', text: 'Hello', startTime: 10n, endTime: 20n, language: 'en', final: true }],
    });
    await waitUntil(() => (received.length > 0 ? undefined : 'no packet'));
    expect(viewer.transcriptions).toMatchObject([
      {
        speaker: 'claire',
        trackSid: claire.trackSid,
        segments: [{ id: 'a', text: 'Hello', startMs: 10, endMs: 20, isFinal: true, language: 'en' }],
      },
    ]);
  });

  it('reads along in an encrypted room', async () => {
    const captioner = new ScriptedCaptioner(room);
    const joining = { room, identity: captioner.identity, isAgent: true, e2eeKey: 'one key' };
    captioner.room = await joinAsMember(server, joining, (joined) => captioner.listen(joined));
    afterThis(() => captioner.room?.disconnect());
    const viewer = await view({ e2eeKey: 'one key' });
    await viewer.ready;
    await captioner.say('secret');
    await shows(viewer, 'secret');
  });

  it('ends for those who wait when it is removed or leaves', async () => {
    const viewer = await view();
    await new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret).removeParticipant(
      room,
      'paul',
    );
    await expect(viewer.ready).rejects.toMatchObject({ code: 'connection_closed' });
    await viewer.left;
    await expect(viewer.settled()).rejects.toMatchObject({ code: 'connection_closed' });
    await Promise.all([viewer.leave(), viewer.leave()]);
  });
});
