/** Captions of agents that do not know our contract: whole texts by segment, made into a state as the contract's reducer has it. */
import {
  applyMessage,
  type CaptionState,
  type CaptionWord,
  epochMs,
  participantIdentity,
  type RoomName,
  segmentId,
  startEpoch,
} from '../../../protocol/index.js';

/** Nobody may ever end a segment whose agent has gone: after so long without a change it stays as it is. */
const SETTLED_AFTER_MS = 15_000;
/** Segments that are over are known again for a while: agents send some of them twice. */
const MAX_REMEMBERED_SEGMENTS = 500;
/** Anybody in a room may begin segments: above it the oldest stays as it is. */
const MAX_OPEN_SEGMENTS = 100;

/** One segment as it stands. */
export interface SegmentText {
  readonly segment: string;
  readonly identity: string;
  readonly name: string;
  readonly text: string;
  readonly isFinal: boolean;
  /** BCP 47; empty when unknown. */
  readonly language: string;
}

interface OpenText {
  readonly latest: SegmentText;
  readonly words: readonly CaptionWord[];
  readonly revision: number;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** `close` it. */
export class TextSegments {
  readonly #changed: (state: CaptionState) => void;
  readonly #open = new Map<string, OpenText>();
  readonly #over = new Set<string>();
  #state: CaptionState;

  constructor(room: RoomName, changed: (state: CaptionState) => void) {
    this.#changed = changed;
    this.#state = startEpoch(room, epochMs(Date.now()));
  }

  get state(): CaptionState {
    return this.#state;
  }

  /** A text that was told already changes nothing; neither does one of a segment that is over. */
  tell(latest: SegmentText): void {
    const { segment, identity, text, isFinal } = latest;
    // Nobody goes on with a segment of somebody else's.
    const key = JSON.stringify([identity, segment]);
    const before = this.#open.get(key);
    if (this.#over.has(key) || (before === undefined && text.trim() === '')) return;
    clearTimeout(before?.timer);
    const texts = text.split(/\s+/).filter((word) => word !== '');
    const keep = commonPrefix(before?.words ?? [], texts);
    const words = [...(before?.words ?? []).slice(0, keep), ...texts.slice(keep).map(wordNow)];
    const revision = (before?.revision ?? 0) + 1;
    this.#apply({ latest, keep, words: words.slice(keep), stable: isFinal ? words.length : 0, revision });
    if (isFinal) {
      this.#end(key);
      return;
    }
    const timer = setTimeout(() => this.tell({ ...latest, isFinal: true }), SETTLED_AFTER_MS);
    this.#open.set(key, { latest, words, revision, timer });
    const [oldest] = this.#open.values();
    if (this.#open.size > MAX_OPEN_SEGMENTS && oldest !== undefined)
      this.tell({ ...oldest.latest, isFinal: true });
  }

  close(): void {
    for (const { timer } of this.#open.values()) clearTimeout(timer);
    this.#open.clear();
  }

  #apply(next: {
    latest: SegmentText;
    keep: number;
    words: readonly CaptionWord[];
    stable: number;
    revision: number;
  }): void {
    const { latest, ...changes } = next;
    this.#state = applyMessage(this.#state, {
      kind: 'delta',
      room: this.#state.room,
      epochMs: this.#state.epochMs,
      seq: this.#state.seq + 1,
      speaker: { identity: participantIdentity(latest.identity), name: latest.name },
      segment: segmentId(JSON.stringify([latest.identity, latest.segment])),
      isFinal: latest.isFinal,
      language: latest.language,
      ...changes,
    });
    this.#changed(this.#state);
  }

  #end(key: string): void {
    this.#open.delete(key);
    this.#over.add(key);
    const oldest = this.#over.values().next();
    if (this.#over.size > MAX_REMEMBERED_SEGMENTS && oldest.done !== true) this.#over.delete(oldest.value);
  }
}

/** These roads tell no times: a word is as old as its arrival. */
function wordNow(text: string): CaptionWord {
  const nowMs = epochMs(Date.now());
  return { text, startMs: nowMs, endMs: nowMs };
}

function commonPrefix(before: readonly CaptionWord[], now: readonly string[]): number {
  let keep = 0;
  while (keep < before.length && keep < now.length && before[keep]?.text === now[keep]) keep += 1;
  return keep;
}
