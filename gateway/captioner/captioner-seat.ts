import { randomUUID } from 'node:crypto';
import {
  CaptionError,
  type CaptionerLine,
  type CaptionerSpeaker,
  MAX_REPLACED_SPEAKERS,
  type ParticipantIdentity,
  type ReplacedSpeakers,
} from '../../protocol/index.js';
import type { SpeakerSource } from '../rooms/delta-assembler.js';
import type { Room } from '../rooms/room.js';
import type { TokenOwner } from '../server/access/token-owner.js';
import { CaptionerLines } from './captioner-lines.js';

export interface CaptionerSeatOptions {
  readonly room: Room;
  readonly captioner: TokenOwner;
  readonly language: string;
  readonly correctableLines: number;
  readonly settleAfterMs: number;
  readonly settled: (line: number, text: string) => void;
}

/**
 * One person who writes captions in one room, over however many connections. `leave` settles what was written and lets
 * recognition go on; who comes back takes the same seat. A seat that was left for good is simply dropped.
 */
export class CaptionerSeat {
  readonly id = randomUUID();
  readonly room: Room;
  readonly captioner: TokenOwner;
  readonly #lines: CaptionerLines;
  readonly #known = new Map<ParticipantIdentity, SpeakerSource>();
  #replaces: ReplacedSpeakers = [];
  #release: (() => void) | undefined;
  #isThere = false;

  constructor(options: CaptionerSeatOptions) {
    const { room, captioner, language, correctableLines, settleAfterMs, settled } = options;
    this.room = room;
    this.captioner = captioner;
    this.#lines = new CaptionerLines({
      room,
      author: captioner,
      language,
      correctableLines,
      settleAfterMs,
      settled,
    });
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  get nextLine(): number {
    return this.#lines.nextLine;
  }

  /** The captioner is there, and stands in for these people. */
  take(replaces: ReplacedSpeakers): void {
    this.#isThere = true;
    this.room.addSpeaker(this.#place);
    this.replace(replaces);
  }

  replace(replaces: ReplacedSpeakers): void {
    const former = this.#release;
    this.#replaces = replaces;
    // First the new, then the old: nobody is recognised for a moment in between.
    this.#release = this.room.replaceRecognition(replaces);
    former?.();
  }

  /** Throws CaptionError `speaker_not_replaced`. */
  write({ as, ...line }: Omit<CaptionerLine, 'kind'>): void {
    this.#lines.write(line, as === undefined ? { speaker: this.captioner } : this.#sourceOf(as));
  }

  settle(line: number): void {
    this.#lines.settle(line);
  }

  /** Idempotent. */
  leave(): void {
    if (!this.#isThere) return;
    this.#isThere = false;
    this.#lines.close();
    this.#release?.();
    this.#release = undefined;
    this.room.removeSpeaker(this.#place);
  }

  speakers(): CaptionerSpeaker[] {
    const speakers = new Map<ParticipantIdentity, CaptionerSpeaker>();
    for (const source of this.room.sources) {
      const { identity, name, label } = source.speaker;
      // The sound of a screen somebody shares is not what somebody says.
      if (label !== undefined && speakers.has(identity)) continue;
      this.#remember(identity, source);
      speakers.set(identity, { identity, name, isReplaced: this.room.isReplaced(identity) });
    }
    return [...speakers.values()].slice(0, MAX_REPLACED_SPEAKERS);
  }

  get #place(): string {
    return `captioner:${this.id}`;
  }

  #sourceOf(identity: ParticipantIdentity): SpeakerSource {
    const present = this.room.sources.find(({ speaker }) => speaker.identity === identity);
    if (present !== undefined) this.#remember(identity, present);
    const isReplaced = this.#replaces === 'everybody' || this.#replaces.includes(identity);
    if (!isReplaced) {
      throw new CaptionError(
        'speaker_not_replaced',
        'Replace the recognition of a speaker before writing in their name.',
      );
    }
    // Whoever is not heard here (any more) can be written for all the same.
    return present ?? this.#known.get(identity) ?? { speaker: { identity, name: '' } };
  }

  #remember(identity: ParticipantIdentity, source: SpeakerSource): void {
    const oldest = this.#known.keys().next();
    if (this.#known.size >= MAX_REPLACED_SPEAKERS && !this.#known.has(identity) && oldest.done !== true)
      this.#known.delete(oldest.value);
    this.#known.set(identity, source);
  }
}
