import { type ParticipantInfo, ParticipantInfo_Kind, ParticipantInfo_State } from '@livekit/protocol';
import { INSTANCE_ATTRIBUTE } from '../tokens.js';

/** Who captions a room, as the server's list of participants shows it. */
export interface CaptionerPresence {
  readonly sid: string;
  /** The gateway process it belongs to; undefined for a captioner that is none of ours, such as La Suite Meet's agent. */
  readonly instance: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Who has the captioners' identity and is an agent. A process that was killed is listed for some 20 s more. */
export function captionerIn(
  participants: readonly ParticipantInfo[],
  identity: string,
): CaptionerPresence | undefined {
  const found = participants.find(
    (participant) =>
      participant.identity === identity &&
      participant.kind === ParticipantInfo_Kind.AGENT &&
      participant.state !== ParticipantInfo_State.DISCONNECTED,
  );
  return found === undefined ? undefined : presenceOf(found);
}

export function presenceOf({ sid, attributes }: ParticipantInfo): CaptionerPresence {
  const instance = attributes[INSTANCE_ATTRIBUTE] ?? '';
  return { sid, attributes, instance: instance === '' ? undefined : instance };
}

/** When the first of the people who are there came, in Unix epoch milliseconds; undefined where nobody is. */
export function firstHumanSinceMs(participants: readonly ParticipantInfo[]): number | undefined {
  const joinedMs = participants.filter(isHuman).map(({ joinedAt }) => Number(joinedAt) * 1000);
  return joinedMs.length === 0 ? undefined : Math.min(...joinedMs);
}

/** As the bot sees it: bot/participant-kinds.ts. */
function isHuman({ kind, permission, state }: ParticipantInfo): boolean {
  if (permission?.hidden === true || state === ParticipantInfo_State.DISCONNECTED) return false;
  switch (kind) {
    case ParticipantInfo_Kind.STANDARD:
    case ParticipantInfo_Kind.SIP:
    case ParticipantInfo_Kind.CONNECTOR:
    case ParticipantInfo_Kind.BRIDGE:
      return true;
    case ParticipantInfo_Kind.AGENT:
    case ParticipantInfo_Kind.EGRESS:
    case ParticipantInfo_Kind.INGRESS:
      return false;
  }
}
