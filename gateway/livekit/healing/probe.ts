/**
 * How one gateway finds out whether another one lives, without a connection between them. LiveKit lists a participant whose
 * process was killed for some 20 s more (measured with v1.9.4 and v1.13.5), too long to wait for:
 *
 *   asking gateway ── SendData(topic, nonce) to one of its bots ──► asked gateway
 *   asking gateway ◄── GetParticipant: another answer? ── LiveKit ◄── UpdateParticipant: answer = nonce
 *
 * The bot is hidden: no other participant sees the attribute.
 */
import { randomBytes } from 'node:crypto';
import { errorMessage, type RoomName } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import type { LiveKitAdmin } from '../livekit-admin.js';
import { botPlace } from '../tokens.js';

export const PROBE_TOPIC = 'caption-gateway.probe';
export const ANSWER_ATTRIBUTE = 'caption-gateway.answer';

/** What is answered: nobody can have us write anything else into an attribute. */
const NONCE = /^[0-9a-f]{8,32}$/;
const MAX_NONCE_BYTES = 32;
/** Between two answers in one room. Any new one shows everybody who asks that we live. */
const MIN_INTERVAL_MS = 200;

export const newNonce = (): string => randomBytes(8).toString('hex');

export interface ProbeAnswersOptions {
  readonly admin: Pick<LiveKitAdmin, 'setAttributes'>;
  readonly agentName: string;
  readonly log: Logger;
}

/**
 * Answers for this process: the latest question of each room, at most every 200 ms, however often participants ask.
 * `close` when done.
 */
export class ProbeAnswers {
  readonly #options: ProbeAnswersOptions;
  /** Of rooms that were answered within the last 200 ms: the question that came since. */
  readonly #waiting = new Map<RoomName, { nonce: string | undefined; readonly timer: NodeJS.Timeout }>();
  #isClosed = false;

  constructor(options: ProbeAnswersOptions) {
    this.#options = options;
  }

  /** Never throws. What is no probe is ignored. */
  answer(room: RoomName, bytes: Uint8Array): void {
    if (this.#isClosed || bytes.byteLength > MAX_NONCE_BYTES) return;
    const nonce = new TextDecoder().decode(bytes);
    if (!NONCE.test(nonce)) return;
    const waiting = this.#waiting.get(room);
    if (waiting === undefined) this.#send(room, nonce);
    else waiting.nonce = nonce;
  }

  /** What waits is not answered. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }

  #send(room: RoomName, nonce: string): void {
    const { admin, agentName, log } = this.#options;
    const timer = setTimeout(() => {
      const next = this.#waiting.get(room)?.nonce;
      this.#waiting.delete(room);
      if (next !== undefined) this.#send(room, next);
    }, MIN_INTERVAL_MS);
    timer.unref();
    this.#waiting.set(room, { nonce: undefined, timer });
    admin.setAttributes(botPlace(agentName, room), { [ANSWER_ATTRIBUTE]: nonce }).catch((error: unknown) => {
      log.debug({ error: errorMessage(error) }, 'probe not answered');
    });
  }
}
