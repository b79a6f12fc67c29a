import { setMaxListeners } from 'node:events';
import { CaptionError, errorMessage, type RoomName } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import type { LiveKitAdmin } from '../livekit-admin.js';
import { botPlace } from '../tokens.js';
import { pause } from '../../pause.js';
import { presenceOf } from './presence.js';
import { ANSWER_ATTRIBUTE, newNonce, PROBE_TOPIC } from './probe.js';
import { machineClockMs } from '../../clock.js';
import { detached } from '../../../asr/detached.js';

/** When an answer is looked for, after the question. The last one is the deadline. */
const LOOK_AFTER_MS = [30, 80, 160, 320, 640, 1200, 2000] as const;

/** Only tests want other values. In milliseconds. */
export interface LivenessTiming {
  /** From one question that was answered to the next. */
  readonly intervalMs: number;
  /** Silence is no answer within 2 s; after so many in a row an instance is dead. */
  readonly silencesUntilDead: number;
}

export const DEFAULT_LIVENESS_TIMING: LivenessTiming = { intervalMs: 2000, silencesUntilDead: 2 };

export interface InstanceLivenessOptions {
  readonly admin: Pick<LiveKitAdmin, 'getParticipant' | 'sendData'>;
  readonly agentName: string;
  readonly log: Logger;
  /** Called once each time, with the rooms it was seen in. */
  readonly died: (instance: string, rooms: readonly RoomName[]) => void;
  readonly timing?: Partial<LivenessTiming>;
}

type ProbeOutcome =
  | 'answered'
  /** The bot is there, and its process does not answer. */
  | 'silent'
  /** The bot is gone, or another one's: another room is asked. */
  | 'moved'
  /** The server could not be asked. Says nothing about the instance. */
  | 'unknown';

interface WatchedInstance {
  readonly rooms: Set<RoomName>;
  readonly firstSeenMs: number;
  lastAnswerMs: number | undefined;
  silences: number;
  isDead: boolean;
  /** Asked last: the next question goes elsewhere, if there is another place. */
  lastRoom: RoomName | undefined;
}

/**
 * Which of the other gateways live: each instance that has a bot somewhere is asked every 2 s, through one of its bots
 * (probe.ts), however many rooms it has.
 *
 *   seen ──► asking ──(answer)──► alive ──(two silences)──► dead ──(answer)──► alive
 *              └──(two silences)──────────────────────────► dead      no bot left anywhere ──► forgotten
 */
export class InstanceLiveness {
  readonly #options: InstanceLivenessOptions;
  readonly #timing: LivenessTiming;
  readonly #instances = new Map<string, WatchedInstance>();
  readonly #instanceOf = new Map<RoomName, string>();
  readonly #closing = new AbortController();

