import type { CaptionState, EpochMs } from '../../../protocol/index.js';

/** Captions within this of the sound are on time: recognition needs some of it, and clocks differ. */
const ON_TIME_MS = 2000;
/** What was seen longer ago says nothing any more: nobody may be talking. */
const REMEMBERED_MS = 6000;

/**
 * How far captions are behind what is being said, from the times of new words. The gateway's clock is not this
 * machine's: where words seem to come before they were spoken, or all of them very late, the quickest word so far counts as
 * on time.
 */
export class CaptionLag {
  #shown: CaptionState | undefined;
  #quickestMs = Infinity;
  #last: { readonly lagMs: number; readonly atMs: number } | undefined;

  /** Notes the words that `state` has and the one before it had not. Both times by this machine's clock. */
  notice(state: CaptionState, nowMs: number): void {
    const before = this.#shown;
    this.#shown = state;
    // What comes with a snapshot was said at any time.
    if (before?.epochMs !== state.epochMs || state.seq !== before.seq + 1) return;
    const endMs = newestWordEnd(before, state);
    if (endMs === undefined) return;
    const lagMs = nowMs - endMs;
    this.#quickestMs = Math.min(this.#quickestMs, lagMs);
    this.#last = { lagMs, atMs: nowMs };
  }

  /** Whole seconds; 0 while captions are on time or nobody talks. */
  behindS(nowMs: number): number {
    if (this.#last === undefined || nowMs - this.#last.atMs > REMEMBERED_MS) return 0;
    const areClocksEqual = this.#quickestMs >= 0 && this.#quickestMs <= ON_TIME_MS;
    const behindMs = this.#last.lagMs - (areClocksEqual ? 0 : this.#quickestMs);
    return behindMs < ON_TIME_MS ? 0 : Math.round(behindMs / 1000);
  }
}

/** The end of the last new word that shows for the first time. */
function newestWordEnd(before: CaptionState, state: CaptionState): EpochMs | undefined {
  let newest: EpochMs | undefined;
  const known = new Map(before.open.map((segment) => [segment.segment, segment]));
  for (const segment of [...state.open, ...state.finals.slice(-1)]) {
    const old = known.get(segment.segment);
    const isNew = segment !== old && segment.words.length > (old?.words.length ?? 0);
    const endMs = isNew ? segment.words.at(-1)?.endMs : undefined;
    if (endMs !== undefined && (newest === undefined || endMs > newest) && !before.finals.includes(segment))
      newest = endMs;
  }
  return newest;
}
