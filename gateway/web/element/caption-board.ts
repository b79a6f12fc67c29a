import type { CaptionState } from '../../../protocol/index.js';
import { CaptionLog, type LogOptions } from '../lines/caption-log.js';
import { CaptionLag } from '../reading/caption-lag.js';
import { EndScroller } from '../scroll/end-scroller.js';
import { Announcer } from './announcer.js';

export interface BoardOptions {
  readonly scroller: HTMLElement;
  readonly log: HTMLElement;
  readonly announcer: HTMLElement;
  readonly options: LogOptions;
  readonly followingChanged: (isFollowing: boolean) => void;
}

/** The captions themselves, once their places are on the page: kept out of the element's rendering, which skips states. */
export class CaptionBoard {
  readonly log: CaptionLog;
  readonly scroller: EndScroller;
  readonly #announcer: Announcer;
  readonly #lag = new CaptionLag();
  readonly #resizes: ResizeObserver;
  #options: LogOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #size = '';

  constructor({ scroller, log, announcer, options, followingChanged }: BoardOptions) {
    this.#options = options;
    this.log = new CaptionLog(log, options);
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

  show(state: CaptionState): void {
    this.#lag.notice(state, Date.now());
    this.#dueAt(this.log.show(state, performance.now()));
    this.#announcer.show(state, ({ words, language }) =>
      words.map(({ text }) => this.#options.rules.mask(text, language)).join(' '),
    );
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
