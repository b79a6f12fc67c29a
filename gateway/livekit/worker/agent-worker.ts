/**
 * The gateway as an agent worker of LiveKit (livekit-server, pkg/agent/worker.go):
 *
 *   LiveKit                                    worker
 *     |-> availability {job}                     |   answered at once, from memory: the server waits 2 to 3 s in all
 *     |                     availability {…}   <-|   yes: the room is reserved; no + terminate: somebody captions it already
 *     |-> assignment {job, token}                |   the reservation becomes a captioner
 *     |                     updateWorker {…}   <-|   load and status, every 2.5 s
 *     |                     updateJob {…}      <-|   running; to the end: success or failed
 *     |-> termination {jobId}                    |   a healthy bot stays a while (livekit#4887)
 *
 * The connection is not the bots: when it drops, they go on; it is opened again for ever, with backoff and jitter.
 */
import {
  AvailabilityResponse,
  type Job,
  JobStatus,
  JobType,
  type ServerMessage,
  UpdateJobStatus,
  UpdateWorkerStatus,
  type WorkerMessage,
  WorkerStatus,
} from '@livekit/protocol';
import { CaptionError, errorMessage, roomName, type RoomName } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import type { CaptionerEnd } from '../captioner-end.js';
import { type Reservation, RESERVATION_LIMIT_MS, type RoomCaptioners } from '../room-captioners.js';
import { botIdentity } from '../tokens.js';
import { AgentConnection, type AgentConnectionOptions } from './agent-connection.js';
import { detached } from '../../../asr/detached.js';

const STATUS_INTERVAL_MS = 2500;
/** The server gives rooms to workers whose load is below `agents.target_load`, 0.7 where nothing else is set. */
const FULL_FROM_LOAD = 0.7;
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 10_000;
/** A real end of a job removes the bot from its room within three seconds (livekit-server, rtc/room.go). */
const TERMINATION_GRACE_MS = 5000;
/** Whether another gateway has this room must be known by then: the server waits for 2 s. */
const LOCK_DEADLINE_MS = 1000;

export type WorkerState = 'connecting' | 'registered' | 'refused' | 'closed';

/** Counts what happens. Every call is cheap. */
export interface WorkerObserver {
  registration(outcome: 'registered' | 'refused' | 'unreachable' | 'lost'): void;
  offerAnswered(answer: 'accepted' | 'captioned' | 'full' | 'closing' | 'unknown_job'): void;
}

export interface AgentWorkerOptions extends Omit<AgentConnectionOptions, 'received'> {
  readonly captioners: RoomCaptioners;
  readonly participantName: string;
  readonly participantAttributes: Readonly<Record<string, string>>;
  /** Asks those who share this server's rooms; `false` means that another one captions it. */
  readonly mayCaption: (room: RoomName) => Promise<boolean>;
  readonly observer: WorkerObserver;
  /** For tests. Default 5 s. */
  readonly terminationGraceMs?: number;
}

interface RunningJob {
  readonly room: RoomName;
  isReported: boolean;
}

/** Registers, answers offers, reports jobs. `close` takes it out of the pool; the captioners are closed by their registry. */
export class AgentWorker {
  readonly #options: AgentWorkerOptions;
  readonly #log: Logger;
  /** Of offers that were accepted, by job id. */
  readonly #reservations = new Map<string, Reservation>();
  readonly #jobs = new Map<string, RunningJob>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #connection: AgentConnection | undefined;
  #state: WorkerState = 'connecting';
  #lastError: CaptionError | undefined;
  #isDraining = false;
  #wake: (() => void) | undefined;
  readonly #statusTimer: NodeJS.Timeout;

