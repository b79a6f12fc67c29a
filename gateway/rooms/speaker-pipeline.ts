import { type EpochMs, errorMessage, type SampleIndex } from '../../protocol/index.js';
import {
  type AsrEngine,
  type AsrEvent,
  type AsrStream,
  DEFAULT_STALL_LIMITS,
  monotonicNow,
  type StallLimits,
} from '../../asr/index.js';
import type { Logger } from '../log.js';
import { SpeakerLatency } from '../latency/speaker-latency.js';
import { DeltaAssembler, type SpeakerSource } from './delta-assembler.js';
import type { Room } from './room.js';
import { SampleClock } from './sample-clock.js';

export interface SpeakerPipelineOptions extends SpeakerSource {
  readonly room: Room;
  readonly engine: AsrEngine;
  readonly language: string;
  readonly vocabulary: readonly string[];
  readonly log: Logger;
  /** Default `DEFAULT_STALL_LIMITS`. */
  readonly stall?: StallLimits;
  /** For metrics. */
  readonly observe?: (event: AsrEvent) => void;
  /** Something was published that stays: a final, or a gap. `finalThroughSample` may have moved. */
  readonly finalPublished?: () => void;
}

/** One speaker end to end: frames at 16 kHz in, deltas and gaps to the room out. `close` finishes the open segment. */
export class SpeakerPipeline {
  readonly #options: SpeakerPipelineOptions;
  readonly #stream: AsrStream;
  readonly #clock: SampleClock;
  readonly #assembler: DeltaAssembler;
  readonly #latency: SpeakerLatency | undefined;
  readonly #finished: Promise<void>;
  readonly #id: string;
  /** A person writes what this speaker says. */
  #isReplaced = false;

  constructor(options: SpeakerPipelineOptions) {
    this.#options = options;
    const { room, engine, speaker, trackSid, language, vocabulary, stall = DEFAULT_STALL_LIMITS } = options;
    this.#clock = new SampleClock(() => room.clock.now());
    this.#id = room.newSegmentPrefix();
    this.#stream = engine.openStream({ language, vocabulary, stall });
    this.#assembler = new DeltaAssembler({
      speaker,
      ...(trackSid === undefined ? {} : { trackSid }),
      language,
      idPrefix: this.#id,
      spanToEpochMs: (startSample, endSample) => this.#clock.spanToEpochMs(startSample, endSample),
    });
    room.setSource(this.#id, this.#assembler.source);
    this.#latency =
      room.latency === undefined
        ? undefined
        : new SpeakerLatency({
            room: room.latency,
            spokenAtMs: (sample) => room.clock.toMonotonic(this.#clock.spanToEpochMs(sample, sample).endMs),
          });
    this.#finished = this.#publishAll();
  }

  get receivedThroughSample(): SampleIndex {
    return this.#stream.receivedThroughSample;
  }

  get recognisedThroughSample(): SampleIndex {
    return this.#stream.recognisedThroughSample;
  }

  /** What of the audio need not be sent to another gateway if this one dies: it is published. */
  get finalThroughSample(): SampleIndex {
    return this.#stream.finalThroughSample;
  }

  push(pcm: Int16Array, firstSample: SampleIndex): void {
    this.#clock.arrived(firstSample + pcm.length, firstSample);
    this.#stream.push({ pcm: this.#audible(pcm), firstSample, receivedAtMs: monotonicNow() });
  }

  /**
   * Silence in place of the speech of somebody whose captions a person writes: positions go on, and silence costs next to
   * nothing. What was being said before is finished first.
   */
  #audible(pcm: Int16Array): Int16Array {
    const { room } = this.#options;
    const wasReplaced = this.#isReplaced;
    this.#isReplaced = room.isReplaced(this.#assembler.source.speaker.identity);
    if (this.#isReplaced && !wasReplaced) this.#stream.flush();
    return this.#isReplaced ? new Int16Array(pcm.length) : pcm;
  }

  /** Finishes what is being said: the speaker muted, or has no track. What comes next is spoken later. */
  pause(): void {
    this.#stream.flush();
    this.#clock.paused();
  }

  /** The client says that the audio from `sample` on, which comes next, was spoken so long ago. */
  spoken(sample: SampleIndex, behindMs: number): void {
    if (this.#clock.spoken(sample, behindMs)) this.#stream.flush();
  }

  /** Speech that nobody can recognise any more: it never came here. */
  publishMissing(span: { readonly startMs: EpochMs; readonly endMs: EpochMs }): void {
    this.#options.room.publishGap({
      ...span,
      speaker: this.#assembler.source.speaker,
      reason: 'audio_missing',
    });
  }

  /** The speaker has another name, or comes from another track. */
  setSource(source: SpeakerSource): void {
    this.#assembler.source = source;
    this.#options.room.setSource(this.#id, source);
  }

  setVocabulary(vocabulary: readonly string[]): void {
    this.#stream.setVocabulary(vocabulary);
  }

  /** Resolves when the last final has been published. */
  async close(): Promise<void> {
    this.#options.room.removeSource(this.#id);
    await this.#stream.close();
    await this.#finished;
  }

  destroy(): void {
    this.#options.room.removeSource(this.#id);
    this.#stream.destroy();
  }

  async #publishAll(): Promise<void> {
    for await (const event of this.#stream.events) {
      try {
        this.#publish(event);
      } catch (error) {
        // One message that cannot be sent must not end the captions of this speaker.
        this.#options.log.error({ error: errorMessage(error) }, 'caption not published');
      }
    }
  }

  #publish(event: AsrEvent): void {
    this.#options.observe?.(event);
    const { room } = this.#options;
    switch (event.kind) {
      case 'segment': {
        const draft = this.#assembler.next(event);
        if (draft === undefined) return;
        room.publishDelta(draft);
        if (event.isFinal) this.#options.finalPublished?.();
        this.#latency?.published(event, { seq: room.state.seq, atMs: performance.now() });
        return;
      }
      case 'gap':
        room.publishGap({
          speaker: this.#assembler.source.speaker,
          ...this.#clock.spanToEpochMs(event.fromSample, event.toSample),
          reason: event.reason,
        });
        this.#options.finalPublished?.();
    }
  }
}
