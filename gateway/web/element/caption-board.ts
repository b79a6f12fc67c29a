import type { CaptionState } from '../../../protocol/index.js';
import { CaptionLog, type LogOptions } from '../lines/caption-log.js';
import { CaptionLag } from '../reading/caption-lag.js';
import { EndScroller } from '../scroll/end-scroller.js';
import { Announcer } from './announcer.js';

/** What arrives within this is shown together: nobody reads faster, and each drawing of the page costs as much as several words. */
const SHOW_INTERVAL_MS = 30;
/** A state holds the last 50 finals: so many states may wait before one of them would be lost. */
const MAX_WAITING_STATES = 25;

export interface BoardOptions {
  readonly scroller: HTMLElement;
  readonly log: HTMLElement;
  readonly announcer: HTMLElement;
  /** Shown as long as there is nothing else. */
  readonly hint: HTMLElement;
  readonly options: LogOptions;
  readonly followingChanged: (isFollowing: boolean) => void;
}

/** The captions themselves, once their places are on the page: kept out of the element's rendering, which skips states. */
export class CaptionBoard {
  readonly log: CaptionLog;
  readonly scroller: EndScroller;
  readonly #announcer: Announcer;
  readonly #hint: HTMLElement;
  readonly #lag = new CaptionLag();
  readonly #resizes: ResizeObserver;
  #options: LogOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #showTimer: ReturnType<typeof setTimeout> | undefined;
  #waiting: { readonly state: CaptionState; readonly count: number } | undefined;
  #shownAtMs = -Infinity;
  #size = '';

  constructor({ scroller, log, announcer, hint, options, followingChanged }: BoardOptions) {
    this.#options = options;
    this.#hint = hint;
    this.log = new CaptionLog(log, options, () => this.scroller.shortened());
    this.scroller = new EndScroller({ scroller, content: log, followingChanged });
    this.#announcer = new Announcer(announcer);
    this.#resizes = new ResizeObserver(([entry]) => this.#resized(entry));
    const line = this.log.probe.querySelector('.line');
    if (line !== null) this.#resizes.observe(line);
    this.#resizes.observe(scroller);
    document.fonts.addEventListener('loadingdone', this.#layOut);
  }

  /** Seconds; 0 for captions that are on time. */
  get behindS(): number {
    return this.#lag.behindS(Date.now());
  }

  /** Soon, together with what else arrives meanwhile. */
  show(state: CaptionState): void {
    this.#lag.notice(state, Date.now());
    // After a snapshot some of what waits may not be in the state any more.
    if (this.#waiting !== undefined && state.seq !== this.#waiting.state.seq + 1) this.#showWaiting();
    const count = (this.#waiting?.count ?? 0) + 1;
    this.#waiting = { state, count };
    const waitMs = this.#shownAtMs + SHOW_INTERVAL_MS - performance.now();
    if (waitMs <= 0 || count >= MAX_WAITING_STATES) this.#showWaiting();
    else this.#showTimer ??= setTimeout(() => this.#showWaiting(), waitMs);
  }

  #showWaiting(): void {
    clearTimeout(this.#showTimer);
    this.#showTimer = undefined;
    if (this.#waiting === undefined) return;
    const { state } = this.#waiting;
    this.#waiting = undefined;
    this.#shownAtMs = performance.now();
    this.#dueAt(this.log.show(state, this.#shownAtMs));
    this.#announcer.show(state, ({ words, language }) =>
      words.map(({ text }) => this.#options.rules.mask(text, language)).join(' '),
    );
    this.#hint.hidden = !this.log.isEmpty;
    if (this.log.isTooLong) this.scroller.keepPlace(() => this.log.trim());
    this.scroller.contentChanged();
  }

  set options(options: LogOptions) {
    this.#options = options;
    this.#layOut();
  }

  /** Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#showTimer);
    this.#resizes.disconnect();
    this.scroller.close();
    document.fonts.removeEventListener('loadingdone', this.#layOut);
  }

  readonly #layOut = (): void => {
    this.scroller.layOut(() => this.#dueAt(this.log.layOut(this.#options, performance.now())));
  };

  /** The first call tells the size that is there already. */
  #resized(entry: ResizeObserverEntry | undefined): void {
    if (entry === undefined) return;
    const line = this.log.probe.querySelector('.line');
    const size = `${line?.clientWidth} ${line?.clientHeight}`;
    if (size !== this.#size) this.#layOut();
    else this.scroller.layOut(() => undefined);
    this.#size = size;
  }

  #dueAt(atMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (atMs === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#dueAt(this.log.tick(performance.now()));
        this.scroller.contentChanged();
      },
      Math.max(0, atMs - performance.now()),
    );
  }
}
