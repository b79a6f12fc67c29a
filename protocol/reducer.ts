/**
 * The meaning of messages: one pure function that every viewer, and the gateway itself, folds over what arrives.
 *
 *   broadcast, next in order          -> applied, then whatever waited for it
 *   broadcast, too early              -> waits, and `needsResync` is true until the hole is closed
 *   broadcast, old (seq or epoch)     -> ignored
 *   snapshot, all parts there         -> replaces what shows, then whatever waited is applied
 *   snapshot, behind what shows       -> ignored
 *
 * `needsResync` is true exactly while a message has told of something (an epoch, a `seq`) that does not show yet, or
 * while nothing is known at all. So nothing needs to be remembered about why something is missing.
 */
import type { BroadcastMessage, CaptionMessage, CaptionSnapshot, RoomMessage } from './caption.js';
import { applyBroadcast } from './apply-broadcast.js';
import { appliedSeq, startEpoch, type CaptionState, type Reception } from './caption-state.js';
import { collectPart, joinParts } from './snapshot-parts.js';

/** How many messages that came too early are kept. Above it the oldest go: a snapshot then helps, order alone not. */
export const MAX_WAITING_MESSAGES = 64;

/** How far ahead of the viewer's own clock an epoch may begin. */
export const MAX_EPOCH_AHEAD_MS = 24 * 3600 * 1000;

/**
 * `applyMessage` for what came from elsewhere: a message of an epoch that begins more than a day from now changes nothing. It
 * would make everything that is said from now on old.
 */
export const receiveMessage = (state: CaptionState, message: CaptionMessage, nowMs: number): CaptionState =>
  'epochMs' in message && message.epochMs > nowMs + MAX_EPOCH_AHEAD_MS ? state : applyMessage(state, message);

/**
 * The state after `message`; `state` itself where the message changes nothing or is for another room. Never throws.
 * Costs at most the number of segments shown plus the words of the one segment that changes.
 */
export const applyMessage = (state: CaptionState, message: CaptionMessage): CaptionState => {
  switch (message.kind) {
    // Of a connection, not of a room.
    case 'token':
    case 'access':
      return state;
    default:
      return message.room === state.room ? applyToRoom(state, message) : state;
  }
};

const applyToRoom = (state: CaptionState, message: RoomMessage): CaptionState => {
  switch (message.kind) {
    case 'resync':
    case 'shown':
      return state;
    case 'snapshot':
      return isStaleSnapshot(state, message) ? state : settle(receivePart(hear(state, message), message));
    case 'delta':
    case 'gap':
    case 'status':
      return isOldBroadcast(state, message) ? state : settle(receiveBroadcast(hear(state, message), message));
  }
};

const isOldBroadcast = (state: CaptionState, { epochMs, seq }: BroadcastMessage): boolean => {
  const { heardEpochMs } = state.reception;
  return epochMs < heardEpochMs || (epochMs === heardEpochMs && seq <= appliedSeq(state));
};

/**
 * A gateway's snapshot contains all it had sent before, so one with a smaller `seq` than ours was overtaken and never
 * helps. One with our own `seq` helps only where something contradicted what we show.
 */
const isStaleSnapshot = (state: CaptionState, { epochMs, seq }: CaptionSnapshot): boolean => {
  if (epochMs < state.reception.heardEpochMs) return true;
  if (epochMs > state.epochMs) return false;
  return state.needsResync ? seq < state.seq : seq <= state.seq;
};

/** Notes how far the gateway is. A newer epoch makes everything that waited worthless. */
const hear = (state: CaptionState, { epochMs, seq }: BroadcastMessage | CaptionSnapshot): CaptionState => {
  const { reception } = state;
  if (epochMs > reception.heardEpochMs) {
    return withReception(state, { heardEpochMs: epochMs, heardSeq: seq, waiting: [], parts: [] });
  }
  return seq > reception.heardSeq ? withReception(state, { heardSeq: seq }) : state;
};

const receiveBroadcast = (state: CaptionState, message: BroadcastMessage): CaptionState => {
  const next = applyIfNext(state, message);
  return next === undefined ? keepWaiting(state, message) : applyWaiting(next);
};

/** Undefined where `message` is not the next one, or contradicts what the messages before it said. */
const applyIfNext = (state: CaptionState, message: BroadcastMessage): CaptionState | undefined => {
  if (message.seq !== appliedSeq(state) + 1) return undefined;
  if (message.epochMs === state.epochMs) return applyBroadcast(state, message);
  return applyBroadcast({ ...startEpoch(state.room, message.epochMs), reception: state.reception }, message);
};

const keepWaiting = (state: CaptionState, message: BroadcastMessage): CaptionState => {
  const { waiting } = state.reception;
  const before = waiting.findLastIndex((known) => known.seq <= message.seq);
  const isFull = waiting.length === MAX_WAITING_MESSAGES;
  if (waiting[before]?.seq === message.seq || (isFull && before < 0)) return state;
  const inserted = waiting.toSpliced(before + 1, 0, message);
  return withReception(state, { waiting: inserted.slice(-MAX_WAITING_MESSAGES) });
};

/** Applies what waited as far as it goes without a hole, and forgets what has become old. */
const applyWaiting = (state: CaptionState): CaptionState => {
  let current = state;
  const { waiting } = state.reception;
  for (const message of waiting) current = applyIfNext(current, message) ?? current;
  const still = waiting.filter((message) => message.seq > appliedSeq(current));
  return still.length === waiting.length ? current : withReception(current, { waiting: still });
};

const receivePart = (state: CaptionState, part: CaptionSnapshot): CaptionState => {
  const parts = collectPart(state.reception.parts, part);
  if (parts === state.reception.parts) return state;
  if (parts.length < part.parts) return withReception(state, { parts });
  const content = joinParts(parts);
  if (content === undefined) return withReception(state, { parts: [] });
  return applyWaiting(withReception({ ...state, ...content }, { parts: [] }));
};

/** Brings `needsResync` up to date; parts of a snapshot are of no more use once nothing is missing. */
const settle = (state: CaptionState): CaptionState => {
  const { heardEpochMs, heardSeq, parts } = state.reception;
  const needsResync = state.epochMs < heardEpochMs || state.seq < heardSeq;
  const current = needsResync === state.needsResync ? state : { ...state, needsResync };
  return needsResync || parts.length === 0 ? current : withReception(current, { parts: [] });
};

const withReception = (state: CaptionState, change: Partial<Reception>): CaptionState => ({
  ...state,
  reception: { ...state.reception, ...change },
});