  constructor(options: InstanceLivenessOptions) {
    this.#options = options;
    this.#timing = { ...DEFAULT_LIVENESS_TIMING, ...options.timing };
    // Every instance that is watched listens.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Who captions `room` now: a foreign instance, or none of them. */
  seen(room: RoomName, instance: string | undefined): void {
    const before = this.#instanceOf.get(room);
    if (before === instance || this.#closing.signal.aborted) return;
    if (before !== undefined) this.#instances.get(before)?.rooms.delete(room);
    if (instance === undefined) {
      this.#instanceOf.delete(room);
      return;
    }
    this.#instanceOf.set(room, instance);
    const known = this.#instances.get(instance);
    if (known !== undefined) {
      known.rooms.add(room);
      return;
    }
    const watched: WatchedInstance = {
      rooms: new Set([room]),
      firstSeenMs: machineClockMs(),
      lastAnswerMs: undefined,
      silences: 0,
      isDead: false,
      lastRoom: undefined,
    };
    this.#instances.set(instance, watched);
    detached('watching another gateway', this.#watch(instance, watched));
  }

  isDead(instance: string): boolean {
    return this.#instances.get(instance)?.isDead === true;
  }

  hasAnswered(instance: string): boolean {
    return this.#instances.get(instance)?.lastAnswerMs !== undefined;
  }

  /** Unix epoch milliseconds; for one that never answered, when it was seen first. */
  lastAliveMs(instance: string): number | undefined {
    const watched = this.#instances.get(instance);
    return watched === undefined ? undefined : (watched.lastAnswerMs ?? watched.firstSeenMs);
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#instances.clear();
    this.#instanceOf.clear();
  }

  /** Until its last bot is gone. */
  async #watch(instance: string, watched: WatchedInstance): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted && watched.rooms.size > 0) {
      const askedAtMs = machineClockMs();
      switch (await this.#probe(instance, watched)) {
        case 'answered':
          if (watched.isDead) this.#options.log.info({ instance }, 'gateway answers again');
          watched.lastAnswerMs = askedAtMs;
          watched.silences = 0;
          watched.isDead = false;
          await pause(this.#timing.intervalMs, signal);
          break;
        case 'silent':
          watched.silences += 1;
          if (watched.silences < this.#timing.silencesUntilDead) break;
          this.#declareDead(instance, watched);
          await pause(this.#timing.intervalMs, signal);
          break;
        case 'moved':
          break;
        case 'unknown':
          await pause(this.#timing.intervalMs, signal);
      }
    }
    if (this.#instances.get(instance) === watched) this.#instances.delete(instance);
  }

  #declareDead(instance: string, watched: WatchedInstance): void {
    if (watched.isDead || this.#closing.signal.aborted) return;
    watched.isDead = true;
    this.#options.log.warn({ instance, rooms: watched.rooms.size }, 'gateway does not answer any more');
    this.#options.died(instance, [...watched.rooms]);
  }

  async #probe(instance: string, watched: WatchedInstance): Promise<ProbeOutcome> {
    const room = nextRoom(watched);
    if (room === undefined) return 'moved';
    watched.lastRoom = room;
    try {
      const before = await this.#answerIn(room, instance);
      if (before === undefined) return this.#forgetRoom(room, instance);
      await this.#ask(room);
      const askedAtMs = performance.now();
      for (const afterMs of LOOK_AFTER_MS) {
        await pause(askedAtMs + afterMs - performance.now(), this.#closing.signal);
        if (this.#closing.signal.aborted) return 'unknown';
        const answer = await this.#answerIn(room, instance);
        if (answer === undefined) return this.#forgetRoom(room, instance);
        // Any new one: others ask at the same time, and the last answer stands.
        if (answer !== before) return 'answered';
      }
      return 'silent';
    } catch (error) {
      if (error instanceof CaptionError && error.code === 'livekit_room_missing')
        return this.#forgetRoom(room, instance);
      this.#options.log.debug({ error: errorMessage(error) }, 'instance not asked');
      return 'unknown';
    }
  }

  #ask(room: RoomName): Promise<void> {
    const { admin, agentName } = this.#options;
    const bytes = new TextEncoder().encode(newNonce());
    return admin.sendData(
      botPlace(agentName, room),
      { topic: PROBE_TOPIC, bytes },
      { signal: this.#closing.signal },
    );
  }

  /** Undefined when the bot of `room` belongs to somebody else by now. */
  async #answerIn(room: RoomName, instance: string): Promise<string | undefined> {
    const { admin, agentName } = this.#options;
    const bot = await admin.getParticipant(botPlace(agentName, room), { signal: this.#closing.signal });
    const presence = presenceOf(bot);
    return presence.instance === instance ? (presence.attributes[ANSWER_ATTRIBUTE] ?? '') : undefined;
  }

  #forgetRoom(room: RoomName, instance: string): 'moved' {
    if (this.#instanceOf.get(room) === instance) this.seen(room, undefined);
    return 'moved';
  }
}

/** Another one than the last time, where there is one: a bot may be gone or ill while its process is well. */
function nextRoom({ rooms, lastRoom }: WatchedInstance): RoomName | undefined {
  const all = [...rooms];
  const index = lastRoom === undefined ? -1 : all.indexOf(lastRoom);
  return all[(index + 1) % all.length];
}
