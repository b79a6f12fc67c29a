import {
  type CaptionState,
  type EpochMs,
  type GapState,
  HISTORY_FINAL_SEGMENTS,
  type SegmentState,
} from '../../../protocol/index.js';
import { RecentElements } from './recent-elements.js';
import { nameElement, SegmentBlock } from './segment-block.js';
import { SpeakerColours } from './speaker-colours.js';
import { gapText, speakerName } from '../wording/wording.js';

/** Settled segments that stay on the page: more than the `HISTORY_FINAL_SEGMENTS` of a state. */
const MAX_SETTLED_SEGMENTS = 200;
/** Gaps and other notices that stay on the page: more than the `HISTORY_GAPS` of a state. */
const MAX_NOTICES = 50;
/** `order` is a 32-bit number: in these steps it lasts for months. */
const ORDER_STEP_MS = 10;

/**
 * The captions as elements. Open segments lie in one region, settled ones in another, which screen readers follow; both
 * appear as one list in the order of `order`, so that a segment stays where it is when it settles.
 */
export class CaptionList {
  readonly #settledRegion: HTMLElement;
  readonly #openRegion: HTMLElement;
  readonly #colours: SpeakerColours;
  readonly #settled = new RecentElements(MAX_SETTLED_SEGMENTS);
  readonly #notices = new RecentElements(MAX_NOTICES);
  readonly #open = new Map<string, SegmentBlock>();
  #shown: CaptionState | undefined;
  #originMs: EpochMs | undefined;

  /** `colours` are shared with whatever else on the page shows the same speakers. */
  constructor(regions: { settled: HTMLElement; open: HTMLElement }, colours = new SpeakerColours()) {
    this.#colours = colours;
    this.#settledRegion = regions.settled;
    this.#openRegion = regions.open;
  }

  get isEmpty(): boolean {
    return this.#settledRegion.childElementCount + this.#openRegion.childElementCount === 0;
  }

  show(state: CaptionState): void {
    this.#originMs ??= state.epochMs;
    this.#tellWhatIsMissing(state);
    for (const final of state.finals) if (!this.#settled.has(final.segment)) this.#settle(final);
    for (const gap of state.gaps) this.#showGap(gap);
    for (const segment of state.open) this.#showOpen(segment);
    this.#dropOpenUnless(new Set(state.open.map(({ segment }) => segment)));
    this.#shown = state;
  }

  #showOpen(segment: SegmentState): SegmentBlock {
    const block = this.#open.get(segment.segment) ?? this.#addOpen(segment);
    block.update(segment);
    const startMs = segment.words[0]?.startMs;
    // Only once: nothing that is being read may change its place.
    if (block.element.style.order === '' && startMs !== undefined) this.#place(block.element, startMs);
    return block;
  }

  #addOpen(segment: SegmentState): SegmentBlock {
    const block = new SegmentBlock(segment, this.#colours.classOf(segment.speaker));
    this.#open.set(segment.segment, block);
    this.#openRegion.append(block.element);
    return block;
  }

  #settle(final: SegmentState): void {
    const { element } = this.#showOpen(final);
    this.#open.delete(final.segment);
    this.#settledRegion.append(element);
    this.#settled.add(final.segment, element);
  }

  #dropOpenUnless(present: ReadonlySet<string>): void {
    for (const [segment, { element }] of this.#open) {
      if (present.has(segment)) continue;
      element.remove();
      this.#open.delete(segment);
    }
  }

  #showGap(gap: GapState): void {
    const { speaker, startMs, endMs, reason } = gap;
    const key = JSON.stringify([speaker.identity, speaker.label, startMs, endMs, reason]);
    if (this.#notices.has(key)) return;
    const element = document.createElement('p');
    element.classList.add('notice', 'gap', this.#colours.classOf(speaker));
    element.append(nameElement(speakerName(speaker)), ` ${gapText(gap)}`);
    this.#addNotice({ key, element, startMs });
  }

  /** What neither this page nor the gateway's memory of the last segments has. */
  #tellWhatIsMissing(state: CaptionState): void {
    if (this.#shown === undefined || this.#shown === state) return;
    const { epochMs, finals } = this.#shown;
    if (state.epochMs !== epochMs) {
      this.#tell('Captioning was restarted; something may be missing here.', state.epochMs);
      return;
    }
    const last = finals.at(-1)?.segment;
    const isContinued = last === undefined || state.finals.some(({ segment }) => segment === last);
    const startMs = state.finals[0]?.words[0]?.startMs;
    if (isContinued || state.finals.length < HISTORY_FINAL_SEGMENTS || startMs === undefined) return;
    this.#tell('Something is missing here: the connection was lost for too long.', startMs);
  }

  #tell(text: string, startMs: EpochMs): void {
    const element = document.createElement('p');
    element.className = 'notice';
    element.textContent = text;
    this.#addNotice({ key: `${text} ${startMs}`, element, startMs });
  }

  #addNotice({ key, element, startMs }: { key: string; element: HTMLElement; startMs: EpochMs }): void {
    this.#place(element, startMs);
    this.#settledRegion.append(element);
    this.#notices.add(key, element);
  }

  #place(element: HTMLElement, startMs: EpochMs): void {
    element.style.order = String(Math.round((startMs - (this.#originMs ?? startMs)) / ORDER_STEP_MS));
  }
}
