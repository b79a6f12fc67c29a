export * from './caption.js';
export * from './errors.js';
export * from './units.js';
export * from './limits.js';
export { LANGUAGE_TAG_RULE, languageTag, primaryLanguage } from './language.js';
export { CodecError, type CodecErrorCode } from './codec-error.js';
export { decodeMessage, encodeMessage } from './codec.js';
export { splitDelta } from './split.js';
export {
  initialState,
  resyncMessage,
  segmentsOf,
  startEpoch,
  type CaptionState,
  type GapState,
  type SegmentState,
} from './caption-state.js';
export { applyMessage, receiveMessage } from './reducer.js';
export { snapshotMessages } from './snapshot.js';
export { CaptionKey, canVerify } from './caption-key.js';
export { MessageVerifier, type MessageVerifierOptions } from './message-verifier.js';
export { roomKeysIn, roomKeysOf, withRoomKeys } from './room-keys.js';
export {
  appendSignature,
  MAX_SIGNABLE_BYTES,
  messageToSign,
  type SignedStream,
  STREAM_NUMBER_ATTRIBUTE,
  STREAM_SIGNATURE_ATTRIBUTE,
  STREAM_SPEAKER_ATTRIBUTE,
  streamToSign,
} from './signature.js';
export { decodeBase64url, encodeBase64url } from './base64url.js';
export { CaptionFollower, type CaptionFollowerOptions } from './caption-follower.js';
export * from './ingest.js';
export { KEPT_AUDIO_MS, KeptAudio, type KeptRun } from './kept-audio.js';
export { shownName, visibleLine } from './shown-name.js';
export * from './captioner.js';
export { type AccessMessage, MAX_TOKEN_CHARS, type TokenMessage } from './access.js';
export { type AccessTokenSource, ClientToken, type TokenAnswers } from './client-token.js';
export * from './websocket.js';
export { gatewayAddress, webSocketAddress } from './gateway-address.js';
