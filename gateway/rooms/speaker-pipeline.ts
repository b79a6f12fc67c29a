import { errorMessage, type SampleIndex } from '../../protocol/index.js';
import { type AsrEngine, type AsrEvent, type AsrStream, monotonicNow } from '../../asr/index.js';
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
  /** For metrics. */
  readonly observe?: (event: AsrEvent) => void;
}

/** One speaker end to end: frames at 16 kHz in, deltas and gaps to the room out. `close` finishes the open segment. */
export class SpeakerPipeline {
  readonly #options: SpeakerPipelineOptions;
  readonly #stream: AsrStream;
  readonly #clock = new SampleClock();
  readonly #assembler: DeltaAssembler;
  readonly #latency: SpeakerLatency | undefined;
  readonly #finished: Promise<void>;

  constructor(options: SpeakerPipelineOptions) {
    this.#options = options;
    const { room, engine, speaker, trackSid, language, vocabulary } = options;
    this.#stream = engine.openStream({ language, vocabulary });
    this.#assembler = new DeltaAssembler({
      speaker,
      ...(trackSid === undefined ? {} : { trackSid }),
      language,
      idPrefix: room.newSegmentPrefix(),
      toEpochMs: (sample) => this.#clock.toEpochMs(sample),
    });
    this.#latency =
      room.latency === undefined
        ? undefined
        : new SpeakerLatency({
            room: room.latency,
            spokenAtMs: (sample) => this.#clock.toEpochMs(sample) - performance.timeOrigin,
          });
    this.#finished = this.#publishAll();
  }

  get receivedThroughSample(): SampleIndex {
    return this.#stream.receivedThroughSample;
  }

  get recognisedThroughSample(): SampleIndex {
    return this.#stream.recognisedThroughSample;
  }

  push(pcm: Int16Array, firstSample: SampleIndex): void {
    this.#clock.arrived(firstSample + pcm.length, firstSample);
    this.#stream.push({ pcm, firstSample, receivedAtMs: monotonicNow() });
  }

  /** Finishes what is being said: the speaker muted. */
  flush(): void {
    this.#stream.flush();
  }

  /** The speaker has another name, or comes from another track. */
  setSource(source: SpeakerSource): void {
    this.#assembler.source = source;
  }

  setVocabulary(vocabulary: readonly string[]): void {
    this.#stream.setVocabulary(vocabulary);
  }

  /** Resolves when the last final has been published. */
  async close(): Promise<void> {
    await this.#stream.close();
    await this.#finished;
  }

  destroy(): void {
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
        this.#latency?.published(event, { seq: room.state.seq, atMs: performance.now() });
        return;
      }
      case 'gap':
        room.publishGap({
          speaker: this.#assembler.source.speaker,
          startMs: this.#clock.toEpochMs(event.fromSample),
          endMs: this.#clock.toEpochMs(event.toSample),
          reason: event.reason,
        });
    }
  }
}
