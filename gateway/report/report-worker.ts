/** Entry of the report's thread: renders once, answers, ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { render, type RenderRequest } from './render-request.js';

export type RenderAnswer =
  | { readonly kind: 'rendered'; readonly body: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

const answer = await render(workerData as RenderRequest).then(
  (body): RenderAnswer => ({ kind: 'rendered', body }),
  (error: unknown): RenderAnswer => ({
    kind: 'failed',
    code: error instanceof CaptionError ? error.code : 'report_failed',
    message: errorMessage(error),
  }),
);
parentPort?.postMessage(answer);
