import { type GapReason, msToSamples, sampleIndex, type SampleIndex } from '../../protocol/index.js';
import type { AudioFrame } from '../audio/audio-frame.js';
import { PcmWindow } from '../audio/pcm-window.js';
import type { AsrStream } from '../engine.js';
import { VAD_FRAME_SAMPLES } from '../gate/silero-vad.js';
import type { JudgedFrame, SpeechEvent } from '../gate/speech-detector.js';
import type { VadBatcher } from '../gate/vad-batcher.js';
import { VoiceGate } from '../gate/voice-gate.js';
import { monotonicNow } from '../monotonic-clock.js';
import type { RecogniserPool } from '../supervisor/recogniser-pool.js';
import type { UtteranceListener } from '../supervisor/utterance.js';
import type { Formatter } from '../text/formatter.js';
import type { Hypothesis } from '../token.js';
import { EventQueue } from './event-queue.js';
import { SampleStamps } from './sample-stamps.js';
import { SegmentLine } from './segment-line.js';
import { Segment, type SegmentEnd } from './segment.js';
import {
  BETWEEN_WORDS_SILENCE_SAMPLES,
  ENDPOINT_SILENCE_SAMPLES,
  endpointSilenceSamples,
  HARD_CUT_WARM_UP_SAMPLES,
  PRE_ROLL_SAMPLES,
} from './segmentation.js';
import { type StallLimits, StallWatch } from './stall-watch.js';
import { WordTrace } from './word-trace.js';
import { detached } from '../detached.js';

/** Undecoded audio that one stream may hold. What is older is given up and told as a gap. */
const MAX_BACKLOG_SAMPLES = msToSamples(30_000);
/** An utterance that nobody decodes is closed at this length, so that the backlog can be dropped in pieces. */
const MAX_UTTERANCE_SAMPLES = msToSamples(27_000);
/**
 * An utterance is given audio before the gate has judged it, or every word would come later; but no more than this, because
 * what follows the end of speech belongs to the next utterance.
 */
const MAX_LEAD_SAMPLES = msToSamples(200);

/** Something to be done in its turn. `flush`: the speaker stopped; `paused` and `overdue`: see `StallListener`. */
type InboxItem = AudioFrame | 'flush' | 'paused' | 'overdue';

export interface SpeakerStreamOptions {
  readonly pool: Pick<RecogniserPool, 'openUtterance'>;
  readonly batcher: VadBatcher;
  readonly createFormatter: (vocabulary: readonly string[]) => Formatter;
  readonly punctuatesFinals: boolean;
  readonly vocabulary: readonly string[];
  /** See `AsrStreamOptions`. */
  readonly stall?: StallLimits;
  readonly closed: (stream: SpeakerStream) => void;
  /** Monotonic milliseconds, for the stamps of words. Default: the process's clock. */
  readonly now?: () => number;
}

/** Audio of one speaker → voice gate → utterances → segments. */
export class SpeakerStream implements AsrStream {
  readonly #options: SpeakerStreamOptions;
  readonly #gate: VoiceGate;
  readonly #queue = new EventQueue();
  /** Waits for the gate when audio is missing or the speaker muted: what was said before comes first. */
  #inbox: InboxItem[] = [];
  #receivedThroughSample = sampleIndex(0);
  #history = new PcmWindow(sampleIndex(0));
  #arrivals = new SampleStamps();
  readonly #now: () => number;
  #formatter: Formatter;
  /** Favoured in recognition, and spelled as written. */
  #vocabulary: readonly string[];
  /** The last one may still take audio. */
  readonly #segments = new SegmentLine();
  /** The segment that takes audio. */
  #open: Segment | undefined;
  #lastSegment: Segment | undefined;
  #segmentCount = 0;
  /** Audio before this belongs to an utterance already. */
  #takenThroughSample = 0;
  #finalThroughSample = 0;
  readonly #stallWatch: StallWatch | undefined;
  #isClosing = false;

