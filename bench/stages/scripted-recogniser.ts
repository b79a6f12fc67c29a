import { msToSamples, sampleIndex, type SampleIndex } from '../../protocol/index.js';
import type { RecogniserPool } from '../../asr/supervisor/recogniser-pool.js';
import type { OpenUtterance, UtteranceListener } from '../../asr/supervisor/utterance.js';
import type { Token } from '../../asr/token.js';

/** As the default model has them. */
const CHUNK_SAMPLES = msToSamples(320);
const LOOKAHEAD_SAMPLES = msToSamples(130);
/** From the audio of a chunk to its words, and how much of it is the decoding call. */
const ANSWER_MS = 15;
const CALL_MS = 10;

export interface ScriptedWord {
  readonly text: string;
  readonly endSample: number;
}

/**
 * A recogniser that knows what is said where and answers like clockwork: a real one on a busy machine differs from run to run by
 * more than what is to be shown. It wants whole chunks and what follows a word, as the real one does.
 */
export function scriptedRecogniser(
  script: readonly ScriptedWord[],
  /** Wanted after a chunk besides. */
  furtherSamples = 0,
): Pick<RecogniserPool, 'openUtterance'> {
  return {
    openUtterance: (firstSample, listener) =>
      new ScriptedUtterance({ firstSample, listener, script, furtherSamples }),
  };
}

class ScriptedUtterance implements OpenUtterance {
  readonly firstSample: SampleIndex;
  readonly #listener: UtteranceListener;
  readonly #script: readonly ScriptedWord[];
  readonly #furtherSamples: number;
  #end: number;
  #asked: number;
  #decoded: number;
  #isOver = false;

  constructor(options: {
    firstSample: SampleIndex;
    listener: UtteranceListener;
    script: readonly ScriptedWord[];
    furtherSamples: number;
  }) {
    this.firstSample = options.firstSample;
    this.#listener = options.listener;
    this.#script = options.script;
    this.#furtherSamples = options.furtherSamples;
    this.#end = options.firstSample;
    this.#asked = options.firstSample;
    this.#decoded = options.firstSample;
  }

  get endSample(): SampleIndex {
    return sampleIndex(this.#end);
  }

  get decodedThroughSample(): SampleIndex {
    return sampleIndex(this.#decoded);
  }

  append(pcm: Int16Array): void {
    if (this.#isOver) return;
    this.#end += pcm.length;
    const wanted = CHUNK_SAMPLES + this.#furtherSamples;
    for (; this.#end - this.#asked >= wanted; this.#asked += CHUNK_SAMPLES)
      this.#answer(this.#asked + CHUNK_SAMPLES, false);
  }

  /** What it says is written down. */
  setVocabulary(): void {
    return;
  }

  finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#answer(this.#end, true);
  }

  cancel(): void {
    this.#isOver = true;
  }

  #answer(throughSample: number, isFinal: boolean): void {
    setTimeout(() => {
      this.#decoded = throughSample;
      const tookInThrough = isFinal ? throughSample : throughSample + this.#furtherSamples;
      const heardThrough = isFinal ? throughSample : throughSample - LOOKAHEAD_SAMPLES;
      this.#listener.hypothesis({
        committed: this.#tokensThrough(heardThrough),
        provisional: [],
        decodedThroughSample: sampleIndex(tookInThrough),
        isFinal,
        callMs: CALL_MS,
      });
    }, ANSWER_MS);
  }

  #tokensThrough(sample: number): Token[] {
    return this.#script
      .filter(({ endSample }) => endSample > this.firstSample && endSample <= sample)
      .map(({ text, endSample }) => ({ text: ` ${text}`, atSample: sampleIndex(endSample) }));
  }
}
