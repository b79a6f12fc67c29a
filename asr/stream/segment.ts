import { sampleIndex, type SampleIndex } from '../../protocol/index.js';
import type { CaptionedWord, SegmentEvent } from '../engine.js';
import type { OpenUtterance } from '../supervisor/utterance.js';
import { applyPunctuation } from '../text/punctuation.js';
import type { Formatter } from '../text/formatter.js';
import type { Hypothesis, RecognisedWord } from '../token.js';
import {
  type CutCandidate,
  ENDPOINT_SILENCE_SAMPLES,
  hardCutSample,
  wordlessCutSample,
} from './segmentation.js';
import type { WordTrace } from './word-trace.js';
import { wordsOf } from './words.js';

/** Why a segment ended, as far as its text is concerned. */
export type SegmentEnd = 'sentence' | 'cut';

export interface SegmentOptions {
  readonly number: number;
  /** Words that begin before this belong to the segment before. */
  readonly fromSample: SampleIndex;
  readonly previous: Segment | undefined;
  readonly formatter: () => Formatter;
  /** Finals are punctuated by a model, so no word is stable before. */
  readonly punctuatesFinals: boolean;
  readonly emit: (event: SegmentEvent) => void;
}

/**
 * One caption segment: the words of one utterance between two positions, formatted. What was told as stable stays, also
 * when a replay should recognise it otherwise.
 */
export class Segment {
  readonly number: number;
  readonly fromSample: SampleIndex;
  /** Set by the stream right after the segment was made. */
  utterance: OpenUtterance | undefined;
  /** The same: stamps its words. */
  trace: WordTrace | undefined;
  /** Without `previous`, which holds the one before it, and so on, with all their audio. */
  readonly #options: Omit<SegmentOptions, 'previous'>;
  #previous: Segment | undefined;
  #toSample = Infinity;
  #end: SegmentEnd | undefined;
  #endSample: number;
  #recognised: readonly RecognisedWord[] = [];
  #told: readonly CaptionedWord[] = [];
  #stableWords = 0;
  /** Raw texts of the recognised words that the stable ones were made of. */
  #settledTexts: readonly string[] = [];
  /** Known once this segment is final. */
  #startedSentence = true;
  #isFinal = false;
  /** Something was told of it, so its end must be told, too. */
  #isKnown = false;
  #decodedThroughSample: number;

  constructor({ previous, ...options }: SegmentOptions) {
    this.number = options.number;
    this.fromSample = options.fromSample;
    this.#endSample = options.fromSample;
    this.#decodedThroughSample = options.fromSample;
    this.#options = options;
    this.#previous = previous;
  }

  get isFinal(): boolean {
    return this.#isFinal;
  }

