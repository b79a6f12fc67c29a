/** Shows how far an installation is: a bar that is redrawn on a terminal, a line now and then elsewhere. */
import type { InstallPhase, InstallProgress } from '../../asr/models/index.js';
import { terminalLine } from '../terminal-text.js';
import { formatMegabytes } from './models-table.js';

const BAR_WIDTH = 30;
/** Off a terminal one line is written for every tenth, and where the size is unknown for every 50 MB. */
const LINE_EVERY_PERCENT = 10;
const LINE_EVERY_BYTES = 50_000_000;

const CARRIAGE_RETURN_AND_CLEAR = '\r\x1b[K';

export interface InstallProgressDisplayOptions {
  readonly output: NodeJS.WritableStream;
  readonly isTty: boolean;
  /** Stands before every line. */
  readonly label: string;
}

export class InstallProgressDisplay {
  readonly #options: InstallProgressDisplayOptions;
  #lastPhase: InstallPhase | undefined;
  #lastStep = -1;
  #lastLine = '';

  constructor(options: InstallProgressDisplayOptions) {
    this.#options = options;
  }

  show(progress: InstallProgress): void {
    if (this.#options.isTty) this.#redraw(progress);
    else this.#writeLine(progress);
  }

  /** Leaves the cursor at the beginning of a line. */
  close(): void {
    if (this.#options.isTty && this.#lastLine !== '') this.#options.output.write('\n');
    this.#lastLine = '';
  }

  #redraw(progress: InstallProgress): void {
    const line = this.#line(progress, bar(fraction(progress)));
    if (line === this.#lastLine) return;
    this.#lastLine = line;
    this.#options.output.write(CARRIAGE_RETURN_AND_CLEAR + line);
  }

  #writeLine(progress: InstallProgress): void {
    const done = fraction(progress);
    const step =
      done === undefined
        ? Math.floor(progress.doneBytes / LINE_EVERY_BYTES)
        : Math.floor((done * 100) / LINE_EVERY_PERCENT);
    if (progress.phase === this.#lastPhase && step <= this.#lastStep) return;
    this.#lastPhase = progress.phase;
    this.#lastStep = step;
    this.#options.output.write(`${this.#line(progress, '')}\n`);
  }

  #line(progress: InstallProgress, drawn: string): string {
    const parts = [
      `${terminalLine(this.#options.label)}:`,
      PHASE_TEXTS[progress.phase],
      drawn,
      amount(progress),
    ];
    return parts.filter((part) => part !== '').join(' ');
  }
}

const PHASE_TEXTS: Readonly<Record<InstallPhase, string>> = {
  waiting: 'waiting for another process that installs it',
  downloading: 'downloading',
  checking: 'checking',
  unpacking: 'unpacking',
};

function amount(progress: InstallProgress): string {
  if (progress.phase === 'waiting' || progress.phase === 'checking') return '';
  const done = fraction(progress);
  if (done === undefined || progress.totalBytes === undefined) return formatMegabytes(progress.doneBytes);
  return `${Math.floor(done * 100)} % of ${formatMegabytes(progress.totalBytes)}`;
}

function bar(done: number | undefined): string {
  if (done === undefined) return '';
  const filled = Math.floor(done * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`;
}

const fraction = ({ doneBytes, totalBytes }: InstallProgress): number | undefined =>
  totalBytes === undefined || totalBytes === 0 ? undefined : Math.min(1, doneBytes / totalBytes);
