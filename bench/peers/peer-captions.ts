/** Another system's captions, put into the messages of our contract, so that the same reducer and the same measure see them. */
import {
  applyMessage,
  type CaptionState,
  epochMs,
  participantIdentity,
  roomName,
  segmentId,
  startEpoch,
} from '../../protocol/index.js';
import type { Watch } from '../venue.js';

export interface PeerText {
  readonly speaker: string;
  /** Of this speaker: the same while the text may still change. */
  readonly segment: string;
  /** All of the segment. */
  readonly text: string;
  readonly isFinal: boolean;
}

export class PeerCaptions {
  #state: CaptionState;
  readonly #watch: Watch;

  constructor(room: string, watch: Watch) {
    this.#state = startEpoch(roomName(room), epochMs(Date.now()));
    this.#watch = watch;
  }

  /** Segments that may still change. */
  get open(): number {
    return this.#state.open.length;
  }

  show({ speaker, segment, text, isFinal }: PeerText): void {
    const id = segmentId(`${speaker}/${segment}`);
    if (this.#state.finals.some((final) => final.segment === id)) return;
    const before = this.#state.open.find((open) => open.segment === id);
    const shown = before?.words ?? [];
    const texts = text.split(/\s+/).filter((word) => word !== '');
    let keep = 0;
    while (keep < texts.length && texts[keep] === shown[keep]?.text) keep += 1;
    if (keep === texts.length && keep === shown.length && !isFinal) return;
    const now = epochMs(Date.now());
    const message = {
      kind: 'delta',
      room: this.#state.room,
      epochMs: this.#state.epochMs,
      seq: this.#state.seq + 1,
      speaker: { identity: participantIdentity(speaker), name: '' },
      segment: id,
      revision: (before?.revision ?? 0) + 1,
      keep,
      words: texts.slice(keep).map((word) => ({ text: word, startMs: now, endMs: now })),
      stable: 0,
      isFinal,
      language: '',
    } as const;
    this.#state = applyMessage(this.#state, message);
    this.#watch(this.#state, message);
  }
}
