import {
  type CaptionDelta,
  type CaptionWord,
  type EpochMs,
  segmentId,
  type SegmentId,
  type Speaker,
} from '../../protocol/index.js';
import type { CaptionedWord, SegmentEvent } from '../../asr/index.js';

/** A delta without what the room adds. */
export type DeltaDraft = Omit<CaptionDelta, 'kind' | 'room' | 'epochMs' | 'seq' | 'revision'>;

interface ToldSegment {
  readonly id: SegmentId;
  words: readonly CaptionWord[];
  stable: number;
}

/** Whose words these are, and from which track they come. */
export interface SpeakerSource {
  readonly speaker: Speaker;
  /** LiveKit's track id, where there is one. */
  readonly trackSid?: string;
}

export interface DeltaAssemblerOptions extends SpeakerSource {
  readonly language: string;
  /** Makes segment ids unique: nothing that was used before in this room. */
  readonly idPrefix: string;
  readonly spanToEpochMs: (
    startSample: number,
    endSample: number,
  ) => { readonly startMs: EpochMs; readonly endMs: EpochMs };
}

/** Turns the successive texts of a speaker's segments into what changed since the last one. */
export class DeltaAssembler {
  readonly #options: DeltaAssemblerOptions;
  readonly #told = new Map<number, ToldSegment>();
  /** A new name or track holds from the next delta on. */
  source: SpeakerSource;

  constructor(options: DeltaAssemblerOptions) {
    this.#options = options;
    this.source = options;
  }

  /** Undefined when nothing changed that a viewer could see. */
  next(event: SegmentEvent): DeltaDraft | undefined {
    const known = this.#told.get(event.segment);
    const before = known?.words ?? [];
    const keep = commonPrefix(before, event.words);
    const isUnchanged =
      keep === before.length && keep === event.words.length && event.stableWords <= (known?.stable ?? 0);
    if (isUnchanged && !event.isFinal) return undefined;
    const segment = known ?? {
      id: segmentId(`${this.#options.idPrefix}-${event.segment}`),
      words: [],
      stable: 0,
    };
    const added = event.words.slice(keep).map((word) => this.#captionWord(word));
    segment.words = [...before.slice(0, keep), ...added];
    segment.stable = event.stableWords;
    if (event.isFinal) this.#told.delete(event.segment);
    else this.#told.set(event.segment, segment);
    const { speaker, trackSid } = this.source;
    return {
      speaker,
      ...(trackSid === undefined ? {} : { trackSid }),
      segment: segment.id,
      keep,
      words: added,
      stable: event.isFinal ? event.words.length : event.stableWords,
      isFinal: event.isFinal,
      language: this.#options.language,
    };
  }

  #captionWord(word: CaptionedWord): CaptionWord {
    return {
      text: word.text,
      ...this.#options.spanToEpochMs(word.startSample, word.endSample),
      ...(word.confidence === undefined ? {} : { confidence: Math.round(word.confidence * 100) / 100 }),
    };
  }
}

/** Words told already keep their times: only a change of text is a change. */
function commonPrefix(before: readonly CaptionWord[], now: readonly CaptionedWord[]): number {
  let keep = 0;
  while (keep < before.length && keep < now.length && before[keep]?.text === now[keep]?.text) keep += 1;
  return keep;
}
