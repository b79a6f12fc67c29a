const FOUND = 'live-captions-found';
const HERE = 'live-captions-here';

/** Where the text searched for stands: one place, in several lines where it goes over the end of one. */
interface Match {
  readonly ranges: readonly Range[];
  readonly element: Element;
}

/** Text nodes of one segment, put together as one text. */
interface SegmentText {
  readonly text: string;
  readonly nodes: readonly { readonly node: Text; readonly from: number }[];
}

export interface SearchResult {
  /** Of `count`, from 1; 0 for nothing found. */
  readonly at: number;
  readonly count: number;
}

/**
 * Finds text in the captions that are on the page and marks it without touching their elements. New captions are searched with
 * the next `find`.
 */
export class TranscriptSearch {
  #matches: Match[] = [];
  #at = 0;

  /** `blocks` are all places of a segment, segment by segment. Begins at the newest match. */
  find(wanted: string, segments: Iterable<readonly Element[]>): SearchResult {
    this.clear();
    const needle = folded(wanted.trim()).text;
    if (needle === '') return { at: 0, count: 0 };
    for (const blocks of segments) this.#matches.push(...matchesIn(blocks, needle));
    this.#at = this.#matches.length;
    this.#mark(FOUND, this.#matches);
    return this.#show();
  }

  /** `step` -1 for the one before, 1 for the one after; goes round at the ends. */
  go(step: -1 | 1): SearchResult {
    const count = this.#matches.length;
    if (count === 0) return { at: 0, count };
    this.#at = ((this.#at - 1 + step + count) % count) + 1;
    return this.#show();
  }

  clear(): void {
    for (const { element } of this.#matches) element.classList.remove('found');
    this.#matches = [];
    this.#at = 0;
    this.#mark(FOUND, []);
    this.#mark(HERE, []);
  }

  #show(): SearchResult {
    const match = this.#matches[this.#at - 1];
    for (const { element } of this.#matches) element.classList.remove('found');
    match?.element.classList.add('found');
    match?.element.scrollIntoView({ block: 'center', behavior: 'instant' });
    this.#mark(HERE, match === undefined ? [] : [match]);
    return { at: this.#at, count: this.#matches.length };
  }

  /** Browsers that cannot mark text frame the segment only. */
  #mark(name: string, matches: readonly Match[]): void {
    if (!('highlights' in CSS)) return;
    const highlight = new Highlight(...matches.flatMap(({ ranges }) => ranges));
    highlight.priority = name === HERE ? 1 : 0;
    CSS.highlights.set(name, highlight);
  }
}

function matchesIn(blocks: readonly Element[], needle: string): Match[] {
  const { text, nodes } = textOf(blocks);
  const { text: hay, places } = folded(text);
  const matches: Match[] = [];
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length)) {
    const from = places[at] ?? 0;
    const to = places[at + needle.length] ?? text.length;
    const ranges = rangesOf(nodes, from, to);
    const element = ranges[0]?.startContainer.parentElement?.closest('.block');
    if (element) matches.push({ ranges, element });
  }
  return matches;
}

/** Lines are put together with a space, which none of them has at its end. */
function textOf(blocks: readonly Element[]): SegmentText {
  let text = '';
  const nodes: { node: Text; from: number }[] = [];
  for (const block of blocks)
    for (const line of block.querySelectorAll('.line')) {
      if (text !== '') text += ' ';
      const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        if (!(node instanceof Text) || node.parentElement?.closest('.name')) continue;
        nodes.push({ node, from: text.length });
        text += node.data;
      }
    }
  return { text, nodes };
}

/** One range for each text node that has some of it: what others said in between is not marked. */
function rangesOf(nodes: SegmentText['nodes'], from: number, to: number): Range[] {
  const ranges: Range[] = [];
  for (const { node, from: nodeFrom } of nodes) {
    const start = Math.max(from - nodeFrom, 0);
    const end = Math.min(to - nodeFrom, node.length);
    if (start >= end) continue;
    const range = new Range();
    range.setStart(node, start);
    range.setEnd(node, end);
    ranges.push(range);
  }
  return ranges;
}

/** Without case and accents, and where each character of it came from. */
function folded(text: string): { readonly text: string; readonly places: readonly number[] } {
  let out = '';
  const places: number[] = [];
  for (const character of text.matchAll(/./gsu)) {
    const plain = character[0].normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
    for (let index = 0; index < plain.length; index++) places.push(character.index);
    out += plain;
  }
  return { text: out, places };
}
