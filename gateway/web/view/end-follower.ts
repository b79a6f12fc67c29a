/** Closer to the end than this counts as being there. */
const AT_END_PX = 16;

/** Keeps the newest line in view until the reader scrolls up; then a button leads back. */
export class EndFollower {
  readonly #button: HTMLButtonElement;
  #isFollowing = true;
  #followedToPx = 0;
  #isScrollDue = false;

  constructor(button: HTMLButtonElement) {
    this.#button = button;
  }

  /** Idempotent. */
  start(): void {
    this.#setFollowing(true);
    window.addEventListener('scroll', this.#scrolled, { passive: true });
    window.addEventListener('resize', this.#resized);
    this.#button.addEventListener('click', this.#jump);
  }

  /** Idempotent; `start` begins anew. */
  close(): void {
    window.removeEventListener('scroll', this.#scrolled);
    window.removeEventListener('resize', this.#resized);
    this.#button.removeEventListener('click', this.#jump);
    document.documentElement.classList.remove('following');
  }

  /** Something was added: once a frame is enough to follow it. */
  contentChanged(): void {
    if (!this.#isFollowing || this.#isScrollDue) return;
    this.#isScrollDue = true;
    requestAnimationFrame(() => {
      this.#isScrollDue = false;
      if (this.#isFollowing) this.#scrollToEnd();
    });
  }

  #scrollToEnd(): void {
    window.scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' });
    this.#followedToPx = window.scrollY;
  }

  /** New lines put the end further away without the reader having moved: only going up ends the following. */
  readonly #scrolled = (): void => {
    const { scrollHeight, clientHeight } = document.documentElement;
    const isAtEnd = scrollHeight - clientHeight - window.scrollY < AT_END_PX;
    this.#setFollowing(isAtEnd || (this.#isFollowing && window.scrollY >= this.#followedToPx));
  };

  readonly #resized = (): void => this.contentChanged();

  readonly #jump = (): void => {
    this.#setFollowing(true);
    this.#scrollToEnd();
  };

  #setFollowing(isFollowing: boolean): void {
    this.#isFollowing = isFollowing;
    this.#button.hidden = isFollowing;
    document.documentElement.classList.toggle('following', isFollowing);
  }
}
