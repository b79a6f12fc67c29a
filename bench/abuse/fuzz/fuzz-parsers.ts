/** Hostile input for the parsers of `protocol/`: they throw CaptionError and nothing else. */
import type * as Protocol from '../../../protocol/index.js';
import { hostileBytes, hostileText } from './hostile-text.js';
import { SeededRandom } from './random.js';
import { CAPTION_MESSAGES, CAPTIONER_MESSAGES, INGEST_MESSAGES } from './valid-messages.js';

export interface ParserFigures {
  readonly inputs: number;
  readonly accepted: number;
  /** How often which code refused. */
  readonly refused: Readonly<Record<string, number>>;
  /** Inputs that made something else than CaptionError, with what it was. */
  readonly failures: readonly string[];
}

type Parsers = Pick<
  typeof Protocol,
  | 'decodeMessage'
  | 'decodeIngestMessage'
  | 'decodeCaptionerMessage'
  | 'decodeCaptionerAnswer'
  | 'encodeMessage'
>;

export function fuzzParsers(
  protocol: Parsers,
  options: { readonly inputs: number; readonly seed: number },
): ParserFigures {
  const random = new SeededRandom(options.seed);
  const refused = new Map<string, number>();
  const failures: string[] = [];
  let accepted = 0;
  const parsers: readonly (() => void)[] = [
    () => {
      const message = protocol.decodeMessage(hostileBytes(random, CAPTION_MESSAGES));
      // What was taken can be sent on.
      if (message !== undefined) protocol.encodeMessage(message);
    },
    () => protocol.decodeIngestMessage(hostileText(random, INGEST_MESSAGES)),
    () => protocol.decodeCaptionerMessage(hostileText(random, CAPTIONER_MESSAGES)),
    () => protocol.decodeCaptionerAnswer(hostileText(random, CAPTIONER_MESSAGES)),
  ];
  for (let input = 0; input < options.inputs; input += 1) {
    try {
      parsers[input % parsers.length]?.();
      accepted += 1;
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) failures.push(`input ${input} of seed ${options.seed}: ${String(error)}`);
      else refused.set(code, (refused.get(code) ?? 0) + 1);
    }
  }
  return { inputs: options.inputs, accepted, refused: Object.fromEntries(refused), failures };
}

/** By its form: the parsers may be those of another build, whose class is another one. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && 'retryable' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
