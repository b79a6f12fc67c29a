/**
 * Everything that belongs to rooms of LiveKit, put together: the worker that takes jobs, the watcher that finds rooms without
 * a captioner, and the captioners themselves.
 *
 * Shutdown: (1) the server is told that no further rooms are taken, (2) every captioner finishes its open segments, publishes
 * their finals and leaves, (3) the ends of the jobs are told, (4) the connection ends.
 */
import { randomUUID } from 'node:crypto';
import type { ChildEngine } from '../../asr/index.js';
import { CaptionError } from '../../protocol/index.js';
import type { Settings } from '../config/settings.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import { LiveKitMetrics } from '../metrics/livekit-metrics.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import { VERSION } from '../version.js';
import { type CaptionerTiming, DEFAULT_CAPTIONER_TIMING } from './bot/captioner-host.js';
import { RoomCaptioner } from './bot/room-captioner.js';
import type { StartCaptioner } from './captioner.js';
import { CaptionerRegistry, type LoadSource } from './captioner-registry.js';
import { parseRoomSettings, roomSettingsDefaults } from './parse-room-settings.js';
import { quietSdkLog } from './quiet-sdk-log.js';
import { createCaptionRoads } from './roads/create-caption-roads.js';
import { INSTANCE_ATTRIBUTE, mintBotToken, PARTICIPANT_NAME } from './tokens.js';
import { AgentWorker } from './worker/agent-worker.js';

export interface LiveKitSideOptions {
  readonly settings: Settings;
  readonly engine: ChildEngine;
  readonly rooms: RoomRegistry;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly load: () => LoadSource;
  /** For tests. */
  readonly timing?: Partial<CaptionerTiming>;
}

export class LiveKitSide {
  readonly captioners: CaptionerRegistry;
  readonly worker: AgentWorker;
  /** Of this process, on all its bots. */
  readonly instance = randomUUID();
  readonly #drainMs: number;
  #closing: Promise<void> | undefined;

  /** Throws CaptionError `config_invalid`. Connects by itself, and again whenever the connection is lost. */
  constructor(options: LiveKitSideOptions) {
    const { settings, engine, rooms, metrics, log } = options;
    if (settings.LIVEKIT_API_KEY === '') {
      throw new CaptionError('config_invalid', 'LIVEKIT_URL needs LIVEKIT_API_KEY and LIVEKIT_API_SECRET.');
    }
    quietSdkLog();
    this.#drainMs = settings.CAPTION_DRAIN_S * 1000;
    const access = {
      url: settings.LIVEKIT_URL,
      apiKey: settings.LIVEKIT_API_KEY,
      apiSecret: settings.LIVEKIT_API_SECRET,
      agentName: settings.TRANSCRIBER_AGENT_NAME,
    };
    const defaults = roomSettingsDefaults(settings);
    const liveKitMetrics = new LiveKitMetrics(metrics.registry);
    const startCaptioner: StartCaptioner = (request) =>
      new RoomCaptioner(request, {
        engine,
        rooms,
        log,
        observer: {
          joined: () => liveKitMetrics.joined(),
          reconnected: () => liveKitMetrics.reconnected(),
          ended: ({ kind }) => liveKitMetrics.ended(kind),
        },
        observeAsr: (event) => metrics.asrEvent(event),
        createRoads: (roads) => createCaptionRoads({ ...roads, observer: liveKitMetrics }),
        roomSettings: (sources) => parseRoomSettings({ defaults, ...sources }),
        encryptionKey: () => Promise.resolve({ reason: 'No key.' }),
        mintToken: (room) => mintBotToken({ ...access, instance: this.instance }, room),
        probed: () => undefined,
        timing: { ...DEFAULT_CAPTIONER_TIMING, ...options.timing },
      });
    this.captioners = new CaptionerRegistry({ startCaptioner, load: options.load });
    this.worker = new AgentWorker({
      ...access,
      version: VERSION,
      captioners: this.captioners,
      participantName: PARTICIPANT_NAME,
      participantAttributes: { [INSTANCE_ATTRIBUTE]: this.instance },
      mayCaption: () => Promise.resolve(true),
      observer: liveKitMetrics,
      log,
    });
    liveKitMetrics.watch(() => ({
      rooms: this.captioners.captioners.length,
      speakers: this.speakerCount,
      load: this.captioners.load,
      isRegistered: this.worker.state === 'registered',
    }));
  }

  get speakerCount(): number {
    return this.captioners.captioners.reduce((sum, { speakerCount }) => sum + speakerCount, 0);
  }

  /** Undefined while rooms can be dispatched to us. */
  get notReadyReason(): string | undefined {
    if (this.worker.state === 'registered') return undefined;
    return this.worker.lastError?.message ?? 'The gateway is registering with LiveKit.';
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    this.worker.drain();
    await this.captioners.close({ deadlineMs: this.#drainMs });
    this.worker.close();
  }
}
