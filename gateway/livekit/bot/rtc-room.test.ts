import { randomUUID } from 'node:crypto';
import { type RemoteParticipant } from '@livekit/rtc-node';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { participantIdentity, type RoomName, roomName } from '../../../protocol/index.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitUntil } from '../../testing/wait-until.js';
import { joinAsPublisher } from '../participant/publishing-participant.js';
import { describeWithLiveKit, startTestLiveKit, type TestLiveKit } from '../testing/livekit-server.js';
import { botPlace, mintBotToken } from '../tokens.js';
import { RtcRoom, type RtcRoomListener } from './rtc-room.js';
import { disposeSdk } from '../dispose-sdk.js';
import { heldHandles } from '../native-handles.js';

const AGENT = 'captions';

/** Participants and tracks call it one thing, publications another. */
interface Owner {
  readonly ffi_handle?: object;
  readonly ffiHandle?: object;
}

const isFreed = (owner: object): boolean => {
  const { ffi_handle: own, ffiHandle: its } = owner as Owner;
  const known = own ?? its;
  if (known === undefined) throw new Error('nothing to free: the SDK has changed');
  return !heldHandles().includes(known);
};

describeWithLiveKit('a connection to a room', () => {
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;

  beforeAll(async () => {
    server = await startTestLiveKit();
  });
  afterAll(async () => {
    await server.stop();
    await disposeSdk();
  });

  const publish = async (room: RoomName) => {
    const participant = await joinAsPublisher({ server, room, identity: participantIdentity('claire') });
    afterThis(() => participant.leave());
    return participant;
  };

  /** Hears Claire. `owners`: whatever was seen that holds native memory. */
  const connect = async (room: RoomName) => {
    const token = await mintBotToken({ ...server, agentName: AGENT, instance: 'one' }, room);
    const rtc = await RtcRoom.connect({ url: server.url, token, signal: new AbortController().signal });
    afterThis(() => rtc.close());
    const owners = new Set<object>();
    let isDisconnected = false;
    const nothing = (): void => undefined;
    const seen = (participant: RemoteParticipant): void => {
      owners.add(participant);
      for (const publication of participant.trackPublications.values()) {
        owners.add(publication);
        publication.setSubscribed(true);
      }
    };
    const listener: RtcRoomListener = {
      participantJoined: seen,
      participantLeft: nothing,
      participantRenamed: nothing,
      permissionsChanged: nothing,
      trackPublished: (_publication, participant) => seen(participant),
      trackUnpublished: nothing,
      trackSubscribed: (track) => void owners.add(track),
      trackUnsubscribed: nothing,
      trackMuted: nothing,
      trackUnmuted: nothing,
      dataReceived: nothing,
      roomMetadataChanged: nothing,
      reconnecting: nothing,
      reconnected: nothing,
      disconnected: () => (isDisconnected = true),
    };
    rtc.listen(listener);
    rtc.participants.forEach(seen);
    await waitUntil(() => (owners.size === 3 ? undefined : 'participant, publication and track are seen'));
    return { rtc, owners: [...owners], isDisconnected: () => isDisconnected };
  };

  const listeners = (): number => globalThis._ffiClientInstance?.listenerCount('ffi_event') ?? 0;

  it('leaves nothing behind when it is closed', async () => {
    const room = roomName(randomUUID());
    await publish(room);
    const before = listeners();
    const { rtc, owners } = await connect(room);
    expect(listeners()).toBe(before + 1);
    expect(owners.map(isFreed)).toEqual([false, false, false]);

    await rtc.close();

    expect(listeners()).toBe(before);
    expect(owners.map(isFreed)).toEqual([true, true, true]);
  });

  it('leaves nothing behind when the server ends it', async () => {
    const room = roomName(randomUUID());
    await publish(room);
    const before = listeners();
    const { owners, isDisconnected } = await connect(room);

    await new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret).removeParticipant(
      room,
      botPlace(AGENT, room).identity,
    );
    await waitUntil(() => (isDisconnected() ? undefined : 'it is ended'));

    await waitUntil(() => (listeners() === before ? undefined : 'nobody listens any more'));
    expect(owners.map(isFreed)).toEqual([true, true, true]);
  });

  it('keeps nothing of those who left before', async () => {
    const room = roomName(randomUUID());
    const claire = await publish(room);
    const { rtc, owners } = await connect(room);

    await claire.leave();
    await waitUntil(() => (rtc.participants.length === 0 ? undefined : 'Claire is gone'));

    expect(owners.map(isFreed)).toEqual([true, true, true]);
  });
});
