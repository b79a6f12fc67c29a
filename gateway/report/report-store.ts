/** Where lines of the report are kept. What is read from it may be read in another thread. */
export type ReportSource =
  /** Files of one folder, and lines that are in none of them yet. */
  | { readonly kind: 'folder'; readonly dir: string; readonly lines: readonly string[] }
  | { readonly kind: 'lines'; readonly lines: readonly string[] };

export interface ReportStore {
  /** Takes whole lines of one minute; never throws, never blocks. */
  append(lines: readonly string[], minuteMs: number): void;
  /** Whether nothing has been kept yet of the hour in which the minute lies. */
  begins(minuteMs: number): boolean;
  /** Everything that is kept. */
  source(): Promise<ReportSource>;
  /** Resolves when everything is with the system, or cannot be. Idempotent. */
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
export const hourOf = (epochMs: number): number => Math.floor(epochMs / HOUR_MS) * HOUR_MS;

/** For gateways that write nothing to disk: the newest lines, up to a bound; the oldest go. */
export class ReportMemory implements ReportStore {
  readonly #maxChars: number;
  #lines: string[] = [];
  #chars = 0;
  #hourMs = -Infinity;

  constructor(options: { maxChars: number }) {
    this.#maxChars = options.maxChars;
  }

  append(lines: readonly string[], minuteMs: number): void {
    this.#hourMs = Math.max(this.#hourMs, hourOf(minuteMs));
    this.#lines.push(...lines);
    this.#chars += lines.reduce((sum, { length }) => sum + length, 0);
    let first = 0;
    for (; this.#chars > this.#maxChars && first < this.#lines.length; first++)
      this.#chars -= this.#lines[first]?.length ?? 0;
    if (first > 0) this.#lines = this.#lines.slice(first);
  }

  begins(minuteMs: number): boolean {
    return hourOf(minuteMs) > this.#hourMs;
  }

  source(): Promise<ReportSource> {
    return Promise.resolve({ kind: 'lines', lines: [...this.#lines] });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
