import type { WebSocket } from 'ws';
import { CaptionError, type IngestHello } from '../../protocol/index.js';
import type { AsrEvent, ChildEngine } from '../../asr/index.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import type { LanguageChooser } from '../rooms/caption-language.js';
import { SpeakerPipeline } from '../rooms/speaker-pipeline.js';
import type { Permissions } from './authentication.js';
import { IngestConnection, type IngestHost } from './ingest-connection.js';
import { IngestStream } from './ingest-stream.js';
import { IngestStreams } from './ingest-streams.js';

export interface IngestEndpointOptions {
  readonly engine: ChildEngine;
  readonly rooms: RoomRegistry;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly chooseLanguage: LanguageChooser;
  readonly maxSpeakers: number;
  readonly resumeMs: number;
  readonly idleMs: number;
  readonly maxAheadMs: number;
  readonly helloDeadlineMs: number;
  readonly stallFlushMs: number;
}

/** `/v1/ingest`: speakers. `close` finishes all of them, publishing their last words. */
export class IngestEndpoint implements IngestHost {
  readonly idleMs: number;
  readonly helloDeadlineMs: number;
  readonly log: Logger;
  readonly now = (): number => performance.now();
  readonly #options: IngestEndpointOptions;
  readonly #streams: IngestStreams;
  #isClosing = false;

  constructor(options: IngestEndpointOptions) {
    this.#options = options;
    this.idleMs = options.idleMs;
    this.helloDeadlineMs = options.helloDeadlineMs;
    this.log = options.log;
    this.#streams = new IngestStreams({
      maxSpeakers: options.maxSpeakers,
      resumeMs: options.resumeMs,
      now: this.now,
    });
  }

  get speakerCount(): number {
    return this.#streams.count;
  }

  open(socket: WebSocket, permissions: Permissions): void {
    new IngestConnection({ socket, permissions, host: this, metrics: this.#options.metrics });
  }

  async openStream(hello: IngestHello): Promise<IngestStream> {
    if (this.#isClosing)
      throw new CaptionError('shutting_down', 'The gateway is shutting down.', { retryable: true });
    const resumed = this.#streams.resumable(hello);
    if (resumed !== undefined) return resumed;
    const language = this.#options.chooseLanguage(hello.language);
    return this.#streams.add(hello, () =>
      IngestStream.open({
        hello,
        enterRoom: () => this.#options.rooms.enter(hello.room),
        maxAheadMs: this.#options.maxAheadMs,
        stallFlushMs: this.#options.stallFlushMs,
        now: this.now,
        unfavoured: (vocabulary) => this.#options.engine.unfavoured(vocabulary),
        createPipeline: (room, vocabulary) =>
          new SpeakerPipeline({
            room,
            engine: this.#options.engine,
            speaker: hello.speaker,
            language,
            vocabulary,
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
}
