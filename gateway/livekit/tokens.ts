import { AccessToken } from 'livekit-server-sdk';
import { participantIdentity, type RoomName } from '../../protocol/index.js';
import type { ParticipantPlace } from './livekit-admin.js';

/** The server renews it while the connection lasts. */
const TOKEN_TTL_S = 6 * 3600;
export const PARTICIPANT_NAME = 'Captions';
/** On every bot: tells which process it belongs to. */
export const INSTANCE_ATTRIBUTE = 'caption-gateway.instance';

export interface BotTokenOptions {
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly agentName: string;
  readonly instance: string;
}

/** The identity that La Suite Meet's agent uses, too: two captioners of one room exclude each other. */
export const botIdentity = (agentName: string, room: RoomName): string => `${agentName}-${room}`;

/** Where the API finds our bot of a room. */
export const botPlace = (agentName: string, room: RoomName): ParticipantPlace => ({
  room,
  identity: participantIdentity(botIdentity(agentName, room)),
});

/** A token for a hidden participant of kind agent, as the server makes them for jobs. */
export function mintBotToken(options: BotTokenOptions, room: RoomName): Promise<string> {
  const token = new AccessToken(options.apiKey, options.apiSecret, {
    identity: botIdentity(options.agentName, room),
    name: PARTICIPANT_NAME,
    ttl: TOKEN_TTL_S,
    attributes: { [INSTANCE_ATTRIBUTE]: options.instance },
  });
  token.kind = 'agent';
  token.addGrant({
    room,
    roomJoin: true,
    canSubscribe: true,
    canPublish: false,
    canPublishData: true,
    canUpdateOwnMetadata: false,
    hidden: true,
    agent: true,
  });
  return token.toJwt();
}
