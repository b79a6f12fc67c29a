import {
  type CaptionState,
  type EpochMs,
  type GapState,
  HISTORY_FINAL_SEGMENTS,
  type SegmentState,
} from '../../../protocol/index.js';
import { SpeakerColours } from '../colours/speaker-colours.js';
import { SegmentReading, type WordRules } from '../reading/shown-words.js';
import { gapText, speakerName, type Wording } from '../wording/wording.js';
import { CaptionBlock, directionOf, nameElement } from './caption-block.js';
import { type LinePlace, type LineRuler, SegmentLines } from './segment-lines.js';
import { TextRuler } from './text-ruler.js';

/** What stays on the page: segments and notices. More than `HISTORY_FINAL_SEGMENTS` and `HISTORY_GAPS` of a state. */
const MAX_ENTRIES = 500;
/** So many more are taken away at once: seldom, because it moves what scrolls. */
const SURPLUS_ENTRIES = 50;
/** Final segments whose words are elements of their own: more than are seen at once. */
const MAX_SETTLING = 40;
/** A word that is revised may grow by so much of the text's size without leaving its line. */
const RESERVE_EM = 2;
const MAX_REMEMBERED_NAMES = 1000;

export interface LogOptions {
  readonly rules: WordRules;
  readonly wording: Wording;
  /** For time stamps: BCP 47. */
  readonly language: string;
  /** A name stands in its first line instead of above it. */
  readonly hasNamesInLines: boolean;
}

interface SegmentEntry {
  readonly kind: 'segment';
  readonly key: string;
  readonly reading: SegmentReading;
  segment: SegmentState;
  /** Undefined while nothing of it shows. */
  direction: 'ltr' | 'rtl' | undefined;
  lines: SegmentLines;
  blocks: CaptionBlock[];
  /** When more of it is to be shown although nothing arrives. */
  nextAtMs: number | undefined;
}
interface NoticeEntry {
  readonly kind: 'notice';
  readonly key: string;
  readonly content: NoticeContent;
  element: HTMLElement;
}
type NoticeContent =
  | { readonly kind: 'gap'; readonly gap: GapState }
  | { readonly kind: 'restarted' }
  | { readonly kind: 'lost' };

/**
 * The captions as lines, in the order in which they began. A line never changes its place in the log: one that several people
 * need at once is always added at the end, under the name of whoever it is of.
 */
export class CaptionLog {
  readonly #root: HTMLElement;
  readonly #probe: HTMLElement;
  readonly #shortened: () => void;
  readonly #ruler = new TextRuler();
  readonly #colours = new SpeakerColours();
  readonly #entries = new Map<string, SegmentEntry | NoticeEntry>();
  readonly #open = new Map<string, SegmentEntry>();
  /** Final segments whose words are still elements of their own. */
  readonly #settling: SegmentEntry[] = [];
  #toldGaps: ReadonlySet<string> = new Set();
  #options: LogOptions;
  #time: Intl.DateTimeFormat;
  #last: SegmentEntry | undefined;
  #shown: CaptionState | undefined;
  #lineRuler: LineRuler = { widthPx: Infinity, spacePx: 0, reservePx: 0, wordPx: () => 0, prefixPx: () => 0 };

