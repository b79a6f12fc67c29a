/** Recognition that is so far behind what is said, at two looks in a row, is late, … */
const LATE_FROM_MS = 2000;
/** … and keeps up again when it is no further behind than this, at two looks in a row. */
const PUNCTUAL_BELOW_MS = 1000;
const LOOKS = 2;

/** Whether recognition keeps up with what is said: told how far behind it is at each look, about once a second. */
export class Lateness {
  #isLate = false;
  /** Looks in a row that spoke for the other verdict. */
  #against = 0;

  get isLate(): boolean {
    return this.#isLate;
  }

  look(behindMs: number): void {
    const speaksAgainst = this.#isLate ? behindMs < PUNCTUAL_BELOW_MS : behindMs >= LATE_FROM_MS;
    this.#against = speaksAgainst ? this.#against + 1 : 0;
    if (this.#against < LOOKS) return;
    this.#isLate = !this.#isLate;
    this.#against = 0;
  }
}
