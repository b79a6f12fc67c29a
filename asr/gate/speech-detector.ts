/**
 * From probabilities of speech, frame by frame, to where speech begins and ends. Pure: it depends on the audio alone, so
 * the same audio gives the same utterances however it arrived.
 */

/** Lower than Silero's usual 0.5 / 0.35: a word lost at the beginning costs more than a second of decoding. */
const SPEECH_PROBABILITY = 0.35;
const SILENCE_PROBABILITY = 0.2;
/** Frames in a row above the threshold before speech counts as begun: keeps clicks out. */
const ONSET_FRAMES = 2;

export interface JudgedFrame {
  readonly firstSample: number;
  readonly endSample: number;
  /** 0 for a frame that was too quiet to be judged. */
  readonly probability: number;
}

export type SpeechEvent =
  | { readonly kind: 'start'; readonly onsetSample: number }
  /** Enough silence has passed; `atSample` is its end. */
  | { readonly kind: 'end'; readonly atSample: number };

export class SpeechDetector {
  #isSpeaking = false;
  #framesAbove = 0;
  #onsetSample = 0;
  #silentSamples = 0;

  get isSpeaking(): boolean {
    return this.#isSpeaking;
  }

  /** Silence since the last speech; 0 while nobody speaks. */
  get silentSamples(): number {
    return this.#isSpeaking ? this.#silentSamples : 0;
  }

  /** `endpointSilenceSamples`: how much silence ends speech at this place. */
  judge(frame: JudgedFrame, endpointSilenceSamples: number): SpeechEvent | undefined {
    return this.#isSpeaking ? this.#whileSpeaking(frame, endpointSilenceSamples) : this.#whileSilent(frame);
  }

  /** The owner ended the utterance itself. */
  reset(): void {
    this.#isSpeaking = false;
    this.#framesAbove = 0;
    this.#silentSamples = 0;
  }

  /** A new utterance begins in the middle of speech: silence is counted anew. */
  continueSpeech(): void {
    this.#silentSamples = 0;
  }

  #whileSilent(frame: JudgedFrame): SpeechEvent | undefined {
    if (frame.probability < SPEECH_PROBABILITY) {
      this.#framesAbove = 0;
      return undefined;
    }
    if (this.#framesAbove === 0) this.#onsetSample = frame.firstSample;
    this.#framesAbove += 1;
    if (this.#framesAbove < ONSET_FRAMES) return undefined;
    this.#framesAbove = 0;
    this.#silentSamples = 0;
    this.#isSpeaking = true;
    return { kind: 'start', onsetSample: this.#onsetSample };
  }

  #whileSpeaking(frame: JudgedFrame, endpointSilenceSamples: number): SpeechEvent | undefined {
    this.#silentSamples =
      frame.probability < SILENCE_PROBABILITY ? this.#silentSamples + frame.endSample - frame.firstSample : 0;
    if (this.#silentSamples < endpointSilenceSamples) return undefined;
    this.reset();
    return { kind: 'end', atSample: frame.endSample };
  }
}
