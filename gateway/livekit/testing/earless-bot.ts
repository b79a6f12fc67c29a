/** The gateway's bot in a room of a real livekit-server, with its roads and its key, and without ears: the test says what is said. */
import pino from 'pino';
import type { RoomName } from '../../../protocol/index.js';
import { Room } from '../../rooms/room.js';
import { identityOf, RtcRoom } from '../bot/rtc-room.js';
import { SwitchedOutlet } from '../bot/switched-outlet.js';
import { LiveKitAdmin } from '../livekit-admin.js';
import type { CaptionRoads } from '../roads/caption-roads.js';
import { createCaptionRoads } from '../roads/create-caption-roads.js';
import type { RoadsOut } from '../room-settings.js';
import { RoomKeyRing, type RoomKeyRoad } from '../signing/room-key-ring.js';
import { mintBotToken } from '../tokens.js';
import type { TestLiveKit } from './livekit-server.js';
import { SpokenRoom } from './spoken-room.js';

export interface EarlessBot {
  readonly captioned: Room;
  readonly spoken: SpokenRoom;
  readonly outlet: SwitchedOutlet;
  readonly roads: CaptionRoads;
  leave(): Promise<void>;
}

/** Whoever calls it lets it leave. */
export async function startEarlessBot(
  server: TestLiveKit,
  options: {
    room: RoomName;
    agentName: string;
    roads: RoadsOut;
    keyRoad?: RoomKeyRoad;
    withholdsLegacy?: boolean;
  },
): Promise<EarlessBot> {
  const { room, agentName, keyRoad = 'metadata', withholdsLegacy = false } = options;
  const { apiKey, apiSecret } = server;
  const token = await mintBotToken({ apiKey, apiSecret, agentName, instance: 'test' }, room);
  const rtc = await RtcRoom.connect({ url: server.url, token, signal: new AbortController().signal });
  const admin = new LiveKitAdmin(server);
  const log = pino({ level: 'silent' });
  const nothing = (): void => undefined;
  const keys = new RoomKeyRing({
    room,
    apiSecret,
    road: keyRoad,
    admin,
    changed: () => roads.reconnected(),
    log,
  });
  const outlet = new SwitchedOutlet({ keys, listParticipants: () => admin.listParticipants(room) });
  const captioned = new Room(room, Date.now());
  const settings = { roads: options.roads, withholdsLegacy };
  const roads = createCaptionRoads({ outlet, room: captioned, settings, log });
  keys.connected(rtc.sid);
  rtc.listen({
    participantJoined: (participant) => roads.participantJoined(identityOf(participant)),
    participantLeft: (participant) => roads.participantLeft(identityOf(participant)),
    participantRenamed: nothing,
    permissionsChanged: nothing,
    trackPublished: nothing,
    trackUnpublished: nothing,
    trackSubscribed: nothing,
    trackUnsubscribed: nothing,
    trackMuted: nothing,
    trackUnmuted: nothing,
    dataReceived: (topic, bytes, from) => {
      if (topic === 'captions') roads.received(from === undefined ? undefined : identityOf(from), bytes);
    },
    roomMetadataChanged: (metadata) => keys.metadataChanged(metadata),
    reconnecting: nothing,
    reconnected: () => {
      outlet.connect(rtc);
      keys.connected('');
      roads.reconnected();
    },
    disconnected: () => outlet.end(),
  });
  outlet.connect(rtc);
  captioned.addViewer(roads);
  for (const participant of rtc.participants) roads.participantJoined(identityOf(participant));
  return {
    captioned,
    spoken: new SpokenRoom(captioned),
    outlet,
    roads,
    async leave() {
      captioned.removeViewer(roads);
      roads.close();
      keys.close();
      outlet.end();
      await rtc.close();
    },
  };
}
