/**
 * The gateway, put together: standalone, or with rooms of LiveKit where LIVEKIT_URL is set. No side effect on import.
 *
 * Shutdown, in this order: (1) no new speakers and rooms, (2) open segments are finished and their finals published, (3)
 * what captioners wrote settles, connections are closed with a reason, (4) meetings end and their transcripts are complete, (5)
 * the recogniser children end.
 */
import { CaptionError } from '../protocol/index.js';
import { availableParallelism } from 'node:os';
import {
  ChildEngine,
  type EngineChoice,
  defaultChildren,
  type InstalledModel,
  type InstalledPunctuation,
  type PoolObserver,
} from '../asr/index.js';
import { watchStrayErrors } from '../asr/detached.js';
import { environmentWith } from './config/environment.js';
import type { Settings } from './config/settings.js';
import type { LiveKitRole, LiveKitSide, LiveKitSideOptions } from './livekit/livekit-side.js';
import { RefusalLog } from './bounds/refusal-log.js';
import type { Logger } from './log.js';
import { type GatewayCounts, GatewayMetrics } from './metrics/gateway-metrics.js';
import { RecognitionLoad } from './metrics/recognition-load.js';
import { languageChooser } from './rooms/caption-language.js';
import { RoomRegistry } from './rooms/room-registry.js';
import { ConnectionRights, type OpenConnectionRights } from './server/access/connection-rights.js';
import { requireSafeKeys } from './server/access/key-strength.js';
import { RoomAccess } from './server/access/room-access.js';
import { allowEverything, liveKitTokens } from './server/authentication.js';
import { CaptionerEndpoint } from './captioner/captioner-endpoint.js';
import { CaptionPosts } from './captioner/caption-posts.js';
import { allObservers } from './latency/latency-observer.js';
import type { GatewaySample, LatencyLedger } from './report/latency-ledger.js';
import { startReport } from './report/start-report.js';
import { startTranscripts } from './transcript/start-transcripts.js';
import { RoomRequests } from './server/room-requests.js';
import { TranscriptRequests } from './server/transcript-requests.js';
import { CaptionsEndpoint } from './server/captions-endpoint.js';
import { ReportRequests } from './server/report-requests.js';
import { GatewayServer } from './server/gateway-server.js';
import { IngestEndpoint } from './server/ingest-endpoint.js';
import { allowedOrigins, OriginPolicy } from './server/origin-policy.js';
import type { NotReady } from './server/readiness.js';
import { DEFAULT_TIMING, type Timing } from './server/timing.js';

/** Between the last moment at which a client may resume and the end of what it was saying. */
const STALL_MARGIN_MS = 5000;
/** Beyond the drain, for leaving rooms of LiveKit. */
const LEAVE_MS = 2000;

export interface GatewayOptions {
  readonly settings: Settings;
  readonly model: InstalledModel;
  readonly punctuation?: InstalledPunctuation;
  /** See `ChildEngineOptions`. */
  readonly graphCacheDir?: string;
  readonly log: Logger;
  /** For tests: supervision of the recogniser children, patience with peers. */
  readonly supervision?: Parameters<typeof ChildEngine.start>[0]['supervision'];
  readonly timing?: Partial<Timing>;
  readonly captionerTiming?: LiveKitSideOptions['timing'];
  /** Default `worker`. */
  readonly liveKitRole?: LiveKitRole;
}

