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

/** People who can be shown captions: a telephone has no screen. */
export const canRead = (participant: RemoteParticipant): boolean =>
  isHuman(participant) && participant.kind !== ParticipantKind.SIP;
