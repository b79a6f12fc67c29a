import { ParticipantKind, type RemoteParticipant } from '@livekit/rtc-node';

/** People who can be heard: in browsers and apps, on telephones, through connectors and bridges to other systems. */
export function isHuman(participant: RemoteParticipant): boolean {
  if (participant.info.permission?.hidden === true) return false;
  switch (participant.kind) {
    case ParticipantKind.STANDARD:
    case ParticipantKind.SIP:
    case ParticipantKind.CONNECTOR:
    case ParticipantKind.BRIDGE:
      return true;
    case ParticipantKind.AGENT:
    case ParticipantKind.EGRESS:
    case ParticipantKind.INGRESS:
      return false;
  }
}

/** Whether LiveKit lets the participant receive what others say: in waiting rooms it does not. */
export const maySubscribe = ({ info }: RemoteParticipant): boolean => info.permission?.canSubscribe !== false;

/** In the room, but not to receive what is said in it. Streams that come from elsewhere (ingress) never receive anything. */
export const isKeptOut = (participant: RemoteParticipant): boolean =>
  !maySubscribe(participant) && participant.kind !== ParticipantKind.INGRESS;

/** People whom captions are for, as far as LiveKit lets them receive anything. */
export const isReader = (participant: RemoteParticipant): boolean =>
  isHuman(participant) && maySubscribe(participant);

/** People who can be shown captions, and may be: a telephone has no screen. */
export const canRead = (participant: RemoteParticipant): boolean =>
  isReader(participant) && participant.kind !== ParticipantKind.SIP;
