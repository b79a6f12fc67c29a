import type { WrittenLine } from './written-lines.js';

export interface LineListOptions {
  readonly list: HTMLElement;
  /** In front of a line's number, for screen readers. */
  readonly lineWord: string;
  readonly nameOf: (as: WrittenLine['as']) => string;
  readonly corrected: (line: number, text: string) => void;
  /** The captioner goes back to where the next line is written. */
  readonly back: () => void;
}

/** The lines that can be corrected, each in a field of its own. A field in which somebody writes stays as it is. */
export class LineList {
  readonly #options: LineListOptions;
  readonly #items = new Map<number, { item: HTMLElement; field: HTMLInputElement; sent: string }>();

  constructor(options: LineListOptions) {
    this.#options = options;
  }

  show(lines: readonly WrittenLine[]): void {
    const { list, back } = this.#options;
    for (const [line, { item, field }] of this.#items) {
      if (lines.some((kept) => kept.line === line)) continue;
      const hadFocus = document.activeElement === field;
      item.remove();
      this.#items.delete(line);
      // It settled under the captioner's hands.
      if (hadFocus) back();
    }
    for (const line of lines) {
      const known = this.#items.get(line.line);
      if (known === undefined) list.append(this.#add(line));
      else if (document.activeElement !== known.field) known.field.value = line.text;
      const now = this.#items.get(line.line);
      if (now !== undefined) now.sent = line.text;
    }
  }

  /** False where there is none. */
  focusLast(): boolean {
    const last = [...this.#items.values()].at(-1);
    last?.field.focus();
    return last !== undefined;
  }

  #add({ line, text, as }: WrittenLine): HTMLElement {
    const item = document.createElement('li');
    const label = document.createElement('label');
    const field = document.createElement('input');
    field.id = `line-${line}`;
    field.value = text;
    field.maxLength = 1000;
    field.dir = 'auto';
    field.autocomplete = 'off';
    field.spellcheck = true;
    label.htmlFor = field.id;
    label.textContent = `${this.#options.lineWord} ${line}, ${this.#options.nameOf(as)}`;
    field.addEventListener('keydown', (event) => this.#keyPressed(event, line, field));
    field.addEventListener('change', () => this.#options.corrected(line, field.value));
    item.append(label, field);
    this.#items.set(line, { item, field, sent: text });
    return item;
  }

  #keyPressed(event: KeyboardEvent, line: number, field: HTMLInputElement): void {
    const fields = [...this.#items.values()].map((known) => known.field);
    const at = fields.indexOf(field);
    switch (event.key) {
      case 'Enter':
        this.#options.corrected(line, field.value);
        this.#options.back();
        break;
      case 'Escape':
        field.value = this.#items.get(line)?.sent ?? field.value;
        this.#options.back();
        break;
      case 'ArrowUp':
        fields[at - 1]?.focus();
        break;
      case 'ArrowDown':
        if (fields[at + 1] === undefined) this.#options.back();
        else fields[at + 1]?.focus();
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}
