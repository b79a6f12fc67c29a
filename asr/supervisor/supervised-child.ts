/**
 * Keeps one recogniser child running.
 *
 *              start()              ready
 *   stopped ───────────► starting ─────────► ready
 *                         │  ▲  │              │
 *        exit 41 or 42    │  │  │ exit, hang,  │ exit, hang, flood,
 *      ◄──────────────────┘  │  │ no ready     │ nonsense
 *   failed                   │  ▼              ▼
 *                            └─ waiting (backoff)
 *   close() from every state: asks the child to shut down, kills it after a deadline ──► closed
 */
import { type ChildProcess, fork } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { CaptionError } from '../../protocol/index.js';
import { parseFromChild } from '../child/from-child.js';
import {
  CHILD_EXIT,
  CHILD_PROTOCOL_VERSION,
  type FromChild,
  type RecogniserConfig,
  type ToChild,
} from '../child/messages.js';
import { type BackoffPolicy, DEFAULT_BACKOFF, restartDelayMs } from './backoff.js';
import { childEnvironment } from './child-environment.js';
import { CHILD_NODE_OPTIONS } from './child-memory.js';
import { StderrTail } from './stderr-tail.js';

export interface SupervisedChildOptions {
  /** Built entry file of the child. */
  readonly entry: string;
  readonly recogniser: RecogniserConfig;
  /** Longest wished decoding call, in milliseconds. Default 40. */
  readonly decodeCallBudgetMs?: number;
  /** From spawn to `ready`. Default 30 s: large models take their time. */
  readonly readyDeadlineMs?: number;
  readonly heartbeatIntervalMs?: number;
  /** Without a pong for so long a child counts as hung and is killed. Default 5 s. */
  readonly heartbeatTimeoutMs?: number;
  /**
   * A child that sends more messages than this within a heartbeat interval is killed. Default 5,000: one comes for each
   * decoding call, and a child that does nothing but send reaches 9,000 a second.
   */
  readonly maxMessagesPerInterval?: number;
  readonly shutdownDeadlineMs?: number;
  readonly backoff?: BackoffPolicy;
  /** Variables that the child finds, `PATH` among them. Default none; what saves memory is added. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** A child that can be given audio. */
export interface ChildReady {
  readonly loadMs: number;
  readonly startMs: number;
  readonly engine: 'zipformer' | 'sherpa';
  /** Why it is sherpa, where `auto` would have preferred our own. */
  readonly refusal?: string;
  /** Its engine can save states. */
  readonly savesStreams: boolean;
}

/** Why a child is not there any more. */
export interface ChildDown {
  readonly cause: 'exit' | 'not_ready' | 'hung' | 'flood' | 'protocol_violation' | 'version_mismatch';
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines it wrote to standard error. */
  readonly stderr: string;
  readonly restartInMs: number;
}

export interface ChildListener {
  ready(info: ChildReady): void;
  message(message: Extract<FromChild, { kind: 'decoded' | 'saved' | 'utteranceFailed' }>): void;
  down(info: ChildDown): void;
  /** The child refuses its configuration; it is not started again. */
  failed(error: CaptionError): void;
}

export type ChildState = 'stopped' | 'starting' | 'ready' | 'waiting' | 'failed' | 'closed';

const DEFAULTS = {
  decodeCallBudgetMs: 40,
  readyDeadlineMs: 30_000,
  heartbeatIntervalMs: 1000,
  heartbeatTimeoutMs: 5000,
  maxMessagesPerInterval: 5000,
  shutdownDeadlineMs: 2000,
  backoff: DEFAULT_BACKOFF,
  environment: {},
} as const;

export class SupervisedChild {
  readonly #options: Required<SupervisedChildOptions>;
  readonly #listener: ChildListener;
  #state: ChildState = 'stopped';
  #process: ChildProcess | undefined;
  #stderr = new StderrTail();
  #killCause: ChildDown['cause'] | undefined;
  #isGreeted = false;
  #spawnedAtMs = 0;
  #readyAtMs: number | undefined;
  #lastPongAtMs = 0;
  #messagesInInterval = 0;
  #failuresInARow = 0;
  #pingId = 0;
  #readyTimer: NodeJS.Timeout | undefined;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SupervisedChildOptions, listener: ChildListener) {
    this.#options = { ...DEFAULTS, ...options };
    this.#listener = listener;
  }

