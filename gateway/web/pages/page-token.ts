import { ownerOf, type TokenOwner } from './token-owner.js';

/** `#token=` in the address, which no server logs. Undefined for none. */
const tokenInAddress = (): string | undefined =>
  new URLSearchParams(location.hash.slice(1)).get('token') ?? undefined;

/**
 * The page's access token. Another one that is put into the address takes its place where it is for the same person and room, as a
 * page does that shows this one in a frame; else the page begins anew with it.
 */
export class PageToken {
  #value = tokenInAddress();
  /** There is another one. */
  renewed: (token: string) => void = () => undefined;

  constructor() {
    window.addEventListener('hashchange', () => this.#addressChanged());
  }

  get value(): string | undefined {
    return this.#value;
  }

  /** Undefined where there is no token, or it cannot be read. */
  get owner(): TokenOwner | undefined {
    return this.#value === undefined ? undefined : ownerOf(this.#value);
  }

  #addressChanged(): void {
    const newer = tokenInAddress();
    if (newer === this.#value) return;
    const { owner } = this;
    const newOwner = newer === undefined ? undefined : ownerOf(newer);
    const isSame =
      owner !== undefined && owner.identity === newOwner?.identity && owner.room === newOwner.room;
    if (newer === undefined || !isSame) {
      location.reload();
      return;
    }
    this.#value = newer;
    this.renewed(newer);
  }
}
