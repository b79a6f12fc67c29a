import { createClient } from '@redis/client';
import { CaptionError, errorMessage, type RoomName } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import { detached } from '../../../asr/detached.js';

const LOCK_MS = 5000;
const RENEW_INTERVAL_MS = 1500;
/** The worker answers offers within a second; presence has its share of that. */
const COMMAND_DEADLINE_MS = 400;
const CONNECT_DEADLINE_MS = 5000;
/** From the promise to caption a room until there is a captioner: the registry's own limit for reservations. */
const START_LIMIT_MS = 16_000;
const MAX_RECONNECT_MS = 2000;

/** Takes the lock if it is free or ours already, for ARGV[2] ms. */
const TAKE = `
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;
const GIVE_BACK = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0`;

/** Which gateway captions a room, among those who share a Redis. */
export interface CaptionerLock {
  /** False where another gateway has it. True too where that cannot be found out: presence in the room decides then. */
  acquire(room: RoomName): Promise<boolean>;
  /** Idempotent; does nothing to a lock that is not ours. */
  release(room: RoomName): void;
  /** Gives all back. Idempotent; resolves when the connection has ended. */
  close(): Promise<void>;
}

/** For gateways without Redis. */
export const NO_LOCK: CaptionerLock = {
  acquire: () => Promise.resolve(true),
  release: () => undefined,
  close: () => Promise.resolve(),
};

export interface RedisCaptionerLockOptions {
  /** `redis://…` or `rediss://…` */
  readonly url: string;
  /** Gateways of one name exclude each other. */
  readonly agentName: string;
  readonly instance: string;
  /** Whether a captioner runs here: its lock is renewed. */
  readonly isCaptioned: (room: RoomName) => boolean;
  /** Another gateway has the room now. */
  readonly lost: (room: RoomName) => void;
  readonly log: Logger;
}

interface Held {
  readonly sinceMs: number;
  wasCaptioned: boolean;
}

/**
 * A key for each room, of 5 s, renewed every 1.5 s while the room is captioned here. Connects by itself and again for ever;
 * while Redis is away nothing is refused and nothing lost: who had a lock takes it again when it is back, and of two the later
 * one loses.
 */
export class RedisCaptionerLock implements CaptionerLock {
  readonly #options: RedisCaptionerLockOptions;
  readonly #client: ReturnType<typeof createRedis>;
  /** Of the first connection. */
  readonly #connected: Promise<void>;
  readonly #held = new Map<RoomName, Held>();
  readonly #renewTimer: NodeJS.Timeout;
  #isAway = false;
  #isRenewing = false;
  #closing: Promise<void> | undefined;

  /** Throws CaptionError `config_invalid`. */
  constructor(options: RedisCaptionerLockOptions) {
    this.#options = options;
    this.#client = createRedis(options.url);
    this.#client.on('error', (error: unknown) => this.#away(error));
    this.#client.on('ready', () => this.#back());
    // Tries for ever: it ends when the client is closed.
    this.#connected = this.#client.connect().then(
      () => undefined,
      () => undefined,
    );
    this.#renewTimer = setInterval(() => detached('lock of a room', this.#renewAll()), RENEW_INTERVAL_MS);
    this.#renewTimer.unref();
  }

  async acquire(room: RoomName): Promise<boolean> {
    if (this.#closing !== undefined) return false;
    const isOurs = await this.#take(room);
    if (isOurs && !this.#held.has(room))
      this.#held.set(room, { sinceMs: performance.now(), wasCaptioned: false });
    return isOurs;
  }

  release(room: RoomName): void {
    if (!this.#held.delete(room)) return;
    detached('lock of a room', this.#run(GIVE_BACK, [this.#key(room)], [this.#options.instance]));
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #renewAll(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    try {
      await Promise.all([...this.#held].map(([room, held]) => this.#renew(room, held)));
    } finally {
      this.#isRenewing = false;
    }
  }

  async #renew(room: RoomName, held: Held): Promise<void> {
    const isCaptioned = this.#options.isCaptioned(room);
    held.wasCaptioned ||= isCaptioned;
    const isWanted = isCaptioned || (!held.wasCaptioned && performance.now() - held.sinceMs < START_LIMIT_MS);
    if (!isWanted) {
      this.release(room);
      return;
    }
    if ((await this.#take(room)) || this.#held.get(room) !== held) return;
    this.#held.delete(room);
    if (!this.#options.isCaptioned(room)) return;
    this.#options.log.warn({ room }, 'another gateway has the lock of this room');
    this.#options.lost(room);
  }

  /** True where Redis does not answer. */
  async #take(room: RoomName): Promise<boolean> {
    return (await this.#run(TAKE, [this.#key(room)], [this.#options.instance, String(LOCK_MS)])) !== 0;
  }

  #key(room: RoomName): string {
    return `caption-gateway:captioner:${this.#options.agentName}:${room}`;
  }

  /** Undefined where Redis does not answer. */
  async #run(script: string, keys: string[], args: string[]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no answer within ${COMMAND_DEADLINE_MS} ms`)),
        COMMAND_DEADLINE_MS,
      );
    });
    try {
      const asked = this.#connected.then(() => this.#client.eval(script, { keys, arguments: args }));
      const reply = await Promise.race([asked, late]);
      this.#back();
      return reply;
    } catch (error) {
      this.#away(error);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Told once until it is back. */
  #away(error: unknown): void {
    if (this.#isAway || this.#closing !== undefined) return;
    this.#isAway = true;
    this.#options.log.warn(
      { error: errorMessage(error) },
      'Redis does not answer: presence in the room decides who captions it',
    );
  }

  #back(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#options.log.info('Redis answers again');
    detached('lock of a room', this.#renewAll());
  }

  async #end(): Promise<void> {
    clearInterval(this.#renewTimer);
    const rooms = [...this.#held.keys()];
    this.#held.clear();
    if (this.#client.isReady) {
      await Promise.all(
        rooms.map((room) => this.#run(GIVE_BACK, [this.#key(room)], [this.#options.instance])),
      );
    }
    this.#client.destroy();
  }
}

/** Commands fail at once while the connection is away. Throws CaptionError `config_invalid`. */
function createRedis(url: string) {
  const { protocol } = URL.canParse(url) ? new URL(url) : {};
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    // The address is not repeated: it may hold a password.
    throw new CaptionError(
      'config_invalid',
      'CAPTION_REDIS_URL is no address of a Redis; it looks like redis://user:password@redis.example:6379.',
    );
  }
  return createClient({
    url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_DEADLINE_MS,
      reconnectStrategy: (retries) =>
        Math.min(MAX_RECONNECT_MS, 50 * 2 ** Math.min(retries, 10)) * (0.5 + Math.random()),
    },
  });
}