  constructor(options: AgentWorkerOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#statusTimer = setInterval(() => this.#tellStatus(), STATUS_INTERVAL_MS);
    this.#statusTimer.unref();
    detached('worker of LiveKit', this.#run());
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Why it is not registered; undefined while it is. */
  get lastError(): CaptionError | undefined {
    return this.#state === 'registered' ? undefined : this.#lastError;
  }

  /** No further offers; the server is told. The connection stays, for the ends of the jobs. */
  drain(): void {
    this.#isDraining = true;
    this.#tellStatus();
  }

  /** Tells the ends of all jobs that are still open and ends the connection. Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.drain();
    this.#state = 'closed';
    clearInterval(this.#statusTimer);
    for (const timer of this.#timers) clearTimeout(timer);
    for (const [jobId, job] of this.#jobs) this.#report(jobId, job, { kind: 'stopped' });
    for (const reservation of this.#reservations.values()) reservation.release();
    this.#reservations.clear();
    this.#connection?.close();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.#isClosed()) {
      const startedAtMs = performance.now();
      try {
        await this.#register();
      } catch (error) {
        this.#failed(error);
      }
      if (performance.now() - startedAtMs > MAX_RETRY_MS) retryMs = FIRST_RETRY_MS;
      if (this.#isClosed()) return;
      await this.#pause(retryMs * (0.5 + Math.random()));
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
    }
  }

  /** One connection, from its opening to its end. */
  async #register(): Promise<void> {
    const connection = await AgentConnection.open({
      ...this.#options,
      received: (message) => this.#received(message),
    });
    if (this.#isClosed()) {
      connection.close();
      return;
    }
    this.#connection = connection;
    this.#state = 'registered';
    this.#options.observer.registration('registered');
    this.#log.info(
      { workerId: connection.workerId, agentName: this.#options.agentName },
      'registered with LiveKit',
    );
    this.#tellStatus();
    await connection.ended;
    this.#connection = undefined;
    // The server has forgotten our jobs; the bots go on.
    this.#jobs.clear();
    if (this.#isClosed()) return;
    this.#state = 'connecting';
    this.#lastError = new CaptionError('livekit_unreachable', 'The connection to LiveKit was lost.', {
      retryable: true,
    });
    this.#options.observer.registration('lost');
    this.#log.warn('connection to LiveKit lost');
  }

  #failed(error: unknown): void {
    const failure =
      error instanceof CaptionError ? error : new CaptionError('internal_error', errorMessage(error));
    const isRefused = failure.code !== 'livekit_unreachable';
    const isNews = this.#lastError?.code !== failure.code;
    this.#lastError = failure;
    if (!this.#isClosed()) this.#state = isRefused ? 'refused' : 'connecting';
    this.#options.observer.registration(isRefused ? 'refused' : 'unreachable');
    if (isNews)
      this.#log.error({ code: failure.code, error: failure.message }, 'not registered with LiveKit');
  }

  #received(message: ServerMessage['message']): void {
    switch (message.case) {
      case 'availability':
        if (message.value.job !== undefined) detached('worker of LiveKit', this.#offered(message.value.job));
        return;
      case 'assignment':
        if (message.value.job !== undefined) this.#assigned(message.value.job, message.value);
        return;
      case 'termination':
        this.#terminated(message.value.jobId);
        return;
      default:
    }
  }

