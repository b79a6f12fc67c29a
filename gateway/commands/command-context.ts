import type { CaptionError } from '../../protocol/index.js';
import type { Environment } from '../config/environment.js';
import type { Logger } from '../log.js';
import { terminalText } from '../terminal-text.js';

/** What every command is given by the entry. */
export interface CommandContext {
  readonly environment: Environment;
  /** Results, and nothing else. */
  readonly stdout: NodeJS.WriteStream;
  /** Progress, remarks and logs. */
  readonly stderr: NodeJS.WriteStream;
  readonly log: Logger;
  /** Aborted by SIGINT and SIGTERM, and by `giveUp`. */
  readonly signal: AbortSignal;
  /** Ends the command as a signal does, but with this error. */
  readonly giveUp: (error: CaptionError) => void;
}

/** Nothing in it is obeyed by a terminal. */
export const jsonDocument = (value: unknown): string => terminalText(JSON.stringify(value, null, 2));

/** Prints the one JSON document of `--json`. */
export function printJson(context: CommandContext, value: unknown): void {
  context.stdout.write(`${jsonDocument(value)}\n`);
}
