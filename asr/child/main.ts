/** Entry of a recogniser child. Wiring only: the contract is in `messages.ts`, the decisions in `decode-scheduler.ts`. */
import { performance } from 'node:perf_hooks';
import { errorMessage } from '../../protocol/index.js';
import { FloatScratch } from '../audio/audio-frame.js';
import { createRecogniser } from './create-recogniser.js';
import { DecodeScheduler } from './decode-scheduler.js';
import {
  CHILD_EXIT,
  CHILD_PROTOCOL_VERSION,
  type FromChild,
  ORPHAN_TIMEOUT_MS,
  type ToChild,
} from './messages.js';

let scheduler: DecodeScheduler | undefined;
let isDecoding = false;
let gatherTimer: NodeJS.Timeout | undefined;
/** Audio on its way into a stream: its own memory for each piece would be most of what is left to the garbage collector. */
const scratch = new FloatScratch();
/** States to tell when the call under way has ended. */
const savesAsked: Extract<ToChild, { kind: 'save' }>[] = [];

function tellParent(message: FromChild): void {
  process.send?.(message);
}

function endWith(exitCode: number, reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(exitCode);
}

async function configure(message: Extract<ToChild, { kind: 'configure' }>): Promise<void> {
  if (message.version !== CHILD_PROTOCOL_VERSION) {
    endWith(
      CHILD_EXIT.versionMismatch,
      `child speaks version ${CHILD_PROTOCOL_VERSION}, parent version ${message.version}`,
    );
  }
  const startedAt = performance.now();
  try {
    const { recogniser, engine, refusal } = await createRecogniser(message.recogniser, (reason) =>
      // For when sherpa-onnx ends the process.
      process.stderr.write(`our own engine refuses the model: ${reason}\n`),
    );
    scheduler = new DecodeScheduler({
      recogniser,
      decodeCallBudgetMs: message.decodeCallBudgetMs,
      changedWordsAllowed: message.recogniser.changedWordsAllowed,
      now: () => performance.now(),
    });
    const loadMs = performance.now() - startedAt;
    // Loading holds the thread up, on a slow machine for long: what the parent said meanwhile is still to be read.
    orphanTimer.refresh();
    const { savesStreams } = scheduler;
    tellParent({
      kind: 'ready',
      loadMs,
      engine,
      savesStreams,
      ...(refusal === undefined ? {} : { refusal }),
    });
  } catch (error) {
    endWith(CHILD_EXIT.configurationRefused, `the recogniser refused its model: ${errorMessage(error)}`);
  }
}

/** Decodes what is ready, at once or when a larger batch has gathered; with nothing ready, looks ahead. */
function decodeSoon(): void {
  if (isDecoding || scheduler === undefined) return;
  if (!scheduler.hasWork) {
    if (scheduler.hasSpeculation) decodeInNextTurn();
    return;
  }
  if (scheduler.gatherMs === 0) decodeInNextTurn();
  else gatherTimer ??= setTimeout(decodeInNextTurn, scheduler.gatherMs);
}

/** One call per turn of the event loop, so that audio, pings and cancellations get through between calls. */
function decodeInNextTurn(): void {
  clearTimeout(gatherTimer);
  gatherTimer = undefined;
  isDecoding = true;
  setImmediate(() => void decode());
}

/** What goes wrong in here ends the process: see `uncaughtException`. */
async function decode(): Promise<void> {
  const call = scheduler?.hasWork === true ? await scheduler.decodeOnce() : await scheduler?.speculateOnce();
  if (call !== undefined) tellParent({ kind: 'decoded', ...call });
  isDecoding = false;
  tellStates();
  decodeSoon();
}

function tellStates(): void {
  for (const { utterance, isLeaving } of savesAsked.splice(0)) {
    const saved = scheduler?.save(utterance);
    if (saved !== undefined && isLeaving) scheduler?.cancel(utterance);
    tellParent({ kind: 'saved', utterance, ...(saved === undefined ? {} : { saved }) });
  }
}

/** Runs `action` for one utterance; what goes wrong there ends that utterance only. */
function forUtterance(utterance: number, action: (scheduler: DecodeScheduler) => void): void {
  if (scheduler === undefined) return;
  try {
    action(scheduler);
  } catch (error) {
    scheduler.cancel(utterance);
    tellParent({
      kind: 'utteranceFailed',
      utterance,
      code: 'recogniser_failed',
      message: errorMessage(error),
    });
  }
}

function handle(message: ToChild): void {
  switch (message.kind) {
    case 'configure':
      void configure(message);
      return;
    case 'open':
      forUtterance(message.utterance, (opening) => opening.open(message.utterance, message));
      decodeSoon();
      return;
    case 'audio':
      for (const { utterance, pcm } of message.pieces) {
        forUtterance(utterance, (accepting) => accepting.accept(utterance, scratch.samplesOf(pcm)));
      }
      decodeSoon();
      return;
    case 'vocabulary':
      forUtterance(message.utterance, (open) => open.setVocabulary(message.utterance, message.change));
      return;
    case 'finish':
      forUtterance(message.utterance, (finishing) => finishing.finish(message.utterance));
      decodeSoon();
      return;
    case 'save':
      savesAsked.push(message);
      if (!isDecoding) tellStates();
      return;
    case 'cancel':
      scheduler?.cancel(message.utterance);
      return;
    case 'ping':
      tellParent({ kind: 'pong', id: message.id });
      return;
    case 'shutdown':
      process.exit(CHILD_EXIT.asked);
  }
}

// The parent decides when a child ends; a terminal's Ctrl-C reaches the whole process group.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit(CHILD_EXIT.orphaned));
process.on('uncaughtException', (error) => endWith(CHILD_EXIT.internalError, error.stack ?? error.message));

const orphanTimer = setTimeout(
  () => endWith(CHILD_EXIT.orphaned, `no message from the parent for ${ORPHAN_TIMEOUT_MS} ms`),
  ORPHAN_TIMEOUT_MS,
);
process.on('message', (message: ToChild) => {
  orphanTimer.refresh();
  handle(message);
});
tellParent({ kind: 'hello', version: CHILD_PROTOCOL_VERSION });