export interface Gateway {
  /** For instance `http://127.0.0.1:8765`. */
  readonly url: string;
  readonly port: number;
  readonly engine: ChildEngine;
  readonly rooms: RoomRegistry;
  /** What was taken away from whom. */
  readonly access: RoomAccess;
  /** Undefined without LIVEKIT_URL. */
  readonly livekit: LiveKitSide | undefined;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Throws CaptionError `config_invalid`, `language_unsupported`, `address_unavailable`, `recogniser_refused`, `recogniser_start_failed`. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { settings, log } = options;
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const isOpen = settings.LIVEKIT_API_KEY === '';
  requireSafeKeys(settings);
  const chooseLanguage = languageChooser(options.model, settings.CAPTION_LANGUAGE);
  const metrics = new GatewayMetrics();
  const stopWatching = watchStrayErrors(({ what, error }) => {
    metrics.strayError();
    log.error({ err: error, what }, 'error that nobody waited for');
  });
  const transcripts = await startTranscripts({ settings, metrics, log });
  const report = await startReport({
    settings,
    model: options.model,
    log,
    sample: () => sampleOf(metrics.counts),
    lost: (lines) => metrics.reportLost(lines),
  });
  const rooms = new RoomRegistry({
    maxRooms: settings.CAPTION_MAX_ROOMS,
    retentionMs: settings.CAPTION_ROOM_RETENTION_S * 1000,
    meetingEndMs: settings.CAPTION_MEETING_END_S * 1000,
    opened: (room) => transcripts?.keeper.roomOpened(room),
    closed: (room) => transcripts?.keeper.roomClosed(room),
    latency: report === undefined ? metrics.latency : allObservers([metrics.latency, report.ledger]),
  });
  const recognisers = settings.CAPTION_RECOGNISERS || defaultChildren();
  const recognitionLoad = new RecognitionLoad({ children: recognisers, now: () => performance.now() });
  const observer = poolObserver({ metrics, rooms, log, recognitionLoad, ledger: report?.ledger });
  const engine = await startEngine(options, observer).catch(async (error: unknown) => {
    await transcripts?.close();
    await report?.close();
    rooms.close();
    stopWatching();
    throw error;
  });
  const access = new RoomAccess();
  const { LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret } = settings;
  const authenticator = isOpen ? allowEverything : liveKitTokens({ apiKey, apiSecret }, access);
  const openRights: OpenConnectionRights = (rights) =>
    new ConnectionRights({ ...rights, authenticator, access });
  const refusals = new RefusalLog(metrics, log);
  const captions = new CaptionsEndpoint({
    rooms,
    metrics,
    maxPauseMs: timing.maxViewerPauseMs,
    openRights,
    maxViewersPerIdentity: settings.CAPTION_MAX_VIEWERS_PER_IDENTITY,
    maxViewersPerRoom: settings.CAPTION_MAX_VIEWERS_PER_ROOM,
  });
  const resumeMs = settings.CAPTION_INGEST_RESUME_S * 1000;
  const ingest = new IngestEndpoint({
    engine,
    rooms,
    metrics,
    log,
    chooseLanguage,
    maxSpeakers: settings.CAPTION_MAX_SPEAKERS,
    resumeMs,
    idleMs: settings.CAPTION_INGEST_IDLE_S * 1000,
    maxAheadMs: settings.CAPTION_INGEST_AHEAD_S * 1000,
    helloDeadlineMs: timing.helloDeadlineMs,
    // Whoever resumes goes on in the middle of a word: until then nothing is finished there.
    stall: { pauseMs: timing.stallFlushMs, finishMs: resumeMs + STALL_MARGIN_MS },
    openRights,
  });
  const written = { rooms, language: settings.CAPTION_LANGUAGE };
  const captioners = new CaptionerEndpoint({
    ...written,
    metrics,
    log,
    helloDeadlineMs: timing.helloDeadlineMs,
    openRights,
  });
  const posts = new CaptionPosts({ ...written, openRights });
  metrics.watch(() => ({
    rooms: rooms.rooms.length,
    speakers: ingest.speakerCount + (livekit?.speakerCount ?? 0),
    viewers: rooms.rooms.reduce((sum, room) => sum + room.viewerCount, 0),
    utterances: engine.openUtterances,
    isLive: engine.health.state === 'live',
    captioners: captioners.captionerCount,
    transcriptBytes: transcripts?.keeper.bytes ?? 0,
    isDeletionLate: transcripts?.isDeletionLate ?? false,
    backlog: engine.backlog,
    busyShare: recognitionLoad.busyShare,
    realTimeFactor: recognitionLoad.realTimeFactor,
    streams: engine.openStreams,
    unsentBytes: captions.unsentBytes,
  }));
  let livekit: LiveKitSide | undefined;
  let closing: Promise<void> | undefined;
  const notReady = (): NotReady | undefined => {
    if (closing !== undefined) return { code: 'shutting_down', reason: 'The gateway is shutting down.' };
    const { health } = engine;
    if (health.state === 'unavailable') return { code: 'recognition_unavailable', reason: health.reason };
    return livekit?.notReady;
  };
  const origins = new OriginPolicy({
    allowed: allowedOrigins(settings.CAPTION_ALLOWED_ORIGINS),
    isLoopbackOnly: isOpen,
  });
  const roomRequests = new RoomRequests({
    authenticator,
    origins,
    rooms,
    transcripts: new TranscriptRequests({
      keeper: transcripts?.keeper,
      rooms,
      maxPauseMs: timing.maxDownloadPauseMs,
      ...(isOpen ? { openForMs: settings.CAPTION_ROOM_RETENTION_S * 1000 } : {}),
    }),
    posts,
    keysOf: async (room) => {
      if (livekit === undefined) throw noKeys();
      return livekit.keysOf(room);
    },
    refusals,
  });
  const server = new GatewayServer({
    host: settings.CAPTION_HOST,
    port: settings.CAPTION_PORT,
    authenticator,
    origins,
    metrics,
    endpoints: { '/v1/ingest': ingest, '/v1/captions': captions, '/v1/captioner': captioners },
    maxConnections: settings.CAPTION_MAX_CONNECTIONS,
    roomRequests,
    reportRequests: new ReportRequests({
      report,
      operatorToken: settings.CAPTION_OPERATOR_TOKEN,
      isOpen,
      origins,
      refusals,
    }),
    notReady,
    warnings: () => (transcripts?.isDeletionLate === true ? ['transcripts_not_deleted'] : []),
    timing,
    refusals,
    liveKitUrl: settings.LIVEKIT_URL,
    log,
  });
  const close = async (): Promise<void> => {
    const drained = Promise.all([ingest.close(), livekit?.close()]);
    const isDrained = await settlesWithin(
      drained,
      timing.drainDeadlineMs ?? settings.CAPTION_DRAIN_S * 1000 + LEAVE_MS,
    );
    if (!isDrained) log.warn('shut down before everything was recognised');
    captioners.close();
    posts.close();
    await server.close();
    captions.close();
    roomRequests.close();
    refusals.close();
    await transcripts?.close();
    await report?.close();
    rooms.close();
    await engine.close();
    stopWatching();
  };
  try {
    const address = await server.listen();
    if (settings.LIVEKIT_URL !== '') {
      livekit = await startLiveKitSide({
        settings,
        engine,
        rooms,
        metrics,
        log,
        chooseLanguage,
        access,
        role: options.liveKitRole ?? 'worker',
        load: () => ({
          speakers: ingest.speakerCount + (livekit?.speakerCount ?? 0),
          maxSpeakers: settings.CAPTION_MAX_SPEAKERS,
          maxRooms: settings.CAPTION_MAX_ROOMS,
          busyShare: recognitionLoad.busyShare,
          isHealthy: engine.health.state !== 'unavailable',
        }),
        ...(options.captionerTiming === undefined ? {} : { timing: options.captionerTiming }),
      });
    }
    return { ...address, engine, rooms, access, livekit, close: () => (closing ??= close()) };
  } catch (error) {
    await server.close();
    await transcripts?.close();
    await report?.close();
    rooms.close();
    await engine.close();
    stopWatching();
    throw error;
  }
}

