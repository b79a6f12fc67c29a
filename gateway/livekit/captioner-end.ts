import { CaptionError, errorMessage } from '../../protocol/index.js';

/** Why a captioner left its room. Closed: every case says what the worker and the watcher do next. */
export type CaptionerEnd =
  /** The last human left: the job is done. */
  | { readonly kind: 'everybody_left' }
  /** The room was deleted or closed by the server: the job is done. */
  | { readonly kind: 'room_closed' }
  /** Somebody removed the bot: not to be rejoined until the next dispatch. */
  | { readonly kind: 'removed' }
  /** Another captioner is in the room, or took over our identity: not to be rejoined while it is there. */
  | { readonly kind: 'superseded' }
  /** We were asked to stop (shutdown, termination of the job). */
  | { readonly kind: 'stopped' }
  /** It could not join, or lost the room for good. */
  | { readonly kind: 'failed'; readonly error: CaptionError };

/** For whatever was thrown. */
export const failedWith = (error: unknown): CaptionerEnd => ({
  kind: 'failed',
  error:
    error instanceof CaptionError
      ? error
      : new CaptionError('internal_error', errorMessage(error), { cause: error }),
});
