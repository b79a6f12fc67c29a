/** A pool without children: it knows what is said where, and hears it when the test lets it. */
import { msToSamples, sampleIndex, type SampleIndex } from '../../protocol/index.js';
import type { OpenUtterance, UtteranceListener } from '../supervisor/utterance.js';
import type { Token } from '../token.js';

/** A word of one token that comes out this long after the word began, as with real models. */
export const TOKEN_DELAY_SAMPLES = msToSamples(260);
/** The last audio given has led to no tokens yet: encoders look ahead. */
const LOOKAHEAD_SAMPLES = msToSamples(130);
/** Silence that is decoded after the end, in which the last token may come. */
const LEAD_OUT_SAMPLES = msToSamples(240);
const CHUNK_SAMPLES = msToSamples(320);

export interface SpokenWord {
  readonly text: string;
  readonly startSample: number;
}

export class FakePool {
  readonly #script: readonly SpokenWord[];
  readonly #open = new Set<FakeUtterance>();
  readonly #tokenDelaySamples: number;

  /** `tokenDelaySamples`: some words come out sooner after their beginning than most. */
  constructor(script: readonly SpokenWord[], { tokenDelaySamples = TOKEN_DELAY_SAMPLES } = {}) {
    this.#script = script;
    this.#tokenDelaySamples = tokenDelaySamples;
  }

  get openUtterances(): number {
    return this.#open.size;
  }

  openUtterance(
    firstSample: SampleIndex,
    listener: UtteranceListener,
    vocabulary: readonly string[] = [],
  ): OpenUtterance {
    const utterance = new FakeUtterance({
      firstSample,
      listener,
      vocabulary,
      script: this.#script,
      tokenDelaySamples: this.#tokenDelaySamples,
      ended: () => this.#open.delete(utterance),
    });
    this.#open.add(utterance);
    return utterance;
  }

  /** Decodes one chunk of every utterance that has one; false when none has. */
  decodeOnce(): boolean {
    return [...this.#open].map((utterance) => utterance.decodeChunk()).includes(true);
  }

  /** Recognition gives up on everything that is open. */
  failAll(): void {
    for (const utterance of [...this.#open]) utterance.fail();
  }
}

interface FakeUtteranceOptions {
  readonly firstSample: SampleIndex;
  readonly listener: UtteranceListener;
  readonly vocabulary: readonly string[];
  readonly script: readonly SpokenWord[];
  readonly tokenDelaySamples: number;
  readonly ended: () => void;
}

class FakeUtterance implements OpenUtterance {
  readonly firstSample: SampleIndex;
  readonly #options: FakeUtteranceOptions;
  #end: number;
  #decoded: number;
  #isFinishing = false;
  /** What is favoured from where on. */
  readonly vocabularies: { fromSample: number; phrases: readonly string[] }[];

  constructor(options: FakeUtteranceOptions) {
    this.vocabularies = [{ fromSample: options.firstSample, phrases: options.vocabulary }];
    this.#options = options;
    this.firstSample = options.firstSample;
    this.#end = options.firstSample;
    this.#decoded = options.firstSample;
  }

  get endSample(): SampleIndex {
    return sampleIndex(this.#end);
  }

  get decodedThroughSample(): SampleIndex {
    return sampleIndex(this.#decoded);
  }

  append(pcm: Int16Array): void {
    if (!this.#isFinishing) this.#end += pcm.length;
  }

  setVocabulary(phrases: readonly string[]): void {
    this.vocabularies.push({ fromSample: this.#end, phrases });
  }

  finish(): void {
    this.#isFinishing = true;
  }

  cancel(): void {
    this.#options.ended();
  }

  fail(): void {
    this.#options.ended();
    this.#options.listener.failed();
  }

  decodeChunk(): boolean {
    const isWhole = this.#end - this.#decoded >= CHUNK_SAMPLES;
    if (!isWhole && !this.#isFinishing) return false;
    this.#decoded = isWhole ? this.#decoded + CHUNK_SAMPLES : this.#end;
    const isFinal = this.#isFinishing && this.#decoded === this.#end;
    if (isFinal) this.#options.ended();
    const heardThrough = isFinal ? this.#end + LEAD_OUT_SAMPLES : this.#decoded - LOOKAHEAD_SAMPLES;
    this.#options.listener.hypothesis({
      committed: this.#tokensThrough(heardThrough),
      provisional: [],
      decodedThroughSample: this.decodedThroughSample,
      isFinal,
    });
    return true;
  }

  /** Words that began in this utterance, as far as their tokens have come. */
  #tokensThrough(sample: number): Token[] {
    const { script, tokenDelaySamples } = this.#options;
    return script
      .filter(
        ({ startSample }) =>
          startSample >= this.firstSample &&
          startSample < this.#end &&
          startSample + tokenDelaySamples <= sample,
      )
      .map(({ text, startSample }) => ({
        text: ` ${text}`,
        atSample: sampleIndex(Math.min(this.#end, startSample + tokenDelaySamples)),
      }));
  }
}
