/**
 * Everything that belongs to rooms of LiveKit, put together: the worker that takes jobs, the watcher that finds rooms without
 * a captioner, and the captioners themselves.
 *
 * Shutdown: (1) the server is told that no further rooms are taken, (2) every captioner finishes its open segments, publishes
 * their finals and leaves, (3) the ends of the jobs are told and the connection ends, (4) locks are given back.
 */
import { randomUUID } from 'node:crypto';
import type { ChildEngine } from '../../asr/index.js';
import { CaptionError, type RoomName } from '../../protocol/index.js';
import type { Settings } from '../config/settings.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import { LiveKitMetrics } from '../metrics/livekit-metrics.js';
import type { LanguageChooser } from '../rooms/caption-language.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import type { RoomAccess } from '../server/access/room-access.js';
import { VERSION } from '../version.js';
import { type CaptionerTiming, DEFAULT_CAPTIONER_TIMING } from './bot/captioner-host.js';
import { RoomCaptioner } from './bot/room-captioner.js';
import type { Captioner, StartCaptioner } from './captioner.js';
import { CaptionerRegistry, type LoadSource } from './captioner-registry.js';
import { EncryptionKeys } from './encryption-keys.js';
import { SelfHealing } from './healing/self-healing.js';
import { LiveKitAdmin } from './livekit-admin.js';
import { parseRoomSettings, roomSettingsDefaults } from './parse-room-settings.js';
import { prepareSdk } from './prepare-sdk.js';
import { createCaptionRoads } from './roads/create-caption-roads.js';
import { RoomKeyAnswers } from './signing/room-key-answers.js';
import { RoomKeyRing, type RoomKeyRoad } from './signing/room-key-ring.js';
import { INSTANCE_ATTRIBUTE, mintBotToken, PARTICIPANT_NAME } from './tokens.js';
import { AgentWorker } from './worker/agent-worker.js';
import { detached } from '../../asr/detached.js';
import type { NotReady } from '../server/readiness.js';

export type LiveKitRole = 'worker' | 'single_room';

export interface LiveKitSideOptions {
  readonly settings: Settings;
  readonly engine: ChildEngine;
  readonly chooseLanguage: LanguageChooser;
  readonly rooms: RoomRegistry;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  /** What LiveKit's server takes away from people is told there. */
  readonly access: RoomAccess;
  readonly load: () => LoadSource;
  /** `single_room`: takes no jobs and looks for no rooms; captions what `captionRoom` is asked for. */
  readonly role: LiveKitRole;
  /** For tests. */
  readonly timing?: Partial<CaptionerTiming>;
}

/** Anybody may read these. */
const REASONS: Readonly<Record<string, string>> = {
  livekit_connecting: 'The gateway is registering with LiveKit.',
  livekit_unreachable: 'LiveKit cannot be reached; the gateway’s log says where.',
  livekit_unauthorised: 'LiveKit refuses LIVEKIT_API_KEY and LIVEKIT_API_SECRET. Check both, and the clocks.',
};

export class LiveKitSide {
  readonly captioners: CaptionerRegistry;
  /** Undefined in the role `single_room`. */
  readonly worker: AgentWorker | undefined;
  readonly healing: SelfHealing;
  /** Of this process, on all its bots. */
  readonly instance = randomUUID();
  readonly #url: string;
  readonly #admin: LiveKitAdmin;
  readonly #keyAnswers: RoomKeyAnswers;
  readonly #mintToken: (room: RoomName) => Promise<string>;
  readonly #drainMs: number;
  #closing: Promise<void> | undefined;

