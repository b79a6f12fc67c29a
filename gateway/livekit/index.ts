/** What the bench and the demo need of LiveKit: a server, participants, a dispatch. Loads the SDK's native library. */
export { disposeSdk } from './dispose-sdk.js';
export { createDispatch } from './participant/create-dispatch.js';
export type { LiveKitAccess } from './participant/joined-room.js';
export { joinAsPublisher, type PublishingParticipant } from './participant/publishing-participant.js';
export {
  joinAsViewer,
  type ReceivedTextStream,
  type ViewingParticipant,
} from './participant/viewing-participant.js';
export { mintViewerToken, roomPageAddress } from './participant/viewer-token.js';
export { joinUnbound, type UnboundParticipant } from './participant/unbound-participant.js';
export { ensureLiveKitServer } from './server/find-livekit-server.js';
export { startLiveKitServer } from './server/livekit-server-process.js';