  /** `shortened` is called when something was taken away that the reader may be looking at. */
  constructor(root: HTMLElement, options: LogOptions, shortened: () => void) {
    this.#root = root;
    this.#shortened = shortened;
    this.#options = options;
    this.#time = timeFormat(options.language);
    this.#probe = probeElement();
    // What an element showed that was taken out of the page and is back is told anew.
    root.replaceChildren(this.#probe);
  }

  /** Tells the width of lines, and changes its size with whatever changes them. */
  get probe(): HTMLElement {
    return this.#probe;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Where the words of each segment are, oldest first. */
  *segmentTexts(): Generator<readonly HTMLElement[]> {
    for (const entry of this.#entries.values())
      if (entry.kind === 'segment') yield entry.blocks.map(({ text }) => text);
  }

  /**
   * Shows a state; each that a source tells must be shown, as it holds the last finals only. Returns when `tick` is due, in the
   * time of `nowMs`; undefined for never.
   */
  show(state: CaptionState, nowMs: number): number | undefined {
    if (this.#shown === undefined) this.#measure();
    this.#tellWhatIsMissing(state);
    const isFirst = this.#shown === undefined;
    const finals = state.finals.filter(
      ({ segment }) => this.#open.has(segment) || !this.#entries.has(segment),
    );
    const segments = [...finals, ...state.open];
    // What is there already when the page comes is told in the order in which it was said.
    if (isFirst) segments.sort((one, other) => startOf(one) - startOf(other));
    this.#dropOpenUnless(new Set(segments.map(({ segment }) => segment)));
    this.#shown = state;
    const gaps = this.#newGaps(state);
    let nextAtMs: number | undefined;
    for (const segment of segments) {
      while (isFirst && gaps[0] !== undefined && gaps[0].startMs < startOf(segment))
        this.#tellGap(gaps.shift());
      nextAtMs = earlier(nextAtMs, this.#showSegment(segment, nowMs));
    }
    for (const gap of gaps) this.#tellGap(gap);
    return nextAtMs;
  }

  /** Words whose time has come. Returns as `show` does. */
  tick(nowMs: number): number | undefined {
    let nextAtMs: number | undefined;
    for (const entry of this.#open.values()) nextAtMs = earlier(nextAtMs, this.#fill(entry, nowMs));
    return nextAtMs;
  }

  /** With other options, another font or another width: lines are broken anew. Returns as `show` does. */
  layOut(options: LogOptions, nowMs: number): number | undefined {
    if (options.language !== this.#options.language) this.#time = timeFormat(options.language);
    this.#options = options;
    this.#ruler.forget();
    this.#measure();
    this.#last = undefined;
    const entries = [...this.#entries.values()];
    this.#root.replaceChildren(this.#probe);
    let nextAtMs: number | undefined;
    for (const entry of entries) {
      if (entry.kind === 'notice') {
        entry.element = this.#noticeElement(entry.content);
        this.#root.append(entry.element);
        this.#last = undefined;
        continue;
      }
      entry.blocks = [];
      entry.lines = new SegmentLines(() => this.#placeOf(entry));
      nextAtMs = earlier(nextAtMs, this.#fill(entry, nowMs));
    }
    return nextAtMs;
  }

  #measure(): void {
    const line = this.#probe.querySelector('.line');
    if (line === null) return;
    this.#ruler.useFontOf(line);
    const { paddingInlineStart, paddingInlineEnd, fontSize } = getComputedStyle(line);
    const widthPx = line.clientWidth - parseFloat(paddingInlineStart) - parseFloat(paddingInlineEnd);
    // What the style sheet makes of the width of a line.
    if (widthPx > 0) this.#root.style.setProperty('--line-width', `${widthPx}px`);
    const reservePx = Math.min(RESERVE_EM * parseFloat(fontSize), widthPx / 4);
    this.#lineRuler = {
      // Where nothing is laid out (a hidden element), lines are broken when it is.
      widthPx: widthPx > 0 ? widthPx : Infinity,
      spacePx: this.#ruler.widthPx(' '),
      reservePx: widthPx > 0 ? reservePx : 0,
      wordPx: (text) => this.#ruler.widthPx(text),
      prefixPx: widthCache(),
    };
  }

  #showSegment(segment: SegmentState, nowMs: number): number | undefined {
    const known = this.#open.get(segment.segment);
    // Most deltas are of one segment among several.
    if (known?.segment === segment && known.nextAtMs === undefined) return undefined;
    const entry = known ?? this.#addEntry(segment);
    entry.segment = segment;
    return this.#fill(entry, nowMs);
  }

  #addEntry(segment: SegmentState): SegmentEntry {
    const entry: SegmentEntry = {
      kind: 'segment',
      key: segment.segment,
      reading: new SegmentReading(),
      segment,
      direction: undefined,
      lines: new SegmentLines(() => this.#placeOf(entry)),
      blocks: [],
      nextAtMs: undefined,
    };
    this.#entries.set(entry.key, entry);
    this.#open.set(entry.key, entry);
    return entry;
  }

  #fill(entry: SegmentEntry, nowMs: number): number | undefined {
    const { segment } = entry;
    const shown = entry.reading.shown(segment, this.#options.rules, nowMs);
    entry.lines.show(shown, this.#lineRuler);
    if (segment.isFinal) {
      this.#open.delete(entry.key);
      this.#settle(entry);
      for (const block of entry.blocks) block.isOpen = false;
    }
    entry.nextAtMs = shown.nextAtMs;
    return shown.nextAtMs;
  }

  /** Some segments later: that words become one text may move them by a hundredth of a pixel. */
  #settle(entry: SegmentEntry): void {
    this.#settling.push(entry);
    if (this.#settling.length > MAX_SETTLING) this.#settling.shift()?.lines.settle();
  }

  /** The block in which `entry` goes on: its own where that is the last one. */
  #placeOf(entry: SegmentEntry): LinePlace {
    const own = entry.blocks.at(-1);
    if (own !== undefined && this.#last === entry) return { text: own.text, prefix: undefined };
    const { segment } = entry;
    entry.direction ??= directionOf(segment);
    const isSamePerson =
      this.#last !== undefined &&
      this.#last.segment.speaker.identity === segment.speaker.identity &&
      this.#last.segment.speaker.label === segment.speaker.label;
    const block = new CaptionBlock({
      segment,
      direction: entry.direction,
      colourClass: this.#colours.classOf(segment.speaker),
      isNamed: !isSamePerson,
      time: own === undefined ? this.#time : undefined,
    });
    block.isOpen = !segment.isFinal;
    entry.blocks.push(block);
    this.#root.append(block.element);
    this.#last = entry;
    // Where several people talk at once, a name above every line would take half of the place.
    const isInLine = this.#options.hasNamesInLines || own !== undefined;
    return { text: block.text, prefix: isInLine ? block.name : undefined };
  }

  /** What was never settled and is no more, after a snapshot. */
  #dropOpenUnless(present: ReadonlySet<string>): void {
    for (const [key, { blocks }] of this.#open) {
      if (present.has(key)) continue;
      for (const { element } of blocks) element.remove();
      this.#open.delete(key);
      this.#entries.delete(key);
      if (this.#last?.key === key) this.#last = undefined;
      if (blocks.length > 0) this.#shortened();
    }
  }

  /** Gaps that `state` has and the one before had not: what was once told and taken away is not told again. */
  #newGaps(state: CaptionState): GapState[] {
    const known = this.#toldGaps;
    this.#toldGaps = new Set(state.gaps.map(gapKey));
    return state.gaps.filter((gap) => !known.has(gapKey(gap)));
  }

  #tellGap(gap: GapState | undefined): void {
    if (gap !== undefined) this.#tell(gapKey(gap), { kind: 'gap', gap });
  }

  /** What neither this page nor the gateway's memory of the last segments has. */
  #tellWhatIsMissing(state: CaptionState): void {
    if (this.#shown === undefined || this.#shown === state) return;
    const { epochMs, finals } = this.#shown;
    if (state.epochMs !== epochMs) {
      this.#tell(`restarted ${state.epochMs}`, { kind: 'restarted' });
      return;
    }
    const last = finals.at(-1)?.segment;
    const isContinued = last === undefined || state.finals.some(({ segment }) => segment === last);
    const first = state.finals[0]?.segment;
    if (isContinued || state.finals.length < HISTORY_FINAL_SEGMENTS || first === undefined) return;
    this.#tell(`lost before ${first}`, { kind: 'lost' });
  }

  #tell(key: string, content: NoticeContent): void {
    if (this.#entries.has(key)) return;
    const element = this.#noticeElement(content);
    this.#entries.set(key, { kind: 'notice', key, content, element });
    this.#root.append(element);
    this.#last = undefined;
  }

  #noticeElement(content: NoticeContent): HTMLElement {
    const { wording } = this.#options;
    const element = document.createElement('p');
    element.className = 'notice';
    switch (content.kind) {
      case 'gap':
        element.classList.add('gap', this.#colours.classOf(content.gap.speaker));
        element.append(nameElement(speakerName(content.gap.speaker)), ` ${gapText(content.gap, wording)}`);
        break;
      case 'restarted':
        element.textContent = wording.restarted;
        break;
      case 'lost':
        element.textContent = wording.missing;
        break;
    }
    return element;
  }

  /** More is on the page than has to be: `trim` is due. */
  get isTooLong(): boolean {
    return this.#entries.size > MAX_ENTRIES + SURPLUS_ENTRIES;
  }

  /** The oldest go, but never what is still being said. */
  trim(): void {
    let surplus = this.#entries.size - MAX_ENTRIES;
    for (const [key, entry] of this.#entries) {
      if (surplus <= 0) return;
      if (this.#open.has(key)) continue;
      this.#entries.delete(key);
      surplus -= 1;
      if (entry.kind === 'notice') entry.element.remove();
      else for (const { element } of entry.blocks) element.remove();
    }
  }
}

/** Of names: the style sheet cuts off long ones, so that only a layout tells, and one for each name is enough. */
function widthCache(): LineRuler['prefixPx'] {
  const known = new Map<string, number>();
  return (prefix) => {
    const name = prefix.textContent;
    const widthPx =
      known.get(name) ??
      prefix.getBoundingClientRect().width + parseFloat(getComputedStyle(prefix).marginInlineEnd);
    if (known.size >= MAX_REMEMBERED_NAMES) known.clear();
    known.set(name, widthPx);
    return widthPx;
  };
}

const gapKey = ({ speaker, startMs, endMs, reason }: GapState): string =>
  JSON.stringify([speaker.identity, speaker.label, startMs, endMs, reason]);

const startOf = ({ words }: SegmentState): EpochMs | 0 => words[0]?.startMs ?? 0;

const earlier = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : other === undefined ? one : Math.min(one, other);

const timeFormat = (language: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat(language, { timeStyle: 'medium', hourCycle: 'h23' });

/** Takes no room. */
function probeElement(): HTMLElement {
  const probe = document.createElement('div');
  probe.className = 'block probe';
  probe.setAttribute('aria-hidden', 'true');
  const text = document.createElement('p');
  text.className = 'text';
  const line = document.createElement('span');
  line.className = 'line';
  line.textContent = ' ';
  text.append(line);
  probe.append(text);
  return probe;
}
