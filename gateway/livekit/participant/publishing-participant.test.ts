import { EncryptionType, type Room, TrackSource } from '@livekit/rtc-node';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { participantIdentity, roomName } from '../../../protocol/index.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitUntil } from '../../testing/wait-until.js';
import { describeWithLiveKit, startTestLiveKit, type TestLiveKit } from '../testing/livekit-server.js';
import { joinAsMember, Listener, type MemberOptions } from '../testing/room-member.js';
import {
  joinAsPublisher,
  type PublishingParticipant,
  type PublishOptions,
} from './publishing-participant.js';
import { disposeSdk } from '../dispose-sdk.js';

const FRAME_SAMPLES = 640;
const LOUD = 1000;
const QUIET = 100;
/** 440 Hz, with a mean absolute sample of some 5,100. */
const TONE = Int16Array.from({ length: FRAME_SAMPLES }, (_, index) =>
  Math.round(8000 * Math.sin((2 * Math.PI * 440 * index) / 16_000)),
);

describeWithLiveKit('a participant who talks', () => {
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;
  let rooms = 0;
  let room = roomName('');

  beforeAll(async () => {
    server = await startTestLiveKit();
  });
  afterAll(async () => {
    await server.stop();
    await disposeSdk();
  });

  const newRoom = (): void => {
    rooms += 1;
    room = roomName(`room-${rooms}`);
  };
  const join = async (options: Partial<PublishOptions> = {}): Promise<PublishingParticipant> => {
    const participant = await joinAsPublisher({
      server,
      room,
      identity: participantIdentity('claire'),
      name: 'Claire',
      ...options,
    });
    afterThis(() => participant.leave());
    return participant;
  };
  /** Somebody else in the room, with ears. */
  const listen = async (options: Partial<MemberOptions> = {}): Promise<{ other: Room; ears: Listener }> => {
    let ears: Listener | undefined;
    const other = await joinAsMember(
      server,
      { room, identity: 'paul', ...options },
      (joining) => (ears = new Listener(joining)),
    );
    afterThis(() => other.disconnect());
    return { other, ears: ears! };
  };
  /** Goes on talking until the test ends. */
  const keepTalking = (participant: PublishingParticipant): void => {
    const timer = setInterval(() => void participant.write(TONE), 40);
    afterThis(() => clearInterval(timer));
  };
  const hears = (ears: Listener): Promise<void> =>
    waitUntil(() => ((ears.loudnessOf('claire') ?? 0) > LOUD ? undefined : 'nothing is heard'));
  const hearsNothing = (ears: Listener): Promise<void> =>
    waitUntil(() => ((ears.loudnessOf('claire') ?? 0) < QUIET ? undefined : 'something is still heard'));
  const publicationsOf = (other: Room) => [
    ...(other.remoteParticipants.get('claire')?.trackPublications.values() ?? []),
  ];
  const onlyPublicationOf = (other: Room) => {
    const [publication] = publicationsOf(other);
    if (publication === undefined) throw new Error('Claire publishes nothing');
    return publication;
  };

  it('is heard by others, from a microphone, under a name', async () => {
    newRoom();
    const { other, ears } = await listen();
    const claire = await join();
    keepTalking(claire);
    await hears(ears);
    expect(other.remoteParticipants.get('claire')?.name).toBe('Claire');
    expect(onlyPublicationOf(other).source).toBe(TrackSource.SOURCE_MICROPHONE);
    expect(onlyPublicationOf(other).sid).toBe(claire.trackSid);
  });

  it('sends the part of an array that it was given, and no other', async () => {
    newRoom();
    const { ears } = await listen();
    const claire = await join();
    const silenceAroundTone = new Int16Array(3 * FRAME_SAMPLES);
    silenceAroundTone.set(TONE, FRAME_SAMPLES);
    const tone = silenceAroundTone.subarray(FRAME_SAMPLES, 2 * FRAME_SAMPLES);
    const timer = setInterval(() => void claire.write(tone), 40);
    afterThis(() => clearInterval(timer));
    // A frame from the array's beginning would be silent.
    await hears(ears);
    expect(claire.droppedSamples).toBe(0);
  });

  it('is not heard while muted, and others see that', async () => {
    newRoom();
    const { other, ears } = await listen();
    const claire = await join();
    keepTalking(claire);
    await hears(ears);
    claire.mute();
    await waitUntil(() => (onlyPublicationOf(other).muted === true ? undefined : 'not shown as muted'));
    await hearsNothing(ears);
    claire.unmute();
    await waitUntil(() => (onlyPublicationOf(other).muted === true ? 'still shown as muted' : undefined));
    await hears(ears);
  });

  it('can begin muted', async () => {
    newRoom();
    const { other } = await listen();
    await join({ muted: true });
    await waitUntil(() =>
      publicationsOf(other)[0]?.muted === true ? undefined : 'no muted publication is seen',
    );
  });

  it('can take its track away and publish another', async () => {
    newRoom();
    const { other, ears } = await listen();
    const claire = await join();
    keepTalking(claire);
    await hears(ears);
    const firstSid = claire.trackSid;
    await claire.unpublish();
    await waitUntil(() => (publicationsOf(other).length === 0 ? undefined : 'the track is still seen'));
    expect(claire.trackSid).toBeUndefined();
    await claire.publish();
    expect(claire.trackSid).toMatch(/^TR_/);
    expect(claire.trackSid).not.toBe(firstSid);
    await hears(ears);
  });

  it('can be the sound of a shared screen', async () => {
    newRoom();
    const { other, ears } = await listen();
    keepTalking(await join({ source: 'screen_share_audio' }));
    await hears(ears);
    expect(onlyPublicationOf(other).source).toBe(TrackSource.SOURCE_SCREENSHARE_AUDIO);
  });

  it('is heard end-to-end encrypted by those with the key only', async () => {
    newRoom();
    const withKey = await listen({ e2eeKey: 'one key' });
    const withoutKey = await listen({ identity: 'alan', e2eeKey: 'another key' });
    keepTalking(await join({ e2eeKey: 'one key' }));
    await hears(withKey.ears);
    expect(onlyPublicationOf(withKey.other).encryptionType).toBe(EncryptionType.GCM);
    // What cannot be decrypted is concealed, which may be heard for a moment at first.
    await waitUntil(() => {
      const loudest = withoutKey.ears.loudestOfLastSecond('claire');
      return loudest !== undefined && loudest < QUIET
        ? undefined
        : `the other one hears ${loudest ?? 'no whole second'}`;
    });
    expect(withKey.ears.loudnessOf('claire')).toBeGreaterThan(LOUD);
  });

  it('falls silent when abandoned, and stays in the room', async () => {
    newRoom();
    const { other, ears } = await listen();
    const claire = await join();
    keepTalking(claire);
    await hears(ears);
    claire.abandon();
    await hearsNothing(ears);
    expect(onlyPublicationOf(other)).toMatchObject({ sid: claire.trackSid, muted: false });
  });

  it('leaves as often as asked', async () => {
    newRoom();
    const { other } = await listen();
    const claire = await join();
    await Promise.all([claire.leave(), claire.leave()]);
    await claire.leave();
    await claire.left;
    await waitUntil(() => (other.remoteParticipants.size === 0 ? undefined : 'Claire is still there'));
    await claire.write(TONE);
    await claire.unpublish();
  });

  it('knows when the server removed it', async () => {
    newRoom();
    const claire = await join();
    await new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret).removeParticipant(
      room,
      'claire',
    );
    await claire.left;
    await claire.write(TONE);
    expect(claire.droppedSamples).toBe(0);
  });

  it('drops what comes faster than it can be sent, and counts it', async () => {
    newRoom();
    const claire = await join();
    const second = new Int16Array(16_000);
    const writes = Array.from({ length: 10 }, () => claire.write(second));
    // Three seconds wait at most: the one that passed the bound of two included.
    expect(claire.droppedSamples).toBe(7 * 16_000);
    await claire.leave();
    await Promise.all(writes);
  });

  it('says when it cannot join', async () => {
    newRoom();
    const wrongSecret = { ...server, apiSecret: 'another secret, of at least 32 characters' };
    await expect(join({ server: wrongSecret })).rejects.toMatchObject({ code: 'livekit_unauthorised' });
    const giveUp = AbortSignal.abort(new Error('enough'));
    await expect(join({ signal: giveUp })).rejects.toThrow('enough');
  });
});
