import type { Attack } from '../attack.js';
import { forgedPackets } from './forged-packets.js';
import { manyMicrophones, textBomb } from './livekit-floods.js';
import { historyOff, refreshedToken, removedParticipant, withoutSubscribing } from './livekit-rights.js';

export const LIVEKIT_ATTACKS: readonly Attack[] = [
  forgedPackets,
  refreshedToken,
  historyOff,
  removedParticipant,
  withoutSubscribing,
  textBomb,
  manyMicrophones,
];
