import { CaptionError } from '../../protocol/index.js';
import type { Attack } from './attack.js';
import { closeReason } from './attacks/close-reason.js';
import { connectionsOfOneToken } from './attacks/connections-of-one-token.js';
import { emptyConnections, halfHeaders, metricsForNobody, unauthorisedData } from './attacks/for-nobody.js';
import { expiredToken } from './attacks/expired-token.js';
import { freeNames } from './attacks/free-names.js';
import { hostileHttp, hostileMessages, hostileParsers } from './attacks/hostile-input.js';
import { LIVEKIT_ATTACKS } from './attacks/livekit-attacks.js';
import { helloAgain, tinyFrames } from './attacks/message-floods.js';
import { forbiddenMicrophone } from './attacks/forbidden-microphone.js';
import { refusedRequests } from './attacks/refused-requests.js';
import { secretsOfChildren } from './attacks/secrets-of-children.js';
import { innerAddress, passwordInAddress, weakKey } from './attacks/start-attacks.js';
import { unreadDownloads } from './attacks/unread-downloads.js';
import { vocabularyChanges, vocabularyFlood } from './attacks/vocabulary-flood.js';

export const ATTACKS: readonly Attack[] = [
  closeReason,
  vocabularyFlood,
  vocabularyChanges,
  expiredToken,
  unreadDownloads,
  connectionsOfOneToken,
  freeNames,
  forbiddenMicrophone,
  tinyFrames,
  helloAgain,
  unauthorisedData,
  halfHeaders,
  emptyConnections,
  metricsForNobody,
  secretsOfChildren,
  weakKey,
  passwordInAddress,
  innerAddress,
  refusedRequests,
  hostileMessages,
  hostileHttp,
  hostileParsers,
  ...LIVEKIT_ATTACKS,
];

/** Throws CaptionError `usage_attacks`. */
export function attackNamed(name: string): Attack {
  const attack = ATTACKS.find((one) => one.name === name);
  if (attack === undefined) throw new CaptionError('usage_attacks', `There is no attack ${name}.`);
  return attack;
}
