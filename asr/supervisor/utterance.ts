import { msToSamples, sampleIndex, type SampleIndex } from '../../protocol/index.js';
import { PcmWindow } from '../audio/pcm-window.js';
import type { DecodedPiece, SavedUtterance, VocabularyChange } from '../child/messages.js';
import type { Hypothesis, Token } from '../token.js';

/**
 * Audio that a child may hold undecoded for one utterance; the rest waits on this side, where it is kept anyway. More than the longest
 * chunk of k2-fsa's streaming models with what it looks ahead (1.5 s), or nothing would ever be decoded.
 */
const FLOW_WINDOW_SAMPLES = msToSamples(3000);
/** With so much undecoded a child owes an answer. */
const OWED_SAMPLES = msToSamples(5000);
/** An utterance that was in a child at so many crashes without getting any further is given up. */
const MAX_CRASHES_WITHOUT_PROGRESS = 3;
/** Of one utterance; with more, the last one is replaced. They are sent again with the audio. */
const MAX_VOCABULARY_CHANGES = 8;
/** A suspect that has nothing left to decode and whose child still runs after so long is cleared. */
const CLEARED_AFTER_MS = 2000;

/** States of one utterance differ in size by the audio in them that is not decoded yet. */
const STATE_MARGIN_BYTES = 32_768;

/** What an utterance tells its owner. After `isFinal` or `failed` nothing more comes. */
export interface UtteranceListener {
  hypothesis(hypothesis: Hypothesis, punctuatedText?: string): void;
  /** Recognition gave up on this utterance. */
  failed(): void;
}

/** An utterance that is being recognised. */
export interface OpenUtterance {
  /** All audio before this position was taken into account. */
  readonly decodedThroughSample: SampleIndex;
  readonly firstSample: SampleIndex;
  /** Position after the last sample appended. */
  readonly endSample: SampleIndex;
  append(pcm: Int16Array): void;
  /** Favours other phrases in the audio to come, where the model can; none with an empty list. */
  setVocabulary(phrases: readonly string[]): void;
  /** No more audio comes; the final hypothesis follows. */
  finish(): void;
  /** Nothing more is wanted. */
  cancel(): void;
}

/**
 * One utterance on its way through a child, with all its audio, so that it can be given to another child from its
 * beginning, or from where its state was saved last. Decoding depends on the audio alone, hence a replay ends in the same
 * words; while it catches up, hypotheses that know less than what was told before are held back.
 */
export class Utterance {
  readonly id: number;
  readonly firstSample: SampleIndex;
  readonly #listener: UtteranceListener;
  readonly #audio: PcmWindow;
  readonly #vocabularies: VocabularyChange[] = [];
  #sentThroughSample: number;
  #decodedThroughSample: number;
  #bestDecodedThroughSample: number;
  #committed: Token[] = [];
  #saved: SavedUtterance | undefined;
  /** Holds `#saved.state`, and the next one in its turn: hundreds of kilobytes that would else wait for a full collection. */
  #stateBytes = new Uint8Array(0);
  #isFinishing = false;
  #isFinishSent = false;
  #isDone = false;
  #crashesWithoutProgress = 0;
  /** Of the last audio sent or decoded, for the deadline on progress. */
  lastProgressAtMs: number;

  constructor(options: {
    id: number;
    firstSample: SampleIndex;
    vocabulary?: readonly string[];
    listener: UtteranceListener;
    nowMs: number;
  }) {
    this.id = options.id;
    this.firstSample = options.firstSample;
    this.#listener = options.listener;
    this.#audio = new PcmWindow(options.firstSample);
    this.#sentThroughSample = options.firstSample;
    this.#decodedThroughSample = options.firstSample;
    this.#bestDecodedThroughSample = options.firstSample;
    this.lastProgressAtMs = options.nowMs;
    if (options.vocabulary !== undefined && options.vocabulary.length > 0)
      this.changeVocabulary(options.vocabulary);
  }

  /** Phrases to favour and from where on, in order. */
  get vocabularies(): readonly VocabularyChange[] {
    return this.#vocabularies;
  }

  /** Where another child goes on; undefined for from the beginning. */
  get saved(): SavedUtterance | undefined {
    return this.#saved;
  }

  /** Decoded audio that another child would have to decode again. */
  get unsavedSamples(): number {
    return this.#decodedThroughSample - (this.#saved?.decodedThroughSample ?? this.firstSample);
  }

  get endSample(): SampleIndex {
    return this.#audio.endSample;
  }

  /** Audio kept to be sent again. */
  get heldSamples(): number {
    return this.#audio.lengthSamples;
  }

