/**
 * Who may see what a room said before: the one rule for every way out. A room's messages are counted (`seq`), and each viewer has
 * a place in that count from which on the room's history is theirs. It is fixed when they come, so that a snapshot asked for later
 * shows them neither more nor less than the first one and what they were sent since. No clock decides.
 */
import {
  type BroadcastMessage,
  type CaptionState,
  encodeMessage,
  type SegmentId,
  type SegmentState,
  snapshotMessages,
} from '../../protocol/index.js';

/** From where on somebody may see what a room said. */
export interface HistoryStart {
  /** Of what has ended, finals and gaps: what was published after this message. */
  readonly endedAfterSeq: number;
  /** Of open segments: those that were revised after this message. What a former meeting left open is not of this one. */
  readonly openAfterSeq: number;
}

type Published = SegmentState | CaptionState['gaps'][number];

/** Snapshots of one state that are kept: viewers who came at different times of a meeting without history see different ones. */
const MAX_KEPT_SNAPSHOTS = 16;

export class RoomHistory {
  /** The message that made each of them what it is; goes with them. */
  readonly #seqOf = new WeakMap<Published, number>();
  #snapshots:
    { readonly of: CaptionState; readonly messages: Map<string, readonly Uint8Array[]> } | undefined;
  /** Nobody who comes later is shown what was published until then … */
  #forgottenSeq = 0;
  /** … nor the open segments that the last meeting left behind. */
  #meetingEndedSeq = 0;

  /** To be called after each message, with the state that contains it. */
  published(state: CaptionState, message: BroadcastMessage): void {
    if (message.kind === 'status') return;
    const made = message.kind === 'gap' ? state.gaps.at(-1) : segmentIn(state, message.segment);
    if (made !== undefined) this.#seqOf.set(made, message.seq);
  }

  /** For those who come now. */
  startFor(state: CaptionState, { showsHistory }: { showsHistory: boolean }): HistoryStart {
    return {
      endedAfterSeq: showsHistory ? this.#forgottenSeq : state.seq,
      openAfterSeq: this.#meetingEndedSeq,
    };
  }

  meetingEnded({ seq }: CaptionState): void {
    this.#forgottenSeq = seq;
    this.#meetingEndedSeq = seq;
  }

  /** What has ended is deleted: all of it, or what is of meetings that are over. */
  forget(state: CaptionState, which: 'all' | 'former meetings'): CaptionState {
    const throughSeq = which === 'all' ? state.seq : this.#meetingEndedSeq;
    this.#forgottenSeq = Math.max(this.#forgottenSeq, throughSeq);
    return this.stateFor(state, { endedAfterSeq: throughSeq, openAfterSeq: 0 });
  }

  /** Whether what was said in a segment may be shown: as it is by now, or was when it was told where the room has let it go. */
  shows(state: CaptionState, told: SegmentState, since: HistoryStart): boolean {
    const known = segmentIn(state, told.segment);
    const isOpen = known !== undefined && !known.isFinal;
    return this.#isAfter(known ?? told, isOpen ? since.openAfterSeq : since.endedAfterSeq);
  }

  /** What somebody may see of a state; the state itself where that is all of it. */
  stateFor(state: CaptionState, since: HistoryStart): CaptionState {
    const visible = {
      finals: state.finals.filter((final) => this.#isAfter(final, since.endedAfterSeq)),
      gaps: state.gaps.filter((gap) => this.#isAfter(gap, since.endedAfterSeq)),
      open: state.open.filter((segment) => this.#isAfter(segment, since.openAfterSeq)),
    };
    return isWhole(visible, state) ? state : { ...state, ...visible };
  }

  /** The same as a snapshot, encoded: made once for all who may see the same. */
  snapshotFor(state: CaptionState, since: HistoryStart): readonly Uint8Array[] {
    const visible = this.stateFor(state, since);
    if (this.#snapshots?.of !== state) this.#snapshots = { of: state, messages: new Map() };
    const { messages } = this.#snapshots;
    const key = extentOf(visible);
    const known = messages.get(key);
    if (known !== undefined) return known;
    if (messages.size >= MAX_KEPT_SNAPSHOTS) messages.clear();
    const made = snapshotMessages(visible).map(encodeMessage);
    messages.set(key, made);
    return made;
  }

  #isAfter(published: Published, seq: number): boolean {
    return (this.#seqOf.get(published) ?? 0) > seq;
  }
}

/** Of one state everybody sees the newest part, so two see the same exactly if they see as many. */
export const extentOf = ({ finals, gaps, open }: Pick<CaptionState, 'finals' | 'gaps' | 'open'>): string =>
  `${finals.length}/${gaps.length}/${open.length}`;

const isWhole = (visible: Pick<CaptionState, 'finals' | 'gaps' | 'open'>, state: CaptionState): boolean =>
  extentOf(visible) === extentOf(state);

export const segmentIn = ({ open, finals }: CaptionState, id: SegmentId): SegmentState | undefined =>
  open.find(({ segment }) => segment === id) ?? finals.findLast(({ segment }) => segment === id);
