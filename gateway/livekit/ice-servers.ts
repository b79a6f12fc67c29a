import {
  ContinualGatheringPolicy,
  IceServer,
  IceTransportType,
  type RtcConfiguration,
} from '@livekit/rtc-node';

/** A STUN server that never answers: the discard port. */
export const UNANSWERED_STUN_SERVER = '127.0.0.1:9';

/**
 * For connections that go to the LiveKit server and to nobody else. A livekit-server that was given no STUN servers names public
 * ones of other companies (v1.13.5, pkg/service/roommanager.go `iceServersForParticipant`); clients ask them unless they have a list of
 * their own, and an empty list counts as none. Where the names cannot be resolved, each connection keeps some 50 threads waiting.
 */
export function directConnection(): RtcConfiguration {
  return {
    iceTransportType: IceTransportType.TRANSPORT_ALL,
    continualGatheringPolicy: ContinualGatheringPolicy.GATHER_CONTINUALLY,
    iceServers: [new IceServer({ urls: [`stun:${UNANSWERED_STUN_SERVER}`] })],
  };
}
