/** Closer to the end than this counts as being there. */
const AT_END_PX = 8;
const GLIDE_MS = 180;

export interface EndScrollerOptions {
  /** What scrolls. */
  readonly scroller: HTMLElement;
  /**
   * What is in it, as one element, in a box that clips it: content that glides must not reach further than it is long, or each
   * step of it would be laid out, and the end would be somewhere else.
   */
  readonly content: HTMLElement;
  /** The reader left the end, or is back. */
  readonly followingChanged: (isFollowing: boolean) => void;
}

/**
 * Keeps the end of a box in view until the reader scrolls up. Lines are where they belong at once; that they glide there is an
 * animation of the whole content, which the browser does without laying anything out.
 *
 * Browsers do not tell who scrolled. Whatever else moves the place (content that becomes shorter, a box that becomes higher)
 * is known here before the browser tells of scrolling: `shortened`, and the sizes of box and content.
 */
export class EndScroller {
  readonly #options: EndScrollerOptions;
  readonly #stillness = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #sizes: ResizeObserver;
  #isFollowing = true;
  #isHeld = false;
  /** Going above this place is the reader's doing. */
  #followedToPx = 0;
  #isDue = false;
  #glide: Animation | undefined;
  #glidePx = 0;

  constructor(options: EndScrollerOptions) {
    this.#options = options;
    options.scroller.addEventListener('scroll', this.#scrolled, { passive: true });
    // Also what nobody tells: fonts that come, zoom, a box that the application makes larger or smaller.
    this.#sizes = new ResizeObserver(() => {
      if (this.#isFollowing) this.#toEnd({ glides: true });
    });
    this.#sizes.observe(options.scroller);
    this.#sizes.observe(options.content);
  }

  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** True where there is no scrolling for the reader, as in the overlay: then nothing ends the following. Default false. */
  set isHeld(isHeld: boolean) {
    this.#isHeld = isHeld;
    if (isHeld && !this.#isFollowing) this.jumpToEnd();
  }

  /** Idempotent. */
  close(): void {
    this.#options.scroller.removeEventListener('scroll', this.#scrolled);
    this.#sizes.disconnect();
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

  /** Something was taken away: until the end is followed again, going up may be the browser's doing. */
  shortened(): void {
    this.#followedToPx = 0;
    this.contentChanged();
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
    const beforePx = scroller.scrollTop;
    scroller.scrollTop = scroller.scrollHeight;
    this.#followedToPx = scroller.scrollTop;
    const movedPx = this.#followedToPx - beforePx;
    // Most words need no further line: then what glides goes on gliding.
    if (movedPx <= 0 && glides) return;
    const distancePx = movedPx + this.#stopGlide();
    // More than a box of text cannot be followed with the eyes: it is simply there.
    if (glides && distancePx < scroller.clientHeight) this.#glideBy(distancePx);
  }

  /** Returns what was still left of it. */
  #stopGlide(): number {
    const progress = this.#glide?.effect?.getComputedTiming().progress ?? 1;
    this.#glide?.cancel();
    this.#glide = undefined;
    return (1 - progress) * this.#glidePx;
  }

  #glideBy(distancePx: number): void {
    if (this.#stillness.matches) return;
    this.#glidePx = distancePx;
    this.#glide = this.#options.content.animate(
      [{ transform: `translateY(${distancePx}px)` }, { transform: 'translateY(0)' }],
      { duration: GLIDE_MS, easing: 'ease-out' },
    );
  }

  /** New lines put the end further away without the reader having moved: only going up ends the following. */
  readonly #scrolled = (): void => {
    const { scrollHeight, clientHeight, scrollTop } = this.#options.scroller;
    const endPx = scrollHeight - clientHeight;
    const isAtEnd = endPx - scrollTop < AT_END_PX;
    // Content that became shorter takes the end up with it.
    this.#followedToPx = Math.min(this.#followedToPx, endPx);
    const isReaders = !this.#isHeld && scrollTop < this.#followedToPx - 1;
    if (this.#isHeld && !isAtEnd) this.contentChanged();
    this.#setFollowing(isAtEnd || (this.#isFollowing && !isReaders));
  };

  #setFollowing(isFollowing: boolean): void {
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#options.followingChanged(isFollowing);
  }
}
