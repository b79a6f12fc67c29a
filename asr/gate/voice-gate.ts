import { LevelGate } from './level-gate.js';
import { VAD_FRAME_SAMPLES, type VadRequest, VadState } from './silero-vad.js';
import { type JudgedFrame, SpeechDetector, type SpeechEvent } from './speech-detector.js';
import type { VadBatcher, VadClient } from './vad-batcher.js';

/**
 * More frames than this wait for their verdicts only when audio has to catch up: a packet of 100 ms brings up to four, and LiveKit's
 * of 60 ms two. Those need no haste, because utterances are given audio ahead of the verdict.
 */
const LIVE_FRAMES = 4;

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
  #vadState = new VadState();
  #partialFrame = new Int16Array(VAD_FRAME_SAMPLES);
  #partialSamples = 0;
  #pending: Int16Array[] = [];
  #isRequested = false;
  #inFlight: Int16Array | undefined;
  #position: number;
  #idleWaiters: (() => void)[] = [];
  /** Judged since speech began. */
  #speechFrames: JudgedFrame[] = [];

  constructor(options: VoiceGateOptions) {
    this.#options = options;
    this.#position = options.firstSample;
  }

  /** Everything before this position was judged. */
  get judgedThroughSample(): number {
    return this.#position;
  }

  /** Judged silence at the end of what is being said. */
  get trailingSilenceSamples(): number {
    return this.#detector.silentSamples;
  }

  /** Takes audio of any length. Whole frames in it are kept as views, so it must not be changed afterwards. */
  push(pcm: Int16Array): void {
    let taken = 0;
    while (taken < pcm.length) {
      const isWholeFrame = this.#partialSamples === 0 && pcm.length - taken >= VAD_FRAME_SAMPLES;
      if (isWholeFrame) {
        this.#accept(pcm.subarray(taken, taken + VAD_FRAME_SAMPLES));
        taken += VAD_FRAME_SAMPLES;
        continue;
      }
      const part = pcm.subarray(taken, taken + VAD_FRAME_SAMPLES - this.#partialSamples);
      this.#partialFrame.set(part, this.#partialSamples);
      this.#partialSamples += part.length;
      taken += part.length;
      if (this.#partialSamples < VAD_FRAME_SAMPLES) return;
      this.#partialSamples = 0;
      const isKept = this.#accept(this.#partialFrame);
      if (isKept) this.#partialFrame = new Int16Array(VAD_FRAME_SAMPLES);
    }
  }

  /** The owner ended the utterance: what follows is a new one. */
  endSpeech(): void {
    this.#detector.reset();
    this.#speechFrames = [];
  }

  /**
   * The owner began a new utterance at `sample`, in the middle of speech. How long a pause ends it depends on that, so what
   * was judged after it is judged again: the outcome is the same however late the owner decided.
   */
  judgeAgainFrom(sample: number): void {
    const frames = this.#speechFrames.filter((frame) => frame.firstSample >= sample);
    this.#speechFrames = [];
    this.#detector.continueSpeech();
    for (const frame of frames) this.#tell(frame);
  }

  /** Starts anew at another place: audio is missing before it. */
  jumpTo(sample: number): void {
    this.#pending = [];
    this.#inFlight = undefined;
    this.#partialSamples = 0;
    this.#position = sample;
    this.endSpeech();
    // Not reset: a verdict that is under way still writes into the old one.
    this.#vadState = new VadState();
    this.#wakeIdleWaiters();
  }

  /** True when every whole frame that was pushed has been judged. */
  get isIdle(): boolean {
    return this.#pending.length === 0 && this.#inFlight === undefined;
  }

  /** Resolves when `isIdle`. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
      this.#options.batcher.hurry();
    });
  }

  close(): void {
    this.jumpTo(this.#position);
    this.#options.batcher.remove(this);
  }

  get isBehind(): boolean {
    return this.#pending.length > LIVE_FRAMES || this.#idleWaiters.length > 0;
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

  /** Settles a quiet frame at once, which is the usual case of a silent speaker; true when the frame had to be kept. */
  #accept(frame: Int16Array): boolean {
    if (this.isIdle && !this.#detector.isSpeaking) {
      if (this.#level.isQuiet(frame)) {
        this.#judgedQuiet();
        return false;
      }
      this.#pending.push(frame);
      this.#requestVerdict();
    } else {
      this.#pending.push(frame);
      this.#advance();
    }
    return true;
  }

  /** Settles quiet frames at once and asks for a verdict on the first other one. */
  #advance(): void {
    while (this.#inFlight === undefined && !this.#isRequested) {
      const next = this.#pending[0];
      if (next === undefined) break;
      if (!this.#detector.isSpeaking && this.#level.isQuiet(next)) {
        this.#pending.shift();
        this.#judgedQuiet();
      } else {
        this.#requestVerdict();
      }
    }
    if (this.isIdle) this.#wakeIdleWaiters();
  }

  #requestVerdict(): void {
    this.#isRequested = true;
    this.#options.batcher.request(this);
  }

  #judgedQuiet(): void {
    this.#vadState.reset();
    this.#judged(0);
  }

  #judged(probability: number): void {
    this.#tell({ firstSample: this.#position, endSample: this.#position + VAD_FRAME_SAMPLES, probability });
  }

  #tell(frame: JudgedFrame): void {
    this.#position = frame.endSample;
    const event = this.#detector.judge(frame, this.#options.endpointSilenceSamples());
    if (this.#detector.isSpeaking) this.#speechFrames.push(frame);
    else this.#speechFrames = [];
    this.#options.judged(frame, event);
  }

  #wakeIdleWaiters(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const wake of waiters) wake();
  }
}
