import { CaptionError, type IngestHello } from '../../protocol/index.js';
import type { AsrEvent, ChildEngine, StallLimits } from '../../asr/index.js';
import { AudioPace } from '../bounds/audio-pace.js';
import { clientKey, ConnectionBounds } from '../bounds/connection-bounds.js';
import { KeptByClient } from '../bounds/kept-by-client.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import type { LanguageChooser } from '../rooms/caption-language.js';
import { SpeakerPipeline } from '../rooms/speaker-pipeline.js';
import { IngestConnection, type IngestHost, type OpenedStream } from './ingest-connection.js';
import type { OpenConnectionRights } from './access/connection-rights.js';
import { type IngestLimits, ingestLimits } from './ingest-limits.js';
import { IngestStream } from './ingest-stream.js';
import { IngestStreams } from './ingest-streams.js';
import type { AcceptedConnection, WebSocketEndpoint } from './websocket-door.js';

/** Audio frames of ten seconds at 48 kHz are the longest sensible. */
const MAX_MESSAGE_BYTES = 1_048_576;
/** Of one identity, that have not said hello yet; afterwards the newest counts. */
const MAX_UNGREETED = 10;

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
  readonly stall: StallLimits;
  readonly openRights: OpenConnectionRights;
}

/** `/v1/ingest`: speakers. `close` finishes all of them, publishing their last words. */
export class IngestEndpoint implements IngestHost, WebSocketEndpoint {
  readonly maxMessageBytes = MAX_MESSAGE_BYTES;
  readonly idleMs: number;
  readonly helloDeadlineMs: number;
  readonly log: Logger;
  readonly now = (): number => performance.now();
  readonly #options: IngestEndpointOptions;
  readonly #streams: IngestStreams;
  readonly #ungreeted = new ConnectionBounds({ perIdentity: MAX_UNGREETED, perRoom: Infinity });
  readonly #limits: KeptByClient<IngestLimits>;
  readonly #paces: KeptByClient<AudioPace>;
  #isClosing = false;

  constructor(options: IngestEndpointOptions) {
    this.#options = options;
    this.idleMs = options.idleMs;
    this.helloDeadlineMs = options.helloDeadlineMs;
    this.log = options.log;
    const { maxAheadMs } = options;
    this.#limits = new KeptByClient(() => ingestLimits(maxAheadMs));
    this.#paces = new KeptByClient(() => new AudioPace({ maxAheadMs, now: this.now }));
    this.#streams = new IngestStreams({
      maxSpeakers: options.maxSpeakers,
      resumeMs: options.resumeMs,
      now: this.now,
    });
  }

  get speakerCount(): number {
    return this.#streams.count;
  }

  /** Throws CaptionError `too_many_connections`. */
  open({ socket, permissions, address }: AcceptedConnection): void {
    const { owner } = permissions;
    const client = { owner, room: permissions.room };
    const greeted = this.#ungreeted.enter({ ...client, address });
    socket.once('close', greeted);
    const { metrics, openRights } = this.#options;
    const limits = this.#limits.of(clientKey(client));
    new IngestConnection({ socket, permissions, openRights, host: this, metrics, limits, greeted });
  }

  async openStream(hello: IngestHello): Promise<OpenedStream> {
    if (this.#isClosing)
      throw new CaptionError('shutting_down', 'The gateway is shutting down.', { retryable: true });
    const resumed = this.#streams.resumable(hello);
    if (resumed !== undefined)
      return { stream: resumed, finalThroughSample: resumed.progress().finalThroughSample };
    const language = this.#options.chooseLanguage(hello.language);
    const stream = await this.#streams.add(hello, () =>
      IngestStream.open({
        hello,
        enterRoom: () => this.#options.rooms.enter(hello.room),
        pace: this.#paces.of(JSON.stringify([hello.room, hello.speaker.identity])),
        now: this.now,
        unfavoured: (vocabulary) => this.#options.engine.unfavoured(vocabulary),
        createPipeline: (room, vocabulary, finalPublished) =>
          new SpeakerPipeline({
            room,
            engine: this.#options.engine,
            speaker: hello.speaker,
            language,
            vocabulary,
            log: this.log,
            stall: this.#options.stall,
            finalPublished,
            observe: (event: AsrEvent) => this.#options.metrics.asrEvent(event),
          }),
      }),
    );
    return { stream, finalThroughSample: this.#streams.finalThroughSampleOf(hello) };
  }

  endStream(stream: IngestStream): Promise<void> {
    return this.#streams.remove(stream);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#ungreeted.close();
    this.#limits.close();
    this.#paces.close();
    await this.#streams.close();
  }
}
