import type { RoomName } from '../../../protocol/index.js';
import type { CaptionerEnd } from '../captioner-end.js';
import type { InstanceLiveness } from './instance-liveness.js';
import { machineClockMs } from '../../clock.js';

/** After a captioner of ours failed in a room; doubled each time. */
const FIRST_HOLD_MS = 2000;
const MAX_HOLD_MS = 60_000;
/**
 * Who took a room over from us lives, also where it does not answer us: else two who do not hear each other would throw each
 * other out in turns.
 */
const TRUST_SUCCESSOR_MS = 60_000;

/** What is known of other gateways. */
export type KnownLiveness = Pick<InstanceLiveness, 'isDead' | 'hasAnswered'>;

/** What the watcher remembers of one room, from the first look at it until it is closed. */
export class RoomRecord {
  readonly room: RoomName;
  readonly sid: string;
  /** It is being healed, or waits for it. */
  isBusy = false;
  /** The other gateway's instance that captioned it when it was looked at last. */
  captioner: string | undefined;
  /** When it was known to be captioned last, in Unix epoch milliseconds. */
  lastCaptionedMs: number | undefined;
  #relookAtMs = 0;
  #holdUntilMs = 0;
  #holdMs = FIRST_HOLD_MS;
  #supersededAtMs = -Infinity;
  #captionedHereSinceMs: number | undefined;

  constructor(room: RoomName, sid: string) {
    this.room = room;
    this.sid = sid;
  }

  /** Whether it is time to ask who captions it. */
  isDue(liveness: KnownLiveness): boolean {
    const nowMs = performance.now();
    if (nowMs < this.#holdUntilMs) return false;
    const isDead = this.captioner !== undefined && this.isDead(this.captioner, liveness);
    return isDead || nowMs >= this.#relookAtMs;
  }

  isDead(instance: string, liveness: KnownLiveness): boolean {
    const isTrusted =
      performance.now() - this.#supersededAtMs < TRUST_SUCCESSOR_MS && !liveness.hasAnswered(instance);
    return liveness.isDead(instance) && !isTrusted;
  }

  captionedHere(): void {
    this.captioner = undefined;
    this.lastCaptionedMs = machineClockMs();
    this.#captionedHereSinceMs ??= performance.now();
    if (performance.now() - this.#captionedHereSinceMs > MAX_HOLD_MS) this.#holdMs = FIRST_HOLD_MS;
  }

  /** By `instance`, or by a captioner that is no gateway's. */
  captionedElsewhere(instance: string | undefined, relookMs: number): void {
    this.captioner = instance;
    this.lastCaptionedMs = machineClockMs();
    this.#relookAtMs = performance.now() + relookMs * (0.75 + 0.5 * Math.random());
  }

  /** Nobody is there to be captioned, or nobody wants it: nothing is missed. */
  nobodyThere(): void {
    this.captioner = undefined;
    this.lastCaptionedMs = undefined;
  }

  captionerEnded(end: CaptionerEnd): void {
    this.#captionedHereSinceMs = undefined;
    this.#relookAtMs = 0;
    switch (end.kind) {
      case 'failed':
        this.#holdUntilMs = performance.now() + this.#holdMs;
        this.#holdMs = Math.min(this.#holdMs * 2, MAX_HOLD_MS);
        return;
      case 'superseded':
        this.#supersededAtMs = performance.now();
        this.lastCaptionedMs = machineClockMs();
        return;
      case 'everybody_left':
      case 'room_closed':
      case 'removed':
        this.lastCaptionedMs = undefined;
        return;
      case 'stopped':
        this.lastCaptionedMs = machineClockMs();
    }
  }
}