  constructor(options: SpeakerStreamOptions) {
    this.#options = options;
    this.#now = options.now ?? monotonicNow;
    this.#vocabulary = options.vocabulary;
    this.#formatter = options.createFormatter(options.vocabulary);
    if (options.stall !== undefined)
      this.#stallWatch = new StallWatch(options.stall, {
        paused: () => this.#post('paused'),
        overdue: () => this.#post('overdue'),
      });
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
    return this.#receivedThroughSample;
  }

  get recognisedThroughSample(): SampleIndex {
    const oldest = this.#segments.oldest?.utterance;
    return oldest?.decodedThroughSample ?? sampleIndex(this.#gate.judgedThroughSample);
  }

  get finalThroughSample(): SampleIndex {
    if (!this.#queue.holdsFinal)
      this.#finalThroughSample = Math.max(this.#finalThroughSample, this.#settledThroughSample());
    return sampleIndex(this.#finalThroughSample);
  }

  push(frame: AudioFrame): void {
    if (this.#isClosing) return;
    const endSample = frame.firstSample + frame.pcm.length;
    this.#receivedThroughSample = sampleIndex(Math.max(this.#receivedThroughSample, endSample));
    this.#post(frame);
    this.#stallWatch?.heard();
  }

  flush(): void {
    if (!this.#isClosing) this.#post('flush');
  }

  async settled(): Promise<void> {
    do await this.#gate.idle();
    while (this.#inbox.length > 0 || !this.#gate.isIdle);
  }

  setVocabulary(vocabulary: readonly string[]): void {
    this.#vocabulary = vocabulary;
    this.#formatter = this.#options.createFormatter(vocabulary);
    this.#open?.utterance?.setVocabulary(vocabulary);
  }

  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#stallWatch?.close();
      await this.settled();
      this.#finishOpen();
      this.#gate.close();
      this.#endIfDone();
    }
    return this.#queue.ended;
  }

  destroy(): void {
    this.#isClosing = true;
    this.#stallWatch?.close();
    this.#segments.cancel();
    this.#inbox = [];
    this.#open = undefined;
    this.#gate.close();
    this.#endIfDone();
  }

  #post(item: InboxItem): void {
    this.#inbox.push(item);
    if (this.#inbox.length === 1) this.#workOffInbox();
  }

  #workOffInbox(): void {
    for (let item = this.#inbox[0]; item !== undefined; item = this.#inbox[0]) {
      const mustWait = typeof item === 'string' || item.firstSample > this.#history.endSample;
      if (mustWait && !this.#gate.isIdle) {
        detached(
          'audio of a speaker',
          this.#gate.idle().then(() => this.#workOffInbox()),
        );
        return;
      }
      this.#inbox.shift();
      if (typeof item === 'string') this.#interrupt(item);
      else this.#takeFrame(item);
    }
  }

  /** The gate has heard everything that there is. */
  #interrupt(reason: Exclude<InboxItem, AudioFrame>): void {
    switch (reason) {
      case 'flush':
        this.#finishOpen();
        // The silence before the next word is another one than that after the last.
        this.#takenThroughSample = this.#history.endSample;
        return;
      case 'overdue':
        this.#finishOpen();
        return;
      case 'paused': {
        const silenceSamples = this.#gate.trailingSilenceSamples;
        if (silenceSamples < BETWEEN_WORDS_SILENCE_SAMPLES) return;
        this.#finishOpen();
        this.#takenThroughSample -= silenceSamples / 2;
      }
    }
  }

  #takeFrame(frame: AudioFrame): void {
    const missing = frame.firstSample - this.#history.endSample;
    if (missing > 0) this.#skipMissing(frame.firstSample);
    const pcm = missing < 0 ? frame.pcm.subarray(-missing) : frame.pcm;
    this.#history.append(pcm);
    this.#arrivals.add(this.#history.endSample, frame.receivedAtMs);
    this.#feedOpen();
    this.#gate.push(pcm);
    this.#boundBacklog();
  }

  /** Gives the open utterance the audio that it may have by now. */
  #feedOpen(): void {
    const segment = this.#open;
    const utterance = segment?.utterance;
    if (utterance === undefined) return;
    const toSample = this.#gate.judgedThroughSample + MAX_LEAD_SAMPLES;
    // Views: an utterance keeps its audio for as long as the stream does.
    for (const pcm of this.#history.views(utterance.endSample, toSample)) utterance.append(pcm);
    segment?.trace?.handed(utterance.endSample);
  }

  #judged(frame: JudgedFrame, event: SpeechEvent | undefined): void {
    if (event?.kind === 'start')
      this.#openAt(Math.max(event.onsetSample - PRE_ROLL_SAMPLES, this.#takenThroughSample));
    else if (event?.kind === 'end') this.#endAt(event.atSample);
    else if (this.#isStalled(frame)) this.#reopen();
    else this.#cutIfDue();
    this.#feedOpen();
    const neededFrom = this.#open?.utterance?.firstSample ?? frame.endSample;
    const keptFrom = Math.min(neededFrom, frame.endSample - 2 * PRE_ROLL_SAMPLES);
    this.#history.discardBefore(keptFrom);
    this.#arrivals.discardBefore(Math.min(keptFrom, this.#segments.oldest?.fromSample ?? keptFrom));
  }

  #endAt(endSample: number): void {
    const silenceSamples = this.#endpointSilence();
    // A short pause ends a long segment but not a sentence.
    const kind = silenceSamples < ENDPOINT_SILENCE_SAMPLES ? 'cut' : 'sentence';
    // The utterance holds a little of what follows, in which half a word may be heard.
    this.#endOpen({ kind, endSample, toSample: endSample });
    // Half of the silence is the next one's pre-roll, too: the gate may have missed the quiet beginning of a word in it.
    this.#takenThroughSample -= silenceSamples / 2;
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
    const trace = new WordTrace({ arrivals: this.#arrivals, now: this.#now });
    const segment = new Segment({
      number: ++this.#segmentCount,
      fromSample: sampleIndex(Math.max(fromSample, firstSample)),
      previous: this.#lastSegment,
      formatter: () => this.#formatter,
      punctuatesFinals: this.#options.punctuatesFinals,
      emit: (event) => this.#queue.push(trace.stamped(event)),
    });
    segment.trace = trace;
    const listener: UtteranceListener = {
      hypothesis: (hypothesis, punctuatedText) => this.#heard(segment, hypothesis, punctuatedText),
      failed: () => this.#giveUp(segment, 'recogniser_failed'),
    };
    const utterance = this.#options.pool.openUtterance(firstSample, listener, this.#vocabulary);
    segment.utterance = utterance;
    this.#segments.add(segment);
    this.#lastSegment = segment;
    this.#open = segment;
    this.#feedOpen();
  }

  #heard(segment: Segment, hypothesis: Hypothesis, punctuatedText?: string): void {
    segment.trace?.heard(hypothesis);
    if (hypothesis.isFinal && segment !== this.#segments.oldest) {
      // A short utterance is decoded before a long one that was spoken earlier: its words show, its final waits.
      this.#segments.hold(segment, { hypothesis, punctuatedText });
      segment.update({ ...hypothesis, isFinal: false });
      return;
    }
    segment.update(hypothesis, punctuatedText);
    if (segment.isFinal) this.#settle(segment);
    else this.#cutIfDue();
  }

  /** Nothing more is said for now. */
  #finishOpen(): void {
    const endSample = this.#open?.utterance?.endSample;
    if (endSample !== undefined) this.#endOpen({ kind: 'sentence', endSample });
    this.#gate.endSpeech();
  }

  #endOpen(end: { kind: SegmentEnd; endSample: number; toSample?: number }): void {
    const segment = this.#open;
    if (segment === undefined) return;
    this.#open = undefined;
    this.#takenThroughSample = Math.max(end.toSample ?? end.endSample, segment.fromSample);
    segment.end(end);
    segment.trace?.finished();
    segment.utterance?.finish();
  }

  /** Decided when the gate has heard all that the recogniser has, so that it never depends on which of them is faster. */
  #cutIfDue(): void {
    const segment = this.#open;
    if (segment === undefined || this.#gate.judgedThroughSample < segment.decodedThroughSample) return;
    const { hardCutSample, wordlessCutSample } = segment;
    if (hardCutSample !== undefined)
      this.#cutAt({ kind: 'cut', endSample: hardCutSample, toSample: hardCutSample });
    else if (wordlessCutSample !== undefined) {
      const { endSample, cutSample } = wordlessCutSample;
      this.#cutAt({ kind: 'sentence', endSample, toSample: cutSample });
    }
  }

  /** The next utterance begins without a seam. */
  #cutAt(end: { kind: SegmentEnd; endSample: number; toSample: number }): void {
    this.#endOpen(end);
    this.#openAt(end.toSample, HARD_CUT_WARM_UP_SAMPLES);
    this.#gate.judgeAgainFrom(end.toSample);
  }

  /** Recognition does not follow: the utterance is closed and the next begins without a seam. */
  #reopen(): void {
    const endSample = this.#open?.utterance?.endSample;
    if (endSample === undefined) return;
    this.#endOpen({ kind: 'cut', endSample });
    this.#openAt(endSample);
    this.#gate.judgeAgainFrom(endSample);
  }

  /** Audio was lost before `sample`: what was said before it is finished, and everything begins anew there. */
  #skipMissing(sample: SampleIndex): void {
    const fromSample = this.#history.endSample;
    this.#finishOpen();
    this.#history = new PcmWindow(sample);
    this.#arrivals = new SampleStamps();
    this.#takenThroughSample = sample;
    this.#gate.jumpTo(sample);
    this.#queue.push({ kind: 'gap', fromSample, toSample: sample, reason: 'audio_missing' });
  }

  #boundBacklog(): void {
    while (this.#segments.length > 1 && this.#segments.backlogSamples > MAX_BACKLOG_SAMPLES) {
      const { oldest } = this.#segments;
      if (oldest === undefined || oldest === this.#open) return;
      oldest.utterance?.cancel();
      this.#giveUp(oldest, 'overloaded');
    }
  }

  #giveUp(segment: Segment, reason: GapReason): void {
    const { utterance } = segment;
    if (segment === this.#open) {
      this.#open = undefined;
      this.#gate.endSpeech();
      this.#takenThroughSample = utterance?.endSample ?? segment.fromSample;
    }
    segment.abandon();
    if (utterance !== undefined) {
      const fromSample = sampleIndex(Math.max(utterance.decodedThroughSample, segment.fromSample));
      const toSample = sampleIndex(Math.min(utterance.endSample, segment.toSample));
      if (toSample > fromSample) this.#queue.push({ kind: 'gap', fromSample, toSample, reason });
    }
    this.#settle(segment);
  }

  /** Done with a segment. The next one's final may have waited for it. */
  #settle(segment: Segment): void {
    const next = this.#segments.settle(segment);
    if (next !== undefined) this.#heard(next.segment, next.final.hypothesis, next.final.punctuatedText);
    this.#endIfDone();
  }

  /** As `finalThroughSample`, with what was not read yet. */
  #settledThroughSample(): number {
    const { oldest } = this.#segments;
    if (oldest !== undefined) return oldest.fromSample;
    if (this.#queue.isClosed) return this.#receivedThroughSample;
    // The next utterance may begin before what was judged.
    const mayBeginAt = this.#gate.judgedThroughSample - VAD_FRAME_SAMPLES - PRE_ROLL_SAMPLES;
    return Math.max(this.#takenThroughSample, mayBeginAt);
  }

  #endIfDone(): void {
    if (!this.#isClosing || this.#segments.length > 0 || this.#queue.isClosed) return;
    this.#queue.close();
    this.#options.closed(this);
  }
}
