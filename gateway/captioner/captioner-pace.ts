import { CaptionError } from '../../protocol/index.js';
import type { RateLimit } from '../bounds/rate-limit.js';

/** One more message of a captioner. Throws CaptionError `captioner_too_fast`. */
export function takeMessage(limit: RateLimit): void {
  if (limit.tryTake()) return;
  throw new CaptionError('captioner_too_fast', 'More messages than anybody can read; slow down.', {
    retryable: true,
  });
}
