/** Closer to the end than this counts as being there. */
const AT_END_PX = 8;
const GLIDE_MS = 180;

export interface EndScrollerOptions {
  /** What scrolls. */
  readonly scroller: HTMLElement;
  /** What is in it, as one element. */
  readonly content: HTMLElement;
  /** The reader left the end, or is back. */
  readonly followingChanged: (isFollowing: boolean) => void;
}

/**
 * Keeps the end of a box in view until the reader scrolls up. Lines are where they belong at once; that they glide there is an
 * animation of the whole content, which the browser does without laying anything out.
 */
export class EndScroller {
  readonly #options: EndScrollerOptions;
  readonly #stillness = matchMedia('(prefers-reduced-motion: reduce)');
  #isFollowing = true;
  #followedToPx = 0;
  #isDue = false;
  #glide: Animation | undefined;

  constructor(options: EndScrollerOptions) {
    this.#options = options;
    options.scroller.addEventListener('scroll', this.#scrolled, { passive: true });
  }

  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** Idempotent. */
  close(): void {
    this.#options.scroller.removeEventListener('scroll', this.#scrolled);
    this.#glide?.cancel();
  }

  /** Something was added: once a frame is enough to follow it. */
  contentChanged(): void {
    if (!this.#isFollowing || this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      if (this.#isFollowing) this.#toEnd({ glides: true });
    });
  }

  /** `change` lays everything out anew; who reads further up stays about where they were. */
  layOut(change: () => void): void {
    const { scroller } = this.#options;
    const place = scroller.scrollTop / Math.max(1, scroller.scrollHeight);
    change();
    if (this.#isFollowing) this.#toEnd({ glides: false });
    else scroller.scrollTop = place * scroller.scrollHeight;
  }

  /** What is read stays where it is while `change` takes something away above it. */
  keepPlace(change: () => void): void {
    const { scroller } = this.#options;
    const belowPx = scroller.scrollHeight - scroller.scrollTop;
    change();
    scroller.scrollTop = scroller.scrollHeight - belowPx;
    this.#followedToPx = Math.min(this.#followedToPx, scroller.scrollTop);
  }

  pause(): void {
    this.#setFollowing(false);
  }

  jumpToEnd(): void {
    this.#setFollowing(true);
    this.#toEnd({ glides: false });
  }

  #toEnd({ glides }: { glides: boolean }): void {
    const { scroller } = this.#options;
    const leftPx = this.#stopGlide();
    const beforePx = scroller.scrollTop;
    scroller.scrollTop = scroller.scrollHeight;
    this.#followedToPx = scroller.scrollTop;
    const movedPx = this.#followedToPx - beforePx;
    // More than a box of text cannot be followed with the eyes: it is simply there.
    if (glides && movedPx < scroller.clientHeight) this.#glideBy(movedPx + leftPx);
  }

  /**
   * Returns what was still left of it. Before anything is measured: content that is moved down by it reaches further than it
   * is long, and who scrolls to that end is taken back by the browser later, as if the reader had scrolled up.
   */
  #stopGlide(): number {
    if (this.#glide?.playState !== 'running') return 0;
    const leftPx = new DOMMatrix(getComputedStyle(this.#options.content).transform).m42;
    this.#glide.cancel();
    return leftPx;
  }

  #glideBy(distancePx: number): void {
    if (distancePx <= 0 || this.#stillness.matches) return;
    this.#glide = this.#options.content.animate(
      [{ transform: `translateY(${distancePx}px)` }, { transform: 'translateY(0)' }],
      { duration: GLIDE_MS, easing: 'ease-out' },
    );
  }

  /** New lines put the end further away without the reader having moved: only going up ends the following. */
  readonly #scrolled = (): void => {
    const { scrollHeight, clientHeight, scrollTop } = this.#options.scroller;
    const isAtEnd = scrollHeight - clientHeight - scrollTop < AT_END_PX;
    // Content that became shorter takes the end up with it.
    this.#followedToPx = Math.min(this.#followedToPx, scrollHeight - clientHeight);
    this.#setFollowing(isAtEnd || (this.#isFollowing && scrollTop >= this.#followedToPx - 1));
  };

  #setFollowing(isFollowing: boolean): void {
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#options.followingChanged(isFollowing);
  }
}
