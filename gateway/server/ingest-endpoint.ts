import type { WebSocket } from 'ws';
import { CaptionError, type IngestHello } from '../../protocol/index.js';
import type { AsrEvent, ChildEngine } from '../../asr/index.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import { SpeakerPipeline } from '../rooms/speaker-pipeline.js';
import type { Permissions } from './authentication.js';
import { IngestConnection, type IngestHost } from './ingest-connection.js';
import { IngestStream } from './ingest-stream.js';
import { IngestStreams } from './ingest-streams.js';

/** When a connection stalls in mid-sentence, what was said is finished after this. */
const IDLE_FLUSH_MS = 1500;

export interface IngestEndpointOptions {
  readonly engine: ChildEngine;
  readonly rooms: RoomRegistry;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly maxSpeakers: number;
  readonly resumeMs: number;
  readonly idleMs: number;
  readonly maxAheadMs: number;
}

/** `/v1/ingest`: speakers. `close` finishes all of them, publishing their last words. */
export class IngestEndpoint implements IngestHost {
  readonly idleMs: number;
  readonly log: Logger;
  readonly now = (): number => performance.now();
  readonly #options: IngestEndpointOptions;
  readonly #streams: IngestStreams;
  #isClosing = false;

  constructor(options: IngestEndpointOptions) {
    this.#options = options;
    this.idleMs = options.idleMs;
    this.log = options.log;
    this.#streams = new IngestStreams({ maxSpeakers: options.maxSpeakers, resumeMs: options.resumeMs, now: this.now });
  }

  get speakerCount(): number {
    return this.#streams.count;
  }

  open(socket: WebSocket, permissions: Permissions): void {
    new IngestConnection({ socket, permissions, host: this, metrics: this.#options.metrics });
  }

  async openStream(hello: IngestHello): Promise<IngestStream> {
    if (this.#isClosing) throw new CaptionError('shutting_down', 'The gateway is shutting down.', { retryable: true });
    const resumed = this.#streams.resumable(hello);
    if (resumed !== undefined) {
      resumed.skipTo(hello.resume?.fromSample ?? 0);
      return resumed;
    }
    const language = this.#language(hello);
    const room = this.#options.rooms.enter(hello.room);
    return this.#streams.add(hello, () =>
      IngestStream.open({
        hello,
        room,
        maxAheadMs: this.#options.maxAheadMs,
        now: this.now,
        createPipeline: (vocabulary) =>
          new SpeakerPipeline({
            room,
            engine: this.#options.engine,
            speaker: hello.speaker,
            language,
            vocabulary,
            idleFlushMs: IDLE_FLUSH_MS,
            log: this.log,
            observe: (event: AsrEvent) => this.#options.metrics.asrEvent(event),
          }),
      }),
    );
  }

  endStream(stream: IngestStream): Promise<void> {
    return this.#streams.remove(stream);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#streams.close();
  }

  /** The model's own language unless the speaker names one, which the model must know. Compared without the region. */
  #language(hello: IngestHello): string {
    const { languages, id } = this.#options.engine.model;
    if (hello.language === undefined) return languages[0] ?? '';
    const wanted = primarySubtag(hello.language);
    if (languages.length === 0 || languages.some((language) => primarySubtag(language) === wanted)) return hello.language;
    throw new CaptionError(
      'language_unsupported',
      `Model ${id} knows ${languages.join(', ')}, not ${wanted}; start the gateway with another CAPTION_MODEL.`,
    );
  }
}

const primarySubtag = (language: string): string => (language.split('-')[0] ?? '').toLowerCase();