  get state(): ChildState {
    return this.#state;
  }

  /** Of the running process; undefined between two. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** How often it ended since it was last healthy. */
  get failuresInARow(): number {
    return this.#failuresInARow;
  }

  start(): void {
    if (this.#state === 'stopped') this.#spawn();
  }

  /** False when there is no ready child to send to; the caller keeps what it wanted to send. */
  send(message: ToChild): boolean {
    if (this.#state !== 'ready') return false;
    this.#sendNow(message);
    return true;
  }

  /** Kills a child that answers pings but does not do its work; it is started again as after a crash. */
  restart(): void {
    this.#kill('hung');
  }

  /** Ends the child; idempotent. Resolves when the process is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  #spawn(): void {
    this.#state = 'starting';
    this.#stderr = new StderrTail();
    this.#killCause = undefined;
    this.#isGreeted = false;
    this.#readyAtMs = undefined;
    this.#messagesInInterval = 0;
    this.#spawnedAtMs = performance.now();
    const child = fork(this.#options.entry, [], {
      serialization: 'advanced',
      execArgv: [...CHILD_NODE_OPTIONS],
      env: childEnvironment(this.#options.environment),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process = child;
    child.stderr?.on('data', (chunk: Buffer) => this.#stderr.append(chunk));
    child.on('message', (message: unknown) => this.#receive(child, message));
    child.on('error', (error) => {
      this.#stderr.append(Buffer.from(`${error.message}\n`));
      // A process that could not be made (no memory, no file descriptors) never reports its end.
      if (child.pid === undefined) this.#ended(child, null, null);
    });
    // 'close' comes after 'exit' and after standard error was read to its end.
    child.once('close', (exitCode, signal) => this.#ended(child, exitCode, signal));
    this.#readyTimer = setTimeout(() => this.#kill('not_ready'), this.#options.readyDeadlineMs);
  }

  #receive(child: ChildProcess, received: unknown): void {
    if (child !== this.#process || this.#killCause !== undefined || this.#state === 'closed') return;
    this.#messagesInInterval += 1;
    const message = parseFromChild(received);
    if (this.#messagesInInterval > this.#options.maxMessagesPerInterval) this.#kill('flood');
    else if (message === undefined || !this.#isExpected(message)) this.#kill('protocol_violation');
    else this.#take(message);
  }

  /** A child that says things out of turn is not to be trusted with audio. */
  #isExpected(message: FromChild): boolean {
    switch (message.kind) {
      case 'hello':
        return this.#state === 'starting' && !this.#isGreeted;
      case 'ready':
        return this.#state === 'starting' && this.#isGreeted;
      case 'pong':
        return this.#isGreeted;
      case 'decoded':
      case 'saved':
      case 'utteranceFailed':
        return this.#state === 'ready';
    }
  }

  #take(message: FromChild): void {
    switch (message.kind) {
      case 'hello':
        this.#greet(message.version);
        return;
      case 'ready':
        this.#becomeReady(message);
        return;
      case 'pong':
        this.#lastPongAtMs = performance.now();
        return;
      case 'decoded':
      case 'saved':
      case 'utteranceFailed':
        this.#listener.message(message);
    }
  }

