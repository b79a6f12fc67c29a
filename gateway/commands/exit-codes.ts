import { CommanderError } from 'commander';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { terminalText } from '../terminal-text.js';

/** Exit codes of the program; see the README. */
export const EXIT = {
  good: 0,
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** No usable model. */
  model: 3,
  /** A server could not be reached. */
  unreachable: 4,
} as const;

const BY_CODE: Readonly<Record<string, number>> = {
  vocabulary_invalid: EXIT.usage,
  file_not_found: EXIT.usage,
  language_unsupported: EXIT.usage,
  recogniser_refused: EXIT.model,
  download_failed: EXIT.unreachable,
  // A disk that is full or busy is no missing model.
  model_store_failed: EXIT.failed,
  model_locked: EXIT.failed,
  livekit_unreachable: EXIT.unreachable,
  gateway_unreachable: EXIT.unreachable,
  unauthorised: EXIT.usage,
  forbidden: EXIT.usage,
  report_off: EXIT.usage,
  livekit_unauthorised: EXIT.usage,
  livekit_url_invalid: EXIT.usage,
};

const BY_PREFIX: readonly (readonly [string, number])[] = [
  ['usage_', EXIT.usage],
  ['config_', EXIT.usage],
  ['wav_', EXIT.usage],
  ['model_', EXIT.model],
  ['server_', EXIT.unreachable],
];

/** The exit code for an error of this code. */
export function exitCodeOf(errorCode: string): number {
  const byPrefix = BY_PREFIX.find(([prefix]) => errorCode.startsWith(prefix));
  return BY_CODE[errorCode] ?? byPrefix?.[1] ?? EXIT.failed;
}

/**
 * The exit code that `work` resolves with. Where nothing is left that could go on and `work` has not settled, the program ends
 * as failed and says so: it has not done what it was asked for.
 */
export async function exitCodeOnceSettled(work: Promise<number>, program: string): Promise<number> {
  const nothingLeft = (): void => {
    process.exitCode = EXIT.failed;
    process.stderr.write(
      `${program}: internal_error: The program stopped before it was done. Please report it.\n`,
    );
  };
  process.once('beforeExit', nothingLeft);
  try {
    return await work;
  } finally {
    process.off('beforeExit', nothingLeft);
  }
}

/** Says on standard error what ended `program`, and gives the exit code for it. An error that is none of ours brings its stack. */
export function reportFailure(error: unknown, program: string): number {
  // Commander has said it already; asking for help is no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.good : EXIT.usage;
  const code = error instanceof CaptionError ? error.code : 'internal_error';
  process.stderr.write(`${program}: ${code}: ${terminalText(errorMessage(error))}\n`);
  if (!(error instanceof CaptionError) && error instanceof Error)
    process.stderr.write(`${terminalText(error.stack ?? '')}\n`);
  return exitCodeOf(code);
}
