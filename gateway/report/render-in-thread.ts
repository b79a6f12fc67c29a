import { Worker } from 'node:worker_threads';
import { builtModule } from '../../asr/index.js';
import { CaptionError } from '../../protocol/index.js';
import type { RenderRequest } from './render-request.js';
import type { RenderAnswer } from './report-worker.js';

/** A week of many rooms takes seconds. */
const DEADLINE_MS = 60_000;
/** Of the thread: more than a week of totals needs, and far less than the machine has. */
const MAX_HEAP_MB = 512;
/** Each takes a core while it lasts, which captions need. */
const MAX_AT_ONCE = 1;
const MAX_WAITING = 4;

/** Renders reports one after the other, each in a thread of its own, so that captions do not wait for them. */
export class ReportRenderer {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * Throws CaptionError `report_busy` (retryable) when several others wait already, `report_failed`, and what `render` throws.
   */
  async render(request: RenderRequest): Promise<string> {
    if (this.#running < MAX_AT_ONCE) {
      this.#running += 1;
    } else {
      if (this.#waiting.length >= MAX_WAITING)
        throw new CaptionError('report_busy', 'Other reports are being made; try again.', {
          retryable: true,
        });
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await renderInThread(request);
    } finally {
      const next = this.#waiting.shift();
      // Whoever waited longest takes the place.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

async function renderInThread(request: RenderRequest): Promise<string> {
  const worker = new Worker(builtModule('gateway/report/report-worker.js'), {
    workerData: request,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<RenderAnswer>((resolve, reject) => {
      const fail = (why: string, cause?: unknown): void =>
        reject(new CaptionError('report_failed', `The report could not be made: ${why}`, { cause }));
      worker.once('message', (message: RenderAnswer) => resolve(message));
      worker.once('error', (error: Error) => fail(error.message, error));
      worker.once('exit', (code) => fail(`its thread ended with ${code}`));
      timer = setTimeout(() => fail(`it took longer than ${DEADLINE_MS / 1000} s`), DEADLINE_MS);
    });
    if (answer.kind === 'failed') throw new CaptionError(answer.code, answer.message);
    return answer.body;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
