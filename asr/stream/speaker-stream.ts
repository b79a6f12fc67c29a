import { type GapReason, msToSamples, sampleIndex, type SampleIndex } from '../../protocol/index.js';
import type { AudioFrame } from '../audio/audio-frame.js';
import { PcmWindow } from '../audio/pcm-window.js';
import type { AsrStream } from '../engine.js';
import type { JudgedFrame, SpeechEvent } from '../gate/speech-detector.js';
import type { VadBatcher } from '../gate/vad-batcher.js';
import { VoiceGate } from '../gate/voice-gate.js';
import type { RecogniserPool } from '../supervisor/recogniser-pool.js';
import type { Formatter } from '../text/formatter.js';
import { EventQueue } from './event-queue.js';
import { Segment, type SegmentEnd } from './segment.js';
import {
  ENDPOINT_SILENCE_SAMPLES,
  endpointSilenceSamples,
  HARD_CUT_AFTER_SAMPLES,
  HARD_CUT_WARM_UP_SAMPLES,
  hardCutSample,
  PRE_ROLL_SAMPLES,
} from './segmentation.js';

/** Undecoded audio that one stream may hold. What is older is given up and told as a gap. */
const MAX_BACKLOG_SAMPLES = msToSamples(30_000);
/** An utterance that nobody decodes is closed at this length, so that the backlog can be dropped in pieces. */
const MAX_UTTERANCE_SAMPLES = msToSamples(24_000);

export interface SpeakerStreamOptions {
  readonly pool: RecogniserPool;
  readonly batcher: VadBatcher;
  readonly createFormatter: (vocabulary: readonly string[]) => Formatter;
  readonly punctuatesFinals: boolean;
  readonly vocabulary: readonly string[];
  /** See `AsrStreamOptions`. */
  readonly idleFlushMs: number;
  readonly closed: (stream: SpeakerStream) => void;
}

