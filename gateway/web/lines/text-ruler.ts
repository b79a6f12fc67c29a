/** Words remembered at most; all are forgotten when there are more. */
const MAX_REMEMBERED = 5000;
/** A longer word is wider than any line; how wide does not matter. */
const MAX_MEASURED_CHARS = 400;

/** Measures text as a page shows it, without making the page lay anything out. */
export class TextRuler {
  readonly #context = document.createElement('canvas').getContext('2d');
  readonly #widthsPx = new Map<string, number>();
  #style = '';

  /** Measures with the font of `element` from now on. True where that is another one than before. */
  useFontOf(element: Element): boolean {
    const { font, letterSpacing, wordSpacing } = getComputedStyle(element);
    const style = `${font} ${letterSpacing} ${wordSpacing}`;
    if (this.#context === null || style === this.#style) return false;
    this.forget();
    this.#style = style;
    this.#context.font = font;
    // Older browsers do not have these two; lines that turn out too long are then broken by the browser.
    this.#context.letterSpacing = letterSpacing === 'normal' ? '0px' : letterSpacing;
    this.#context.wordSpacing = wordSpacing === 'normal' ? '0px' : wordSpacing;
    return true;
  }

  /** A font has been loaded: the same text may be another width now. */
  forget(): void {
    this.#widthsPx.clear();
  }

  widthPx(text: string): number {
    const known = this.#widthsPx.get(text);
    if (known !== undefined) return known;
    const widthPx = this.#context?.measureText(text.slice(0, MAX_MEASURED_CHARS)).width ?? 0;
    if (this.#widthsPx.size >= MAX_REMEMBERED) this.forget();
    this.#widthsPx.set(text, widthPx);
    return widthPx;
  }
}
