import { type CaptionerLine, type CaptionWord, segmentId, type SegmentId } from '../../protocol/index.js';
import type { DeltaDraft, SpeakerSource } from '../rooms/delta-assembler.js';
import type { Room } from '../rooms/room.js';
import type { Author } from '../transcript/transcript-entry.js';
import { writtenWords } from './written-words.js';

/** Settled lines whose text is told again to a client that missed it. */
const MAX_REMEMBERED_LINES = 50;

export interface CaptionerLinesOptions {
  readonly room: Room;
  readonly author: Author;
  readonly language: string;
  /** Committed lines that can be corrected. */
  readonly correctableLines: number;
  /** A committed line settles when nothing changed it for so long. */
  readonly settleAfterMs: number;
  /** A line will not change any more. */
  readonly settled: (line: number, text: string) => void;
}

interface OpenLine {
  readonly line: number;
  readonly segment: SegmentId;
  source: SpeakerSource;
  words: readonly CaptionWord[];
  changedAtMs: number | undefined;
  isShown: boolean;
  isCommitted: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** The lines that one person writes: each a segment of the room, open until it settles. `close` settles all. */
export class CaptionerLines {
  readonly #options: CaptionerLinesOptions;
  readonly #prefix: string;
  readonly #open: OpenLine[] = [];
  readonly #settledTexts = new Map<number, string>();
  #highest = 0;
  #writtenUntilMs = 0;

  constructor(options: CaptionerLinesOptions) {
    this.#options = options;
    this.#prefix = options.room.newSegmentPrefix();
  }

  /** One more than any line so far. */
  get nextLine(): number {
    return this.#highest + 1;
  }

  /** A line as it is now. One that has settled stays as it is, and its text is told again. */
  write({ line, text, isCommitted }: Omit<CaptionerLine, 'kind' | 'as'>, source: SpeakerSource): void {
    const open = this.#open.find((candidate) => candidate.line === line) ?? this.#begin(line, source);
    if (open === undefined) {
      this.#options.settled(line, this.#settledTexts.get(line) ?? '');
      return;
    }
    this.#revise(open, text, source);
    if (isCommitted) this.#commit(open);
    else if (open.isCommitted) this.#startTimer(open);
    this.#settleSurplus();
  }

  /** This line and all before it are right. */
  settle(line: number): void {
    for (const open of this.#open.filter((candidate) => candidate.line <= line)) this.#settle(open);
  }

  close(): void {
    this.settle(Infinity);
  }

  /** Undefined for a line that is over. */
  #begin(line: number, source: SpeakerSource): OpenLine | undefined {
    if (line <= this.#highest) return undefined;
    this.#highest = line;
    for (const earlier of this.#open) this.#commit(earlier);
    const open: OpenLine = {
      line,
      segment: segmentId(`${this.#prefix}-${line}`),
      source,
      words: [],
      changedAtMs: undefined,
      isShown: false,
      isCommitted: false,
      timer: undefined,
    };
    this.#open.push(open);
    return open;
  }

  #revise(open: OpenLine, text: string, source: SpeakerSource): void {
    const nowMs = Math.floor(this.#options.room.clock.now());
    const { keep, words } = writtenWords(open.words, {
      text,
      nowMs,
      beforeMs: open.changedAtMs,
      notBeforeMs: open.isShown ? 0 : this.#writtenUntilMs,
    });
    const isSame = keep === words.length && keep === open.words.length;
    const isSameSource =
      open.source.speaker.identity === source.speaker.identity && open.source.trackSid === source.trackSid;
    open.words = words;
    open.source = source;
    open.changedAtMs = nowMs;
    this.#writtenUntilMs = Math.max(this.#writtenUntilMs, words.at(-1)?.endMs ?? 0);
    if ((isSame && isSameSource) || (!open.isShown && words.length === 0)) return;
    open.isShown = true;
    this.#publish(open, { keep, words: words.slice(keep), stable: 0, isFinal: false });
  }

  #commit(open: OpenLine): void {
    if (open.isCommitted) return;
    open.isCommitted = true;
    this.#startTimer(open);
  }

  #startTimer(open: OpenLine): void {
    clearTimeout(open.timer);
    open.timer = setTimeout(() => this.settle(open.line), this.#options.settleAfterMs);
  }

  #settleSurplus(): void {
    const { correctableLines, settleAfterMs } = this.#options;
    const committed = this.#open.filter(({ isCommitted }) => isCommitted);
    const kept = settleAfterMs === 0 ? 0 : correctableLines;
    for (const open of committed.slice(0, Math.max(0, committed.length - kept))) this.settle(open.line);
  }

  #settle(open: OpenLine): void {
    clearTimeout(open.timer);
    this.#open.splice(this.#open.indexOf(open), 1);
    const { words, line } = open;
    if (open.isShown)
      this.#publish(open, { keep: words.length, words: [], stable: words.length, isFinal: true });
    const text = words.map((word) => word.text).join(' ');
    this.#settledTexts.set(line, text);
    for (const former of this.#settledTexts.keys()) {
      if (this.#settledTexts.size <= MAX_REMEMBERED_LINES) break;
      this.#settledTexts.delete(former);
    }
    this.#options.settled(line, text);
  }

  #publish(open: OpenLine, change: Pick<DeltaDraft, 'keep' | 'words' | 'stable' | 'isFinal'>): void {
    const { room, author, language } = this.#options;
    const { speaker, trackSid } = open.source;
    room.publishDelta(
      {
        speaker,
        ...(trackSid === undefined ? {} : { trackSid }),
        segment: open.segment,
        ...change,
        language,
      },
      author,
    );
  }
}
