/**
 * Rooms are captioned by exactly one of several gateways, also when one of them dies: the watcher, the locks and the answers to
 * other gateways' questions, put together.
 */
import type { RoomName } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import type { CaptionerEnd } from '../captioner-end.js';
import type { CaptionerRequest } from '../captioner.js';
import { LiveKitAdmin } from '../livekit-admin.js';
import type { RoomCaptioners } from '../room-captioners.js';
import { botIdentity, mintBotToken } from '../tokens.js';
import { type CaptionerLock, NO_LOCK, RedisCaptionerLock } from './captioner-lock.js';
import type { InstanceLiveness } from './instance-liveness.js';
import { captionerIn } from './presence.js';
import { ProbeAnswers } from './probe.js';
import { RoomWatcher, type RoomWatcherOptions } from './room-watcher.js';
import { detached } from '../../../asr/detached.js';

/** The rest of the second that an offer leaves, after the lock. */
const PRESENCE_DEADLINE_MS = 500;
/** Somebody else captions already: what is open would be said twice. */
const STOP_DEADLINE_MS = 500;

export interface SelfHealingOptions {
  /** `ws://…` or `wss://…` */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly agentName: string;
  readonly instance: string;
  /** Empty for no Redis. */
  readonly redisUrl: string;
  /** Between two looks at all rooms; 0 for never: then this process only answers. */
  readonly watchIntervalMs: number;
  readonly captioners: RoomCaptioners;
  readonly observer: RoomWatcherOptions['observer'];
  readonly log: Logger;
  readonly timing?: RoomWatcherOptions['timing'];
  readonly livenessTiming?: RoomWatcherOptions['livenessTiming'];
}

export class SelfHealing {
  readonly #options: SelfHealingOptions;
  readonly #quickAdmin: LiveKitAdmin;
  readonly #answers: ProbeAnswers;
  readonly #lock: CaptionerLock;
  readonly #watcher: RoomWatcher;
  #closing: Promise<void> | undefined;

  /** Begins at once. Throws CaptionError `livekit_url_invalid`, `config_invalid` for the address of Redis. */
  constructor(options: SelfHealingOptions) {
    this.#options = options;
    const { agentName, instance, captioners, log, redisUrl } = options;
    const admin = new LiveKitAdmin(options);
    this.#quickAdmin = new LiveKitAdmin({ ...options, deadlineMs: PRESENCE_DEADLINE_MS });
    this.#answers = new ProbeAnswers({ admin, agentName, log });
    this.#lock =
      redisUrl === ''
        ? NO_LOCK
        : new RedisCaptionerLock({
            url: redisUrl,
            agentName,
            instance,
            log,
            isCaptioned: (room) => captioners.captionerOf(room) !== undefined,
            lost: (room) =>
              detached(
                'end of a captioner',
                captioners.captionerOf(room)?.stop({ deadlineMs: STOP_DEADLINE_MS }),
              ),
          });
    this.#watcher = new RoomWatcher({
      admin,
      captioners,
      agentName,
      instance,
      log,
      lock: this.#lock,
      url: options.url,
      mintToken: (room) => mintBotToken(options, room),
      observer: options.observer,
      intervalMs: options.watchIntervalMs,
      ...(options.timing === undefined ? {} : { timing: options.timing }),
      ...(options.livenessTiming === undefined ? {} : { livenessTiming: options.livenessTiming }),
    });
  }

  /** What is known of the other gateways. */
  get liveness(): InstanceLiveness {
    return this.#watcher.liveness;
  }

  /** How often all rooms were looked at. */
  get looks(): number {
    return this.#watcher.looks;
  }

  /** A packet on PROBE_TOPIC reached our bot of `room`. */
  answerProbe(room: RoomName, bytes: Uint8Array): void {
    this.#answers.answer(room, bytes);
  }

  /**
   * Whether no other gateway and no other captioner has `room`, in a second at most; true where nobody can be asked. A
   * captioner whose gateway is dead does not count. Takes the lock: `captionerEnded`, or 16 s without a captioner, give it back.
   */
  async mayCaption(room: RoomName): Promise<boolean> {
    if (!(await this.#lock.acquire(room))) return false;
    if (!(await this.#isCaptionedElsewhere(room))) return true;
    this.#lock.release(room);
    return false;
  }

  /** To be called at once when the bot was removed, before its captioner has ended. */
  captionerRemoved(request: Pick<CaptionerRequest, 'room' | 'dispatchId'>): void {
    this.#watcher.captionerRemoved(request);
  }

  /** To be called for every captioner of this process, whoever started it. */
  captionerEnded(room: RoomName, end: CaptionerEnd): void {
    this.#lock.release(room);
    this.#watcher.captionerEnded(room, end);
  }

  /** Stops watching and answering, and gives the locks back. To be called when the captioners have ended. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** No further rooms are joined; questions are answered still: captioners that finish are alive. Idempotent. */
  drain(): Promise<void> {
    return this.#watcher.close();
  }

  async #isCaptionedElsewhere(room: RoomName): Promise<boolean> {
    const { agentName, instance } = this.#options;
    try {
      const participants = await this.#quickAdmin.listParticipants(room);
      const captioner = captionerIn(participants, botIdentity(agentName, room));
      // A bot of ours without a captioner is on its way out.
      if (captioner === undefined || captioner.instance === instance) return false;
      return captioner.instance === undefined || !this.#watcher.liveness.isDead(captioner.instance);
    } catch {
      return false;
    }
  }

  async #close(): Promise<void> {
    await this.#watcher.close();
    this.#answers.close();
    await this.#lock.close();
  }
}