  /** Decoded by the best attempt so far. */
  get decodedThroughSample(): SampleIndex {
    return sampleIndex(this.#bestDecodedThroughSample);
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  get isFinishing(): boolean {
    return this.#isFinishing;
  }

  /** True from a crash until the replay knows as much as was known before. */
  get isCatchingUp(): boolean {
    return !this.#isDone && this.#decodedThroughSample < this.#bestDecodedThroughSample;
  }

  /**
   * One more crash without progress and it is given up. The pool puts only one such utterance at a time into a child, so
   * that the one that kills children is found and those that merely were there go on.
   */
  get isSuspect(): boolean {
    return !this.#isDone && this.#crashesWithoutProgress >= MAX_CRASHES_WITHOUT_PROGRESS - 1;
  }

  /** True when the child owes an answer: much undecoded audio, or the final. */
  get awaitsChild(): boolean {
    if (this.#isDone) return false;
    return this.#isFinishing || this.endSample - this.#decodedThroughSample > OWED_SAMPLES;
  }

  clearIfHarmless(nowMs: number): void {
    const isAtRest =
      !this.isCatchingUp && !this.awaitsChild && nowMs - this.lastProgressAtMs > CLEARED_AFTER_MS;
    if (isAtRest) this.#crashesWithoutProgress = 0;
  }

  append(pcm: Int16Array): void {
    if (!this.#isFinishing && !this.#isDone) this.#audio.append(pcm);
  }

  /** Favours other phrases in the audio to come. Undefined when none comes: nothing is to be told to the child then. */
  changeVocabulary(phrases: readonly string[]): VocabularyChange | undefined {
    if (this.#isFinishing) return undefined;
    const change: VocabularyChange = { fromSample: this.endSample, phrases };
    const last = this.#vocabularies.at(-1);
    const replacesLast =
      last?.fromSample === change.fromSample || this.#vocabularies.length === MAX_VOCABULARY_CHANGES;
    if (replacesLast) this.#vocabularies.pop();
    this.#vocabularies.push(change);
    return change;
  }

  markFinishing(): void {
    this.#isFinishing = true;
  }

  /** The next audio to send, within the flow window; undefined when there is none. */
  takeUnsentAudio(): Int16Array | undefined {
    const limit = Math.min(this.endSample, this.#decodedThroughSample + FLOW_WINDOW_SAMPLES);
    if (limit <= this.#sentThroughSample) return undefined;
    const pcm = this.#audio.slice(this.#sentThroughSample, limit);
    this.#sentThroughSample = limit;
    return pcm;
  }

  /** True once, when everything was sent and the end is to be told. */
  takeFinish(): boolean {
    if (!this.#isFinishing || this.#isFinishSent || this.#sentThroughSample < this.endSample) return false;
    this.#isFinishSent = true;
    return true;
  }

  /** Takes in what a child decoded and tells the owner, unless a replay still knows less than before. */
  decoded(piece: DecodedPiece & { readonly callMs?: number }, nowMs: number): void {
    if (this.#isDone) return;
    if (piece.isFinal && !this.#isFinishSent) {
      // Nobody asked for it: what is still to come would be lost without a word.
      this.fail();
      return;
    }
    this.#committed = [...this.#committed, ...piece.appended];
    this.#decodedThroughSample = piece.decodedThroughSample;
    this.lastProgressAtMs = nowMs;
    if (piece.decodedThroughSample > this.#bestDecodedThroughSample) this.#crashesWithoutProgress = 0;
    if (piece.decodedThroughSample < this.#bestDecodedThroughSample && !piece.isFinal) return;
    this.#bestDecodedThroughSample = Math.max(this.#bestDecodedThroughSample, piece.decodedThroughSample);
    if (piece.isFinal) this.#end();
    const hypothesis: Hypothesis = {
      committed: this.#committed,
      provisional: piece.provisional,
      decodedThroughSample: sampleIndex(this.#bestDecodedThroughSample),
      ...(piece.heardThroughSample === undefined
        ? {}
        : { heardThroughSample: sampleIndex(piece.heardThroughSample) }),
      isFinal: piece.isFinal,
      ...(piece.callMs === undefined ? {} : { callMs: piece.callMs }),
    };
    this.#listener.hypothesis(hypothesis, piece.punctuatedText);
  }

  /** Ignored when it does not fit what was told: the child is not to be trusted then. */
  noteSaved(saved: SavedUtterance): void {
    const isPlausible =
      saved.reportedTokens === this.#committed.length &&
      saved.acceptedThroughSample <= this.#sentThroughSample &&
      saved.decodedThroughSample === this.#decodedThroughSample;
    if (!this.#isDone && isPlausible) this.#saved = { ...saved, state: this.#keptState(saved.state) };
  }

  /** A copy: what came is a view of a message, which would be kept whole. */
  #keptState(state: Uint8Array): Uint8Array {
    if (state.length > this.#stateBytes.length)
      this.#stateBytes = new Uint8Array(state.length + STATE_MARGIN_BYTES);
    this.#stateBytes.set(state);
    return this.#stateBytes.subarray(0, state.length);
  }

  /**
   * The child is gone: what came after the saved state has to be sent again, or everything. False when this utterance is given
   * up instead.
   */
  rewind(nowMs: number): boolean {
    if (this.#sentThroughSample > this.firstSample) this.#crashesWithoutProgress += 1;
    if (this.#crashesWithoutProgress >= MAX_CRASHES_WITHOUT_PROGRESS) {
      this.fail();
      return false;
    }
    // A second crash in a row: it may be the state that children die of.
    if (this.#crashesWithoutProgress > 1) this.#saved = undefined;
    this.leave(nowMs);
    return true;
  }

  /** It goes on in another child from its saved state on. */
  leave(nowMs: number): void {
    this.#sentThroughSample = this.#saved?.acceptedThroughSample ?? this.firstSample;
    this.#decodedThroughSample = this.#saved?.decodedThroughSample ?? this.firstSample;
    this.#committed = this.#committed.slice(0, this.#saved?.reportedTokens ?? 0);
    this.#isFinishSent = false;
    this.lastProgressAtMs = nowMs;
  }

  fail(): void {
    if (this.#isDone) return;
    this.#end();
    this.#listener.failed();
  }

  /** Nothing more is told. */
  cancel(): void {
    this.#end();
  }

  /** Its owner may hold it for long: audio and state, which nobody will send again, go at once. */
  #end(): void {
    this.#isDone = true;
    this.#audio.discardBefore(this.endSample);
    this.#saved = undefined;
    this.#stateBytes = new Uint8Array(0);
  }
}
