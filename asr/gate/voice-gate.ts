import { LevelGate } from './level-gate.js';
import { VAD_FRAME_SAMPLES, type VadRequest, VadState } from './silero-vad.js';
import { type JudgedFrame, SpeechDetector, type SpeechEvent } from './speech-detector.js';
import type { VadBatcher, VadClient } from './vad-batcher.js';

export interface VoiceGateOptions {
  readonly batcher: VadBatcher;
  readonly firstSample: number;
  /** How much silence ends speech at the present place. */
  readonly endpointSilenceSamples: () => number;
  /** After each frame, in order; `event` when speech begins or ends with it. */
  readonly judged: (frame: JudgedFrame, event: SpeechEvent | undefined) => void;
}

/** One stream's way through level test and voice activity model. Frames that wait for their verdict are kept. */
export class VoiceGate implements VadClient {
  readonly #options: VoiceGateOptions;
  readonly #detector = new SpeechDetector();
  readonly #level = new LevelGate();
  readonly #vadState = new VadState();
  #partialFrame = new Int16Array(VAD_FRAME_SAMPLES);
  #partialSamples = 0;
  #pending: Int16Array[] = [];
  #isRequested = false;
  #inFlight: Int16Array | undefined;
  #position: number;
  #idleWaiters: (() => void)[] = [];

  constructor(options: VoiceGateOptions) {
    this.#options = options;
    this.#position = options.firstSample;
  }

  /** Everything before this position was judged. */
  get judgedThroughSample(): number {
    return this.#position;
  }

  push(pcm: Int16Array): void {
    let taken = 0;
    while (taken < pcm.length) {
      const part = pcm.subarray(taken, taken + VAD_FRAME_SAMPLES - this.#partialSamples);
      this.#partialFrame.set(part, this.#partialSamples);
      this.#partialSamples += part.length;
      taken += part.length;
      if (this.#partialSamples < VAD_FRAME_SAMPLES) return;
      this.#pending.push(this.#partialFrame);
      this.#partialFrame = new Int16Array(VAD_FRAME_SAMPLES);
      this.#partialSamples = 0;
      this.#advance();
    }
  }

  /** The owner ended the utterance: what follows is a new one. */
  endSpeech(): void {
    this.#detector.reset();
  }

  /** Starts anew at another place: audio is missing before it. */
  jumpTo(sample: number): void {
    this.#pending = [];
    this.#inFlight = undefined;
    this.#partialSamples = 0;
    this.#position = sample;
    this.#detector.reset();
    this.#vadState.reset();
    this.#wakeIdleWaiters();
  }

  /** Resolves when every whole frame that was pushed has been judged. */
  idle(): Promise<void> {
    if (!this.#isBusy) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  close(): void {
    this.jumpTo(this.#position);
    this.#options.batcher.remove(this);
  }

  takeRequest(): VadRequest | undefined {
    this.#isRequested = false;
    this.#inFlight = this.#pending.shift();
    return this.#inFlight === undefined ? undefined : { frame: this.#inFlight, state: this.#vadState };
  }

  deliver(probability: number): void {
    // A jump made the verdict worthless.
    if (this.#inFlight === undefined) return;
    this.#inFlight = undefined;
    this.#judged(probability);
    this.#advance();
  }

  get #isBusy(): boolean {
    return this.#pending.length > 0 || this.#inFlight !== undefined;
  }

  /** Settles quiet frames at once and asks for a verdict on the first other one. */
  #advance(): void {
    while (this.#inFlight === undefined && !this.#isRequested) {
      const next = this.#pending[0];
      if (next === undefined) break;
      if (!this.#detector.isSpeaking && this.#level.isQuiet(next)) {
        this.#pending.shift();
        this.#vadState.reset();
        this.#judged(0);
      } else {
        this.#isRequested = true;
        this.#options.batcher.request(this);
      }
    }
    if (!this.#isBusy) this.#wakeIdleWaiters();
  }

  #judged(probability: number): void {
    const frame = { firstSample: this.#position, endSample: this.#position + VAD_FRAME_SAMPLES, probability };
    this.#position = frame.endSample;
    this.#options.judged(frame, this.#detector.judge(frame, this.#options.endpointSilenceSamples()));
  }

  #wakeIdleWaiters(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const wake of waiters) wake();
  }
}
