import { breakLines, type LineBreaks, NO_LINES } from './line-breaker.js';

/** More marks on one letter than any language writes. */
const PILED_MARKS = /\p{M}{5}/u;

/** One line on the page. Its words are elements of their own while they may change, and one text afterwards. */
class Line {
  readonly element = document.createElement('span');
  readonly #prefix: HTMLElement | undefined;
  readonly #words: HTMLElement[] = [];

  constructor({ text, prefix }: LinePlace) {
    this.#prefix = prefix;
    this.element.className = 'line';
    if (prefix !== undefined) this.element.append(prefix);
    text.append(this.element);
  }

  /** Touches what differs only: all else is neither painted nor laid out again. */
  show(texts: readonly string[], settledCount: number): void {
    texts.forEach((text, index) => {
      const word = this.#words[index] ?? this.#add();
      if (word.textContent !== text) {
        word.textContent = text;
        if (PILED_MARKS.test(text)) this.element.classList.add('piled');
      }
      const className = index < settledCount ? 'word' : 'word unsettled';
      if (word.className !== className) word.className = className;
    });
    for (const surplus of this.#words.splice(texts.length)) {
      // With the space in front of it.
      if (surplus.previousSibling instanceof Text) surplus.previousSibling.remove();
      surplus.remove();
    }
  }

  settle(): void {
    const text = this.#words.map((word) => word.textContent).join(' ');
    this.#words.length = 0;
    this.element.replaceChildren(...(this.#prefix === undefined ? [] : [this.#prefix]), text);
  }

  #add(): HTMLElement {
    const word = document.createElement('span');
    if (this.#words.length > 0) this.element.append(' ');
    this.#words.push(word);
    this.element.append(word);
    return word;
  }
}

export interface LinePlace {
  /** Where the line goes. */
  readonly text: HTMLElement;
  /** What stands in front of its words. */
  readonly prefix: HTMLElement | undefined;
}

export interface LineRuler {
  readonly widthPx: number;
  readonly spacePx: number;
  readonly reservePx: number;
  readonly wordPx: (text: string) => number;
  /** What an element on the page takes up in front of the words of its line. */
  readonly prefixPx: (prefix: HTMLElement) => number;
}

/** The lines of one segment, in one or several places: where others have spoken meanwhile, it goes on below them. */
export class SegmentLines {
  readonly #place: () => LinePlace;
  readonly #lines: { readonly line: Line; readonly indentPx: number }[] = [];
  #breaks: LineBreaks = NO_LINES;

  /** `place` tells where the next line goes. */
  constructor(place: () => LinePlace) {
    this.#place = place;
  }

  /** Words show as they are now; true where there are more lines than before. */
  show(
    words: { readonly texts: readonly string[]; readonly settledCount: number },
    ruler: LineRuler,
  ): boolean {
    const { texts, settledCount } = words;
    if (texts.length === 0 && this.#lines.length === 0) return false;
    const linesBefore = this.#lines.length;
    // A line that there will be goes on in the place of the last one, or begins another: known when it is there.
    this.#breaks = breakLines(texts.map(ruler.wordPx), this.#breaks, {
      ...ruler,
      indentPx: (line) => (this.#lines[line] ?? this.#addLine(ruler)).indentPx,
    });
    if (this.#lines.length === 0) this.#addLine(ruler);
    const { starts } = this.#breaks;
    this.#lines.forEach(({ line }, index) => {
      const start = starts[index] ?? texts.length;
      line.show(texts.slice(start, starts[index + 1] ?? texts.length), settledCount - start);
    });
    return this.#lines.length > linesBefore;
  }

  /** Nothing changes any more: fewer elements will do. */
  settle(): void {
    for (const { line } of this.#lines) line.settle();
  }

  #addLine(ruler: LineRuler): { readonly line: Line; readonly indentPx: number } {
    const place = this.#place();
    const line = new Line(place);
    const added = { line, indentPx: place.prefix === undefined ? 0 : ruler.prefixPx(place.prefix) };
    this.#lines.push(added);
    return added;
  }
}