  async #offered(job: Job): Promise<void> {
    const room = job.room?.name ?? '';
    if (job.type !== JobType.JT_ROOM || room === '') {
      this.#answer(job.id, { answer: 'unknown_job', isAvailable: false, isTerminal: false });
      return;
    }
    const reservation = this.#isDraining ? 'closing' : this.#options.captioners.reserve(roomName(room));
    switch (reservation) {
      case 'captioned_here':
        this.#answer(job.id, { answer: 'captioned', isAvailable: false, isTerminal: true });
        return;
      case 'full':
      case 'closing':
        this.#answer(job.id, { answer: reservation, isAvailable: false, isTerminal: false });
        return;
      default:
    }
    if (!(await this.#isOurs(reservation.room))) {
      reservation.release();
      this.#answer(job.id, { answer: 'captioned', isAvailable: false, isTerminal: true });
      return;
    }
    this.#reservations.set(job.id, reservation);
    // The registry lets go of it by itself when no assignment comes.
    this.#later(RESERVATION_LIMIT_MS, () => this.#reservations.delete(job.id));
    this.#answer(job.id, {
      answer: 'accepted',
      isAvailable: true,
      isTerminal: false,
      room: reservation.room,
    });
  }

  /** A lock that does not answer in time must not leave a room without captions. */
  async #isOurs(room: RoomName): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>(
      (resolve) => (timer = setTimeout(() => resolve(true), LOCK_DEADLINE_MS)),
    );
    try {
      return await Promise.race([this.#options.mayCaption(room).catch(() => true), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #answer(
    jobId: string,
    reply: {
      answer: Parameters<WorkerObserver['offerAnswered']>[0];
      isAvailable: boolean;
      isTerminal: boolean;
      room?: RoomName;
    },
  ): void {
    const { answer, isAvailable, isTerminal, room } = reply;
    this.#options.observer.offerAnswered(answer);
    this.#log.info({ jobId, answer }, 'job offered');
    const { participantName, participantAttributes } = this.#options;
    this.#send({
      case: 'availability',
      value: new AvailabilityResponse({
        jobId,
        available: isAvailable,
        terminate: isTerminal,
        ...(room === undefined
          ? {}
          : {
              participantIdentity: botIdentity(this.#options.agentName, room),
              participantName,
              participantAttributes: { ...participantAttributes },
            }),
      }),
    });
  }

  #assigned(job: Job, assignment: { readonly url?: string; readonly token: string }): void {
    const reservation = this.#reservations.get(job.id);
    this.#reservations.delete(job.id);
    if (reservation === undefined) {
      this.#log.warn({ jobId: job.id }, 'job assigned that was not accepted');
      this.#updateJob(job.id, JobStatus.JS_FAILED, 'not accepted');
      return;
    }
    const { url } = assignment;
    const captioner = reservation.start({
      url: url === undefined || url === '' ? this.#options.url : url,
      token: assignment.token,
      dispatchMetadata: job.metadata,
      ...(job.dispatchId === '' ? {} : { dispatchId: job.dispatchId }),
    });
    const running: RunningJob = { room: reservation.room, isReported: false };
    this.#jobs.set(job.id, running);
    this.#updateJob(job.id, JobStatus.JS_RUNNING);
    detached(
      'worker of LiveKit',
      captioner.ended.then((end) => this.#report(job.id, running, end)),
    );
    this.#tellStatus();
  }

  /** livekit#4887: the end of a former connection of ours may end the job of the present one. */
  #terminated(jobId: string): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    this.#log.info({ jobId }, 'job terminated by LiveKit');
    // Only a report makes the server forget it.
    this.#report(jobId, job, { kind: 'stopped' });
    this.#later(this.#options.terminationGraceMs ?? TERMINATION_GRACE_MS, () => {
      const captioner = this.#options.captioners.captionerOf(job.room);
      if (captioner !== undefined && !captioner.isConnected)
        detached('worker of LiveKit', captioner.stop({ deadlineMs: STOP_DEADLINE_MS }));
    });
  }

  #report(jobId: string, job: RunningJob, end: CaptionerEnd): void {
    if (job.isReported) return;
    job.isReported = true;
    this.#jobs.delete(jobId);
    if (end.kind === 'failed') this.#updateJob(jobId, JobStatus.JS_FAILED, end.error.message);
    else this.#updateJob(jobId, JobStatus.JS_SUCCESS);
    this.#tellStatus();
  }

  #updateJob(jobId: string, status: JobStatus, error = ''): void {
    this.#send({ case: 'updateJob', value: new UpdateJobStatus({ jobId, status, error }) });
  }

  #tellStatus(): void {
    const load = this.#isDraining ? 1 : this.#options.captioners.load;
    this.#send({
      case: 'updateWorker',
      value: new UpdateWorkerStatus({
        status: load >= FULL_FROM_LOAD ? WorkerStatus.WS_FULL : WorkerStatus.WS_AVAILABLE,
        load,
        jobCount: this.#options.captioners.captioners.length,
      }),
    });
  }

  #send(message: WorkerMessage['message']): void {
    this.#connection?.send(message);
  }

  #later(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    timer.unref();
    this.#timers.add(timer);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const STOP_DEADLINE_MS = 5000;