  /** Where to cut, when it has become too long. */
  get hardCutSample(): number | undefined {
    return hardCutSample({ ...this.#cutCandidate, settledWords: this.#settledTexts.length });
  }

  /** Where its sentence ended, when no word has come for long. */
  get wordlessCutSample(): { endSample: number; cutSample: number } | undefined {
    return wordlessCutSample(this.#cutCandidate);
  }

  get #cutCandidate(): Omit<CutCandidate, 'settledWords'> {
    return {
      // What may still change depends on how fast this machine is; where a segment ends must not.
      words: this.#recognised.filter(({ isCommitted }) => isCommitted),
      segmentStartSample: this.fromSample,
      decodedThroughSample: this.#decodedThroughSample,
    };
  }

  /** The audio before this position led to the words so far. */
  get decodedThroughSample(): number {
    return this.#decodedThroughSample;
  }

  /** Audio ends at `endSample`; with a cut, words from `toSample` on belong to the next segment. */
  end(end: { kind: SegmentEnd; endSample: number; toSample?: number }): void {
    this.#end ??= end.kind;
    this.#endSample = end.endSample;
    this.#toSample = Math.min(this.#toSample, end.toSample ?? Infinity);
  }

  /** Audio that is this segment's: from `fromSample` to where the next one takes over. */
  get toSample(): number {
    return this.#toSample;
  }

  /** True when what follows begins a new sentence. */
  endsSentenceBefore(nextSample: number): boolean {
    if (this.#isFinal && this.#told.length === 0) return this.#startedSentence;
    return this.#end === 'sentence' || nextSample - this.#endSample >= ENDPOINT_SILENCE_SAMPLES;
  }

  update(hypothesis: Hypothesis, punctuatedText?: string): void {
    if (this.#isFinal) return;
    this.#decodedThroughSample = hypothesis.decodedThroughSample;
    const all = wordsOf(hypothesis, this.fromSample);
    this.#recognised = all.filter(
      (word) => word.firstTokenSample >= this.fromSample && word.firstTokenSample < this.#toSample,
    );
    const isWhole = this.#recognised.length === all.length;
    this.#tell(hypothesis, isWhole ? punctuatedText : undefined);
  }

  /** Recognition gave up: what was told stands. */
  abandon(): void {
    if (this.#isFinal) return;
    this.#becomeFinal();
    if (this.#isKnown) this.#emit(this.#told, this.utterance?.decodedThroughSample ?? this.fromSample);
  }

  #becomeFinal(): void {
    this.#startedSentence = this.#startsSentence();
    this.#isFinal = true;
    // Or every segment would keep all that were before it.
    this.#previous = undefined;
  }

  #tell(hypothesis: Hypothesis, punctuatedText: string | undefined): void {
    if (hypothesis.isFinal) this.#becomeFinal();
    const settled = this.#settledWords();
    const words = [...this.#told.slice(0, this.#stableWords), ...this.#format(punctuatedText).slice(settled)];
    const newlySettled = Math.max(0, this.#countStable() - settled);
    // Words that were shown early and have come to stay are news where only such words are shown.
    const isNews = newlySettled > 0 || !sameWords(words, this.#told);
    const isWorthTelling = hypothesis.isFinal ? this.#isKnown || words.length > 0 : isNews;
    this.#told = words;
    this.#stableWords += newlySettled;
    this.#settledTexts = this.#recognised.slice(0, settled + newlySettled).map((word) => word.text);
    if (isWorthTelling) this.#emit(words, hypothesis.decodedThroughSample);
  }

  /** How many leading words of the newest hypothesis are those that were told as stable. */
  #settledWords(): number {
    const isSame = this.#settledTexts.every((text, index) => text === this.#recognised[index]?.text);
    if (isSame) return this.#settledTexts.length;
    // A replay that recognised the settled part otherwise: what was told stands, and goes on where it ended.
    const settledThroughSample = this.#told[this.#stableWords - 1]?.endSample ?? 0;
    const next = this.#recognised.findIndex(
      (word) => (word.startSample + word.endSample) / 2 > settledThroughSample,
    );
    return next === -1 ? this.#recognised.length : next;
  }

  #format(punctuatedText: string | undefined): CaptionedWord[] {
    const raw = this.#recognised.map((word) => word.text);
    const punctuated = punctuatedText === undefined ? undefined : applyPunctuation(raw, punctuatedText);
    const texts =
      punctuated ??
      this.#options.formatter().format(raw, {
        startsSentence: this.#startsSentence(),
        endsSentence: this.#isFinal && this.#end !== 'cut',
      });
    return this.#recognised.map((word, index) => captioned(word, texts[index] ?? word.text));
  }

  #countStable(): number {
    if (this.#options.punctuatesFinals) return 0;
    const committed = this.#recognised.filter((word) => word.isCommitted).map((word) => word.text);
    return this.#options.formatter().stableCount(committed);
  }

  #startsSentence(): boolean {
    if (this.#isFinal) return this.#startedSentence;
    return this.#previous?.endsSentenceBefore(this.fromSample) ?? true;
  }

  #emit(words: readonly CaptionedWord[], decodedThroughSample: number): void {
    this.#isKnown = true;
    this.#options.emit({
      kind: 'segment',
      segment: this.number,
      words,
      stableWords: this.#isFinal ? words.length : this.#stableWords,
      isFinal: this.#isFinal,
      decodedThroughSample: sampleIndex(decodedThroughSample),
    });
  }
}

function captioned(word: RecognisedWord, text: string): CaptionedWord {
  const { startSample, endSample, confidence } = word;
  return { text, startSample, endSample, ...(confidence === undefined ? {} : { confidence }) };
}

function sameWords(a: readonly CaptionedWord[], b: readonly CaptionedWord[]): boolean {
  return a.length === b.length && a.every((word, index) => word.text === b[index]?.text);
}
