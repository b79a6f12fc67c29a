/**
 * The contract of speech recognition: audio of one speaker in, caption segments out.
 *
 * An `AsrEngine` owns models and child processes and opens any number of streams. An `AsrStream` is one speaker. Silence
 * costs next to nothing. When a child ends, streams go on by themselves: what was not final yet is recognised again, and
 * what had been told stands. What could not be recognised is told as a gap, never left out in silence.
 */
import type { GapReason, SampleIndex } from '../protocol/index.js';
import type { AudioFrame } from './audio/audio-frame.js';
import type { StallLimits } from './stream/stall-watch.js';
import type { WordMoments } from './stream/word-moments.js';
import type { UnfavouredPhrases } from './vocabulary-check.js';

export interface AsrStreamOptions {
  /** Names and terms with the spelling to show; recognition favours them where it can. */
  readonly vocabulary?: readonly string[];
  /** BCP 47, for instance "en". Default: the model's first language. */
  readonly language?: string;
  /** What happens to an open segment when no audio arrives. Default: nothing, it waits. */
  readonly stall?: StallLimits;
}

/** A word as it is to be shown. */
export interface CaptionedWord {
  /** Formatted, punctuation attached. */
  readonly text: string;
  readonly startSample: SampleIndex;
  readonly endSample: SampleIndex;
  readonly confidence?: number;
}

/** The newest text of one segment; replaces what was told of the same segment before. */
export interface SegmentEvent {
  readonly kind: 'segment';
  /** 1, 2, 3, … within the stream. */
  readonly segment: number;
  readonly words: readonly CaptionedWord[];
  /** How many leading words never change again. */
  readonly stableWords: number;
  readonly isFinal: boolean;
  /** The audio before this position led to this text. */
  readonly decodedThroughSample: SampleIndex;
  /** One for each word: when it was where. Absent where the engine does not stamp. */
  readonly moments?: readonly WordMoments[];
}

/** Speech between two positions that was not recognised. */
export interface GapEvent {
  readonly kind: 'gap';
  readonly fromSample: SampleIndex;
  readonly toSample: SampleIndex;
  readonly reason: GapReason;
}

export type AsrEvent = SegmentEvent | GapEvent;

export interface AsrStream {
  /**
   * Takes a frame; never blocks. A frame that begins after the expected position is reported as a gap; samples that were
   * pushed before are left out. Ignored after `close`.
   */
  push(frame: AudioFrame): void;
  /** Position after the last sample pushed. */
  readonly receivedThroughSample: SampleIndex;
  /** All audio before this position has led to whatever text it leads to. */
  readonly recognisedThroughSample: SampleIndex;
  /**
   * All that was said before this position is in events that were read and say that it is final, or a gap; or it was silence. Whoever
   * has the audio after it can have all the rest recognised again.
   */
  readonly finalThroughSample: SampleIndex;
  /**
   * Finishes what is being said, without waiting for silence: the speaker muted. What is pushed afterwards was spoken later, and no
   * utterance reaches over that pause.
   */
  flush(): void;
  /** Resolves when all whole frames pushed so far have passed the voice gate. */
  settled(): Promise<void>;
  /** For names that come up later: spelled so in words not shown yet, favoured in the audio to come. */
  setVocabulary(vocabulary: readonly string[]): void;
  /**
   * Segments and gaps in the order in which they happen. One reader. Versions of an open segment that were not read
   * before the next came are skipped, so a slow reader costs no memory. Ends after `close` and the last final.
   */
  readonly events: AsyncIterable<AsrEvent>;
  /** Finishes what is being said; resolves when the last event is there to be read. Idempotent. */
  close(): Promise<void>;
  /** Ends at once; what is open is lost. */
  destroy(): void;
}

export interface AsrEngine {
  openStream(options?: AsrStreamOptions): AsrStream;
  /** What of a vocabulary recognition cannot favour, for whoever gave it; undefined when nothing. Never rejects. */
  unfavoured(vocabulary: readonly string[]): Promise<UnfavouredPhrases | undefined>;
  close(): Promise<void>;
}
