import type { CaptionerLine, ParticipantIdentity } from '../../../../protocol/index.js';

/** One line as the captioner's page knows it. */
export interface WrittenLine {
  readonly line: number;
  readonly text: string;
  readonly as: ParticipantIdentity | undefined;
  readonly isCommitted: boolean;
}

/** A line longer than two subtitles is cut at its last space. */
const LONGEST_LINE_CHARS = 120;
const SENTENCE_END = /[.!?…。！？]["'”’»)\]]*(?:\s+|$)/gu;

/**
 * The lines that one captioner is writing: the one at the keyboard, and those before it that can still be corrected. It says
 * what is to be sent, also again after a connection was lost. No DOM, no socket.
 */
export class WrittenLines {
  readonly #open = new Map<number, WrittenLine>();
  #current = 1;

  /** Committed lines that can be corrected, oldest first. */
  get correctable(): readonly WrittenLine[] {
    return [...this.#open.values()].filter(({ line, text }) => line !== this.#current && text !== '');
  }

  /** What stands at the keyboard. */
  get currentText(): string {
    return this.#open.get(this.#current)?.text ?? '';
  }

  /** What was typed so far, in the name of `as`. Undefined where that is nothing new. */
  type(text: string, as: ParticipantIdentity | undefined): CaptionerLine | undefined {
    const known = this.#open.get(this.#current);
    if ((known?.text ?? '') === text && (known === undefined || known.as === as)) return undefined;
    return this.#keep({ line: this.#current, text, as, isCommitted: false });
  }

  /** The current line is done, and another one begins. Undefined where nothing stands there. */
  commit(): CaptionerLine | undefined {
    const known = this.#open.get(this.#current);
    if (known === undefined) return undefined;
    this.#current += 1;
    return this.#keep({ ...known, isCommitted: true });
  }

  /** Undefined where the line has settled, or says that already. */
  correct(line: number, text: string): CaptionerLine | undefined {
    const known = this.#open.get(line);
    if (known === undefined || line === this.#current || known.text === text) return undefined;
    return this.#keep({ ...known, text });
  }

  /** The last line that can be settled; undefined for none. */
  get lastCommitted(): number | undefined {
    const lines = [...this.#open.keys()].filter((line) => line < this.#current);
    return lines.length === 0 ? undefined : Math.max(...lines);
  }

  /**
   * The gateway settled a line. When that was the one at the keyboard (the connection was lost meanwhile), what was typed
   * since is to begin another line: the result is the text to `type` there.
   */
  settled(line: number, text: string): string {
    const known = this.#open.get(line);
    this.#open.delete(line);
    if (line !== this.#current) return this.currentText;
    const typed = known?.text ?? '';
    const words = text.split(' ').length;
    const rest = normalise(typed).startsWith(text)
      ? typed.trim().split(/\s+/u).slice(words).join(' ')
      : typed;
    this.#current += 1;
    return rest;
  }

  /** A connection is there (again): what the gateway may not know, in order. */
  resend(nextLine: number): CaptionerLine[] {
    if (this.#open.size === 0) this.#current = Math.max(this.#current, nextLine);
    return [...this.#open.values()].map(messageOf);
  }

  #keep(line: WrittenLine): CaptionerLine {
    this.#open.set(line.line, line);
    return messageOf(line);
  }
}

const messageOf = ({ line, text, as, isCommitted }: WrittenLine): CaptionerLine => ({
  kind: 'line',
  line,
  text,
  ...(as === undefined ? {} : { as }),
  isCommitted,
});

const normalise = (text: string): string => text.trim().split(/\s+/u).join(' ');

/** Where a text is to be cut so that the next line begins by itself; undefined while it goes on. */
export function lineEnd(text: string): number | undefined {
  for (const match of text.matchAll(SENTENCE_END)) {
    const end = match.index + match[0].length;
    // Somebody may go on with "…" or a closing quote: only what follows a space tells.
    if (/\s$/u.test(match[0]) && end > 1) return end;
  }
  if (text.length < LONGEST_LINE_CHARS) return undefined;
  const space = text.lastIndexOf(' ');
  return space <= 0 ? undefined : space + 1;
}
