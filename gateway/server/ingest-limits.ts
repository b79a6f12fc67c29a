import { CaptionError, KEPT_AUDIO_MS } from '../../protocol/index.js';
import { MessageLimit } from '../bounds/message-limit.js';
import { RateLimit } from '../bounds/rate-limit.js';

/** A browser's audio worklet makes 375 blocks a second at most, and some senders send each. */
const FRAMES_PER_SECOND = 500;
const TEXTS = { messages: { burst: 60, perSecond: 10 }, bytes: { burst: 1_000_000, perSecond: 100_000 } };
/** A client whose stream ends again and again opens some four a second. */
const HELLOS = { burst: 40, perSecond: 4 };

/** How many messages one speaker may send; how much audio is `AudioPace`'s business. */
export interface IngestLimits {
  readonly isAtRest: boolean;
  /** Throws CaptionError `messages_too_fast`. */
  takeHello(): void;
  /** Throws CaptionError `messages_too_fast`. */
  take(bytes: number, isBinary: boolean): void;
}

/** `maxAheadMs`: of audio, which may come in as many frames as any other. */
export function ingestLimits(maxAheadMs: number): IngestLimits {
  const burst = ((maxAheadMs + KEPT_AUDIO_MS) / 1000) * FRAMES_PER_SECOND;
  const frames = new RateLimit({ burst, perSecond: FRAMES_PER_SECOND });
  const texts = new MessageLimit(TEXTS);
  const hellos = new RateLimit(HELLOS);
  return {
    get isAtRest() {
      return frames.isAtRest && texts.isAtRest && hellos.isAtRest;
    },
    takeHello() {
      if (!hellos.tryTake()) throw tooFast('This speaker says hello too often; wait a moment.');
    },
    take(bytes, isBinary) {
      if (!isBinary) texts.take(bytes);
      else if (!frames.tryTake())
        throw tooFast(`More than ${FRAMES_PER_SECOND} frames a second; send more audio in each.`);
    },
  };
}

const tooFast = (message: string): CaptionError =>
  new CaptionError('messages_too_fast', message, { retryable: true });