/** Audio of one speaker → voice gate → utterances → segments. */
export class SpeakerStream implements AsrStream {
  readonly #options: SpeakerStreamOptions;
  readonly #gate: VoiceGate;
  readonly #queue = new EventQueue();
  #history = new PcmWindow(sampleIndex(0));
  #formatter: Formatter;
  /** Segments whose final has not come, oldest first; the last one may still take audio. */
  #segments: Segment[] = [];
  /** The segment that takes audio. */
  #open: Segment | undefined;
  #lastSegment: Segment | undefined;
  #segmentCount = 0;
  /** Audio before this belongs to an utterance already. */
  #takenThroughSample = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(options: SpeakerStreamOptions) {
    this.#options = options;
    this.#formatter = options.createFormatter(options.vocabulary);
    this.#gate = new VoiceGate({
      batcher: options.batcher,
      firstSample: 0,
      endpointSilenceSamples: () => this.#endpointSilence(),
      judged: (frame, event) => this.#judged(frame, event),
    });
  }

  get events(): EventQueue {
    return this.#queue;
  }

  get receivedThroughSample(): SampleIndex {
    return this.#history.endSample;
  }

  get recognisedThroughSample(): SampleIndex {
    const oldest = this.#segments[0]?.utterance;
    return oldest?.decodedThroughSample ?? sampleIndex(this.#gate.judgedThroughSample);
  }

  push(frame: AudioFrame): void {
    if (this.#isClosing) return;
    const missing = frame.firstSample - this.#history.endSample;
    if (missing > 0) this.#skipMissing(frame.firstSample);
    const pcm = missing < 0 ? frame.pcm.subarray(-missing) : frame.pcm;
    this.#history.append(pcm);
    this.#open?.utterance?.append(pcm);
    this.#gate.push(pcm);
    this.#boundBacklog();
    this.#restartIdleTimer();
  }

  flush(): void {
    if (this.#open !== undefined) this.#endOpen({ kind: 'sentence', endSample: this.#history.endSample });
    this.#gate.endSpeech();
  }

  settled(): Promise<void> {
    return this.#gate.idle();
  }

  setVocabulary(vocabulary: readonly string[]): void {
    this.#formatter = this.#options.createFormatter(vocabulary);
  }

  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      clearTimeout(this.#idleTimer);
      await this.#gate.idle();
      this.flush();
      this.#gate.close();
      this.#endIfDone();
    }
    return this.#queue.ended;
  }

  destroy(): void {
    this.#isClosing = true;
    clearTimeout(this.#idleTimer);
    for (const segment of this.#segments) segment.utterance?.cancel();
    this.#segments = [];
    this.#open = undefined;
    this.#gate.close();
    this.#endIfDone();
  }

  #judged(frame: JudgedFrame, event: SpeechEvent | undefined): void {
    if (event?.kind === 'start') this.#openAt(Math.max(event.onsetSample - PRE_ROLL_SAMPLES, this.#takenThroughSample));
    else if (event?.kind === 'end') this.#endOpen({ kind: this.#endKind(), endSample: event.atSample });
    else if (this.#isStalled(frame)) this.#reopenAt(this.#history.endSample);
    const neededFrom = this.#open?.utterance?.firstSample ?? frame.endSample;
    this.#history.discardBefore(Math.min(neededFrom, frame.endSample - 2 * PRE_ROLL_SAMPLES));
  }

  /** A short pause ends a long segment but not a sentence. */
  #endKind(): SegmentEnd {
    return this.#endpointSilence() < ENDPOINT_SILENCE_SAMPLES ? 'cut' : 'sentence';
  }

  #endpointSilence(): number {
    const start = this.#open?.fromSample;
    return endpointSilenceSamples(start === undefined ? 0 : this.#gate.judgedThroughSample - start);
  }

  #isStalled(frame: JudgedFrame): boolean {
    const first = this.#open?.utterance?.firstSample;
    return first !== undefined && frame.endSample - first >= MAX_UTTERANCE_SAMPLES;
  }

  #openAt(fromSample: number, warmUpSamples = 0): void {
    const firstSample = sampleIndex(Math.max(fromSample - warmUpSamples, this.#history.startSample));
    const segment = new Segment({
      number: ++this.#segmentCount,
      fromSample: sampleIndex(Math.max(fromSample, firstSample)),
      previous: this.#lastSegment,
      formatter: () => this.#formatter,
      punctuatesFinals: this.#options.punctuatesFinals,
      emit: (event) => this.#queue.push(event),
    });
    const utterance = this.#options.pool.openUtterance(firstSample, {
      hypothesis: (hypothesis, punctuatedText) => {
        segment.update(hypothesis, punctuatedText);
        if (segment.isFinal) this.#settle(segment);
        else if (segment === this.#open) this.#cutIfTooLong(segment, hypothesis.decodedThroughSample);
      },
      failed: () => this.#giveUp(segment, 'recogniser_failed'),
    });
    segment.utterance = utterance;
    this.#segments.push(segment);
    this.#lastSegment = segment;
    this.#open = segment;
    utterance.append(this.#history.slice(firstSample, this.#history.endSample));
    this.#takenThroughSample = this.#history.endSample;
  }

  #endOpen(end: { kind: SegmentEnd; endSample: number; toSample?: number }): void {
    const segment = this.#open;
    if (segment === undefined) return;
    this.#open = undefined;
    this.#takenThroughSample = Math.max(end.toSample ?? end.endSample, segment.fromSample);
    segment.end(end);
    segment.utterance?.finish();
  }

  #cutIfTooLong(segment: Segment, decodedThroughSample: number): void {
    if (decodedThroughSample - segment.fromSample < HARD_CUT_AFTER_SAMPLES) return;
    const cutSample = hardCutSample(segment.words, segment.fromSample);
    if (cutSample === undefined) return;
    this.#endOpen({ kind: 'cut', endSample: cutSample, toSample: cutSample });
    this.#openAt(cutSample, HARD_CUT_WARM_UP_SAMPLES);
  }

  /** Recognition does not follow: the utterance is closed here and the next begins without a seam. */
  #reopenAt(sample: number): void {
    this.#endOpen({ kind: 'cut', endSample: sample });
    this.#openAt(sample);
  }

  /** Audio was lost before `sample`: what was said before it is finished, and everything begins anew there. */
  #skipMissing(sample: SampleIndex): void {
    const fromSample = this.#history.endSample;
    this.flush();
    this.#history = new PcmWindow(sample);
    this.#takenThroughSample = sample;
    this.#gate.jumpTo(sample);
    this.#queue.push({ kind: 'gap', fromSample, toSample: sample, reason: 'audio_missing' });
  }

  #boundBacklog(): void {
    while (this.#segments.length > 1 && this.#backlogSamples() > MAX_BACKLOG_SAMPLES) {
      const oldest = this.#segments[0];
      if (oldest === undefined || oldest === this.#open) return;
      oldest.utterance?.cancel();
      this.#giveUp(oldest, 'overloaded');
    }
  }

  #backlogSamples(): number {
    let samples = 0;
    for (const { utterance } of this.#segments) {
      if (utterance !== undefined) samples += utterance.endSample - utterance.decodedThroughSample;
    }
    return samples;
  }

  #giveUp(segment: Segment, reason: GapReason): void {
    const { utterance } = segment;
    if (segment === this.#open) {
      this.#open = undefined;
      this.#gate.endSpeech();
      this.#takenThroughSample = this.#history.endSample;
    }
    segment.abandon();
    if (utterance !== undefined && utterance.endSample > utterance.decodedThroughSample) {
      const { decodedThroughSample: fromSample, endSample: toSample } = utterance;
      this.#queue.push({ kind: 'gap', fromSample, toSample, reason });
    }
    this.#settle(segment);
  }

  #settle(segment: Segment): void {
    this.#segments = this.#segments.filter((open) => open !== segment);
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#isClosing || this.#segments.length > 0 || this.#queue.isClosed) return;
    this.#queue.close();
    this.#options.closed(this);
  }

  #restartIdleTimer(): void {
    if (this.#options.idleFlushMs === 0) return;
    if (this.#idleTimer === undefined) this.#idleTimer = setTimeout(() => this.flush(), this.#options.idleFlushMs);
    else this.#idleTimer.refresh();
  }
}