  #greet(version: number): void {
    this.#isGreeted = true;
    this.#startHeartbeat();
    if (version !== CHILD_PROTOCOL_VERSION) {
      this.#kill('version_mismatch');
      return;
    }
    this.#sendNow({
      kind: 'configure',
      version: CHILD_PROTOCOL_VERSION,
      recogniser: this.#options.recogniser,
      decodeCallBudgetMs: this.#options.decodeCallBudgetMs,
    });
  }

  #becomeReady({ loadMs, engine, refusal, savesStreams }: Extract<FromChild, { kind: 'ready' }>): void {
    clearTimeout(this.#readyTimer);
    this.#state = 'ready';
    this.#readyAtMs = performance.now();
    this.#lastPongAtMs = this.#readyAtMs;
    const startMs = this.#readyAtMs - this.#spawnedAtMs;
    this.#listener.ready({
      loadMs,
      startMs,
      engine,
      savesStreams,
      ...(refusal === undefined ? {} : { refusal }),
    });
  }

  #startHeartbeat(): void {
    clearInterval(this.#heartbeatTimer);
    this.#lastPongAtMs = performance.now();
    let lastBeatAtMs = performance.now();
    this.#heartbeatTimer = setInterval(() => {
      const now = performance.now();
      // When this process itself was held up, the child's answers may be waiting unread: give them one more interval.
      const wasHeldUp = now - lastBeatAtMs > 2 * this.#options.heartbeatIntervalMs;
      lastBeatAtMs = now;
      this.#messagesInInterval = 0;
      // While it loads its model a child cannot answer; the ready deadline watches over that time.
      const isWatched = this.#state === 'ready' && !wasHeldUp;
      if (isWatched && now - this.#lastPongAtMs > this.#options.heartbeatTimeoutMs) this.#kill('hung');
      else this.#sendNow({ kind: 'ping', id: ++this.#pingId });
    }, this.#options.heartbeatIntervalMs);
  }

  #sendNow(message: ToChild): void {
    if (this.#process?.connected !== true) return;
    // A failed send means that the child is going; its end is reported by 'close'.
    this.#process.send(message, () => undefined);
  }

  #kill(cause: ChildDown['cause']): void {
    this.#killCause ??= cause;
    this.#process?.kill('SIGKILL');
  }

  #ended(child: ChildProcess, exitCode: number | null, signal: NodeJS.Signals | null): void {
    if (child !== this.#process) return;
    this.#process = undefined;
    clearTimeout(this.#readyTimer);
    clearInterval(this.#heartbeatTimer);
    if (this.#state === 'closed') return;
    const isRefused = exitCode === CHILD_EXIT.versionMismatch || exitCode === CHILD_EXIT.configurationRefused;
    if (isRefused || this.#killCause === 'version_mismatch') {
      this.#state = 'failed';
      this.#listener.failed(this.#refusal(exitCode));
      return;
    }
    this.#noteFailure();
    const restartInMs = restartDelayMs(this.#options.backoff, this.#failuresInARow);
    this.#state = 'waiting';
    this.#listener.down({
      cause: this.#killCause ?? 'exit',
      exitCode,
      signal,
      stderr: this.#stderr.text,
      restartInMs,
    });
    // The listener may have closed us.
    if (this.#currentState() !== 'waiting') return;
    this.#restartTimer = setTimeout(() => this.#spawn(), restartInMs);
  }

  #currentState(): ChildState {
    return this.#state;
  }

  #noteFailure(): void {
    const wasHealthy =
      this.#readyAtMs !== undefined &&
      performance.now() - this.#readyAtMs >= this.#options.backoff.healthyAfterMs;
    this.#failuresInARow = wasHealthy ? 1 : this.#failuresInARow + 1;
  }

  #refusal(exitCode: number | null): CaptionError {
    if (exitCode === CHILD_EXIT.configurationRefused) {
      return new CaptionError(
        'recogniser_refused',
        `The recogniser cannot use its model: ${this.#stderr.text}`,
      );
    }
    return new CaptionError(
      'recogniser_version_mismatch',
      'The recogniser child is of another version than the gateway. Build again: npm run build',
    );
  }

  async #shutDown(): Promise<void> {
    const child = this.#process;
    this.#state = 'closed';
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#readyTimer);
    clearInterval(this.#heartbeatTimer);
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    this.#sendNow({ kind: 'shutdown' });
    const killTimer = setTimeout(() => child.kill('SIGKILL'), this.#options.shutdownDeadlineMs);
    await gone;
    clearTimeout(killTimer);
  }
}