  /**
   * Throws CaptionError `config_invalid`, `livekit_url_invalid`. Connects by itself, and again whenever the connection is lost.
   */
  constructor(options: LiveKitSideOptions) {
    const { settings, engine, chooseLanguage, rooms, metrics, log } = options;
    if (settings.LIVEKIT_API_KEY === '') {
      throw new CaptionError('config_invalid', 'LIVEKIT_URL needs LIVEKIT_API_KEY and LIVEKIT_API_SECRET.');
    }
    prepareSdk();
    this.#drainMs = settings.CAPTION_DRAIN_S * 1000;
    const access = {
      url: settings.LIVEKIT_URL,
      apiKey: settings.LIVEKIT_API_KEY,
      apiSecret: settings.LIVEKIT_API_SECRET,
      agentName: settings.TRANSCRIBER_AGENT_NAME,
    };
    const defaults = roomSettingsDefaults(settings);
    const liveKitMetrics = new LiveKitMetrics(metrics.registry);
    const encryptionKeys = new EncryptionKeys({
      sharedKey: settings.CAPTION_E2EE_KEY,
      hookUrl: settings.CAPTION_E2EE_KEY_URL,
      hookToken: settings.CAPTION_E2EE_KEY_TOKEN,
      log,
    });
    this.#url = access.url;
    this.#admin = new LiveKitAdmin(access);
    this.#keyAnswers = new RoomKeyAnswers({ admin: this.#admin, apiSecret: access.apiSecret });
    this.#mintToken = (room) => mintBotToken({ ...access, instance: this.instance }, room);
    const startCaptioner: StartCaptioner = (request) => {
      const captioner = new RoomCaptioner(request, {
        engine,
        chooseLanguage,
        rooms,
        log,
        access: options.access,
        observer: {
          joined: () => liveKitMetrics.joined(),
          reconnected: () => liveKitMetrics.reconnected(),
          removed: () => this.healing.captionerRemoved(request),
          ended: ({ kind }) => liveKitMetrics.ended(kind),
        },
        observeAsr: (event) => metrics.asrEvent(event),
        createRoads: (roads) => createCaptionRoads({ ...roads, observer: liveKitMetrics }),
        roomSettings: (sources) => parseRoomSettings({ defaults, ...sources }),
        encryptionKey: (room) => encryptionKeys.keyOf(room),
        asksIceServers: settings.CAPTION_ICE_SERVERS === 'livekit',
        createKeys: (room, changed) =>
          new RoomKeyRing({
            room,
            apiSecret: access.apiSecret,
            road: settings.CAPTION_ROOM_KEY as RoomKeyRoad,
            admin: this.#admin,
            changed,
            log: log.child({ room }),
          }),
        listParticipants: (room) => this.#admin.listParticipants(room),
        mintToken: this.#mintToken,
        probed: (room, bytes) => this.healing.answerProbe(room, bytes),
        timing: { ...DEFAULT_CAPTIONER_TIMING, ...options.timing },
      });
      detached(
        'end of a captioner',
        captioner.ended.then((end) => this.healing.captionerEnded(request.room, end)),
      );
      return captioner;
    };
    this.captioners = new CaptionerRegistry({ startCaptioner, load: options.load });
    this.healing = new SelfHealing({
      ...access,
      instance: this.instance,
      redisUrl: settings.CAPTION_REDIS_URL,
      watchIntervalMs: options.role === 'worker' ? settings.CAPTION_WATCH_S * 1000 : 0,
      captioners: this.captioners,
      observer: liveKitMetrics,
      log,
    });
    const workerOptions = {
      ...access,
      version: VERSION,
      captioners: this.captioners,
      participantName: PARTICIPANT_NAME,
      participantAttributes: { [INSTANCE_ATTRIBUTE]: this.instance },
      mayCaption: (room: RoomName) => this.healing.mayCaption(room),
      observer: liveKitMetrics,
      log,
    };
    this.worker = options.role === 'worker' ? new AgentWorker(workerOptions) : undefined;
    liveKitMetrics.watch(() => ({
      rooms: this.captioners.captioners.length,
      speakers: this.speakerCount,
      load: this.captioners.load,
      isRegistered: this.worker?.state === 'registered',
    }));
  }

  get speakerCount(): number {
    return this.captioners.captioners.reduce((sum, { speakerCount }) => sum + speakerCount, 0);
  }

  /** Undefined while rooms can be dispatched to us. */
  get notReady(): NotReady | undefined {
    if (this.worker === undefined || this.worker.state === 'registered') return undefined;
    const code = this.worker.lastError?.code ?? 'livekit_connecting';
    return { code, reason: REASONS[code] ?? 'The gateway is not registered with LiveKit; see its log.' };
  }

  /** The same, for whoever runs this process: it names the server. */
  get notReadyReason(): string | undefined {
    if (this.worker === undefined || this.worker.state === 'registered') return undefined;
    return this.worker.lastError?.message ?? 'The gateway is registering with LiveKit.';
  }

  /**
   * The public keys that captions of a room are signed with. Throws CaptionError `livekit_room_missing`, `livekit_unreachable`,
   * `livekit_unauthorised`.
   */
  keysOf(room: RoomName): Promise<readonly string[]> {
    return this.#keyAnswers.keysOf(room);
  }

  /**
   * Captions one room without a job. Throws CaptionError `livekit_unreachable`, `livekit_unauthorised`,
   * `livekit_room_captioned`, `too_many_rooms`, `shutting_down`.
   */
  async captionRoom(room: RoomName, { settingsJson }: { settingsJson: string }): Promise<Captioner> {
    await this.#admin.listParticipants(room);
    const reservation = this.captioners.reserve(room);
    switch (reservation) {
      case 'closing':
        throw new CaptionError('shutting_down', 'The gateway is being stopped.', { retryable: true });
      case 'full':
        throw new CaptionError('too_many_rooms', 'Recognition cannot take another room.', {
          retryable: true,
        });
      case 'captioned_here':
        throw captionedAlready(room);
      default:
    }
    try {
      if (!(await this.healing.mayCaption(room))) throw captionedAlready(room);
      const token = await this.#mintToken(room);
      return reservation.start({ url: this.#url, token, dispatchMetadata: settingsJson });
    } finally {
      reservation.release();
    }
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    this.worker?.drain();
    await Promise.all([this.healing.drain(), this.captioners.close({ deadlineMs: this.#drainMs })]);
    this.worker?.close();
    await this.healing.close();
  }
}

const captionedAlready = (room: RoomName): CaptionError =>
  new CaptionError(
    'livekit_room_captioned',
    `Room ${room} has a captioner already. Wait until it has left, or remove it from the room.`,
  );