const noKeys = (): CaptionError =>
  new CaptionError(
    'not_found',
    'This gateway has no rooms of LiveKit (LIVEKIT_URL). Captions over WebSockets come from itself and need no key.',
  );

/** The SDK's native library is loaded only where it is wanted. */
async function startLiveKitSide(options: LiveKitSideOptions): Promise<LiveKitSide> {
  const { LiveKitSide: Side } = await import('./livekit/livekit-side.js');
  return new Side(options);
}

function sampleOf(counts: GatewayCounts): GatewaySample {
  const { rooms, speakers, utterances, viewers, backlog, busyShare } = counts;
  return { rooms, speakers, utterances, viewers, longestBacklogMs: backlog.longestMs, busyShare };
}

/** True when `work` was done within the deadline. */
async function settlesWithin(work: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), deadlineMs)));
  try {
    return await Promise.race([work.then(() => true), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function startEngine(options: GatewayOptions, observer: PoolObserver): Promise<ChildEngine> {
  const { settings, model, punctuation, graphCacheDir, supervision, log } = options;
  return ChildEngine.start({
    model,
    ...(punctuation === undefined ? {} : { punctuation }),
    ...(graphCacheDir === undefined ? {} : { graphCacheDir }),
    ...(settings.CAPTION_RECOGNISERS === 0
      ? { maxChildren: availableParallelism() }
      : { children: settings.CAPTION_RECOGNISERS }),
    hasStandby: settings.CAPTION_STANDBY === 'on',
    environment: environmentWith({}),
    engine: settings.CAPTION_ENGINE as EngineChoice,
    changedWordsAllowed: settings.CAPTION_CHANGED_WORDS_PERCENT / 100,
    decodeCallBudgetMs: settings.CAPTION_DECODE_BUDGET_MS,
    observer,
    gateFailed: (error) => log.error({ err: error }, 'voice gate failed'),
    ...(supervision === undefined ? {} : { supervision }),
  });
}

/** What happens to the children: to metrics, to the log, and to the viewers of all rooms. */
function poolObserver(parts: {
  metrics: GatewayMetrics;
  rooms: RoomRegistry;
  log: Logger;
  recognitionLoad: RecognitionLoad;
  ledger: LatencyLedger | undefined;
}): PoolObserver {
  const { metrics, rooms, log, recognitionLoad, ledger } = parts;
  let isRefusalLogged = false;
  return {
    ...metrics.pool,
    decodeCall: (call) => {
      metrics.pool.decodeCall?.(call);
      recognitionLoad.noteCall(call);
    },
    childReady: ({ refusal, ...info }) => {
      log.info(info, 'recogniser ready');
      // Every child says the same.
      if (refusal !== undefined && !isRefusalLogged)
        log.warn({ reason: refusal }, 'our own engine cannot run the model; sherpa-onnx does');
      isRefusalLogged ||= refusal !== undefined;
    },
    childDown: (info) => {
      metrics.pool.childDown?.(info);
      ledger?.restarted();
      log.warn(info, 'recogniser ended by itself');
    },
    utteranceFailed: () => {
      metrics.pool.utteranceFailed?.();
      ledger?.utteranceFailed();
    },
    healthChanged: (health) => {
      log.info({ state: health.state }, 'recognition changed state');
      rooms.publishStatus(health);
    },
  };
}
