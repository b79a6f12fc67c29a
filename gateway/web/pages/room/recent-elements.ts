/** The newest elements of a kind, by key. The oldest is taken from the page when there are too many. */
export class RecentElements {
  readonly #elements = new Map<string, Element>();
  readonly #limit: number;

  /** Keeps at most `limit` elements. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  has(key: string): boolean {
    return this.#elements.has(key);
  }

  add(key: string, element: Element): void {
    this.#elements.set(key, element);
    if (this.#elements.size <= this.#limit) return;
    // A Map gives its keys in the order in which they were added.
    for (const [oldest, surplus] of this.#elements) {
      surplus.remove();
      this.#elements.delete(oldest);
      return;
    }
  }
}
