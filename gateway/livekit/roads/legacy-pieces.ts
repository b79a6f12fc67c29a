import type { CaptionWord, SegmentId, SegmentState } from '../../../protocol/index.js';
import { HELD_MS, joinPieces, type Piece, PieceQueue } from './piece-queue.js';
import { onceReadersAreBack } from './readers.js';
import { isTrackSid, mayTellAll, type RoadContext, type SegmentRoad } from './road.js';
import { SpeakerLanes } from './speaker-lanes.js';

/** Words of one speaker are gathered for so long, so that two who talk at once do not make a row of every word. */
const GATHER_MS = 500;
/** Segments that never end, of speakers whose recognition was torn away, are forgotten above it. */
const MAX_OPEN_SEGMENTS = 2000;
const MAX_RECENT_PIECES = 200;

interface Gathering {
  readonly piece: Piece;
  readonly timer: NodeJS.Timeout;
}

/**
 * Legacy packets in the manner `visio`, for La Suite Meet's subtitle view: it keeps the first text of an id for ever and puts a
 * speaker's texts in a row, joined by a space (meet, Subtitles.tsx). So: only words that never change, each once, in pieces
 * with ids of their own.
 */
export class LegacyPieces implements SegmentRoad {
  readonly name = 'legacy';
  readonly #context: RoadContext;
  /** How many words of every open segment were told. */
  readonly #toldWords = new Map<SegmentId, number>();
  readonly #gathering = new Map<SegmentId, Gathering>();
  readonly #lanes: SpeakerLanes<Piece, PieceQueue>;
  /** What LiveKit took within the last `HELD_MS`. */
  #recent: { readonly piece: Piece; readonly takenAtMs: number }[] = [];
  #pieces = 0;

  constructor(context: RoadContext) {
    this.#context = context;
    const { outlet, room, readers, observe, log } = context;
    const isHeldForReaders = (): boolean => room.showsHistory;
    const isForEverybody = ({ told }: Piece): boolean => readers.entitledTo(told) === undefined;
    this.#lanes = new SpeakerLanes<Piece, PieceQueue>({
      newQueue: () => new PieceQueue({ observe, isHeldForReaders, isForEverybody }),
      send: (piece) => this.#send(piece),
      outlet: onceReadersAreBack(outlet, readers),
      isWanted: () => outlet.readerCount > 0 && mayTellAll(context),
      observe,
      log,
    });
  }

  get waiting(): number {
    return this.#lanes.waiting + this.#gathering.size;
  }

  begin(): void {
    for (const { segment, stable } of this.#context.room.state.open) this.#note(segment, stable);
  }

  tell(segment: SegmentState): void {
    if (segment.isFinal) this.#end(segment);
    // Words of a later segment wait until the one before is final, or a row would not be in the order of speech.
    const oldest = this.#context.room.state.open.find((open) => sourceOf(open) === sourceOf(segment));
    if (oldest !== undefined) this.#takeWords(oldest);
  }

  joined(): void {
    // Packets cannot be addressed: of what was said before, only what still waits for a reader is sent.
    this.#lanes.wake();
  }

  left(): void {
    // Nothing waits for anybody in particular.
  }

  reconnected(): void {
    for (const { piece } of this.#recentlyTaken()) {
      this.#lanes.add(piece.speaker, (queue) => queue.putBack(piece));
    }
    this.#lanes.wake();
  }

  async flushed(): Promise<void> {
    for (const segment of [...this.#gathering.keys()]) this.#release(segment);
    await this.#lanes.rest();
  }

  close(): void {
    for (const { timer } of this.#gathering.values()) clearTimeout(timer);
    this.#gathering.clear();
    this.#lanes.close();
  }

  #end(segment: SegmentState): void {
    this.#takeWords(segment);
    this.#release(segment.segment);
    const told = this.#toldWords.get(segment.segment) ?? 0;
    this.#toldWords.delete(segment.segment);
    if (told < segment.words.length) this.#context.observe('no_track');
  }

  #takeWords(segment: SegmentState): void {
    const { trackSid } = segment;
    const told = this.#toldWords.get(segment.segment) ?? 0;
    const lasting = segment.isFinal ? segment.words.length : segment.stable;
    // A track that is not known yet may be when the segment ends.
    if (lasting <= told || !isTrackSid(trackSid)) return;
    this.#note(segment.segment, lasting);
    // What nobody may be told in this way is not told later either.
    if (!mayTellAll(this.#context)) return;
    for (const [index, word] of segment.words.slice(told, lasting).entries()) {
      this.#gather(segment, this.#pieceOf({ segment, trackSid, word, index: told + index }));
    }
  }

  #note(segment: SegmentId, told: number): void {
    this.#toldWords.set(segment, told);
    const [oldest] = this.#toldWords.keys();
    if (this.#toldWords.size > MAX_OPEN_SEGMENTS && oldest !== undefined) this.#toldWords.delete(oldest);
  }

  #pieceOf(of: { segment: SegmentState; trackSid: string; word: CaptionWord; index: number }): Piece {
    const { segment, trackSid, word, index } = of;
    this.#pieces += 1;
    return {
      id: `${segment.segment}.${index}`,
      number: this.#pieces,
      told: segment,
      speaker: segment.speaker.identity,
      trackSid,
      language: segment.language,
      text: word.text,
      startMs: word.startMs,
      endMs: word.endMs,
      toldAtMs: performance.now(),
    };
  }

  #gather({ segment }: SegmentState, piece: Piece): void {
    const gathering = this.#gathering.get(segment);
    const joined = gathering === undefined ? undefined : joinPieces(gathering.piece, piece);
    if (gathering !== undefined && joined !== undefined) {
      this.#gathering.set(segment, { ...gathering, piece: joined });
      return;
    }
    this.#release(segment);
    const timer = setTimeout(() => this.#release(segment), GATHER_MS);
    timer.unref();
    this.#gathering.set(segment, { piece, timer });
  }

  #release(segment: SegmentId): void {
    const gathering = this.#gathering.get(segment);
    if (gathering === undefined) return;
    clearTimeout(gathering.timer);
    this.#gathering.delete(segment);
    const { piece } = gathering;
    this.#lanes.add(piece.speaker, (queue) => queue.add(piece));
  }

  async #send(piece: Piece): Promise<void> {
    const { id, speaker, trackSid, text, startMs, endMs, language } = piece;
    await this.#context.outlet.sendTranscription({
      speaker,
      trackSid,
      segmentId: id,
      text,
      startMs,
      endMs,
      isFinal: true,
      language,
    });
    const recent = this.#recentlyTaken().filter((known) => known.piece.number !== piece.number);
    this.#recent = [...recent, { piece, takenAtMs: performance.now() }].slice(-MAX_RECENT_PIECES);
  }

  #recentlyTaken(): { readonly piece: Piece; readonly takenAtMs: number }[] {
    return this.#recent.filter(({ takenAtMs }) => performance.now() - takenAtMs < HELD_MS);
  }
}

/** Whose segments make a row: one person's microphone, or their shared screen. */
const sourceOf = ({ speaker, trackSid }: SegmentState): string =>
  JSON.stringify([speaker.identity, speaker.label ?? '', trackSid ?? '']);
