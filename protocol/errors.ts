/**
 * The one error base of the project. Match on `code`, never on the message.
 * Over process and network edges an error travels as `{ code, message, retryable }`.
 */
export class CaptionError extends Error {
  /** Stable, snake_case, documented in the README's error table. */
  readonly code: string;
  /** True when the same call may succeed later without anything being changed. */
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CaptionError';
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** The text of anything that was thrown. */
export const errorMessage = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);
