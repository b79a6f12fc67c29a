/**
 * A recogniser child that keeps the contract of `../child/messages.ts` with a `FakeRecogniser`, except for the one thing
 * that `configure` asks of it: see `misbehaviour()`.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { toFloat32 } from '../audio/audio-frame.js';
import { DecodeScheduler } from '../child/decode-scheduler.js';
import { CHILD_EXIT, CHILD_PROTOCOL_VERSION, type FromChild, type ToChild } from '../child/messages.js';
import { FakeRecogniser } from './fake-recogniser.js';
import { type Misbehaviour, misbehaviourOf, POISON } from './misbehaviour.js';

let wanted: Misbehaviour = { kind: 'none' };
let decodedChunks = 0;

const scheduler = new DecodeScheduler({
  recogniser: new FakeRecogniser((words) => {
    decodedChunks += words.length;
    if (wanted.kind === 'slow_decode') blockFor(words.length * wanted.chunkMs);
    const isPoisoned = wanted.kind === 'die_of_poison' && words.includes(POISON);
    const isDue = wanted.kind === 'die_while_decoding' && decodedChunks > wanted.afterChunks;
    if (isPoisoned || isDue) process.kill(process.pid, 'SIGKILL');
  }),
  decodeCallBudgetMs: 40,
  now: () => performance.now(),
});

/** Says what a child may say, and some of what it must not. */
function tell(message: FromChild | { readonly kind: 'nonsense' } | null | number): void {
  process.send?.(message);
}

/** True in the lives in which the child is to misbehave; the file has a byte for each life so far. */
function isItsTurn(lives: Misbehaviour['lives']): boolean {
  if (lives === undefined) return true;
  appendFileSync(lives.file, '.');
  return readFileSync(lives.file).length <= lives.count;
}

function blockFor(durationMs: number): void {
  const until = performance.now() + durationMs;
  while (performance.now() < until);
}

function configure(message: Extract<ToChild, { kind: 'configure' }>): void {
  const asked = misbehaviourOf(message.recogniser);
  if (isItsTurn(asked.lives)) wanted = asked;
  else if (asked.kind === 'die_while_decoding') wanted = asked.then ?? wanted;
  if (wanted.kind === 'never_ready') return;
  if (wanted.kind === 'slow_ready') blockFor(wanted.forMs);
  if (wanted.kind === 'exit_before_ready') {
    process.stderr.write('the reason\n');
    process.exit(wanted.code);
  }
  tell({ kind: 'ready', loadMs: 1, engine: 'sherpa', savesStreams: true });
  afterReady(wanted);
}

function afterReady(misbehaviour: Misbehaviour): void {
  switch (misbehaviour.kind) {
    case 'hang':
      setImmediate(() => blockFor(Infinity));
      return;
    case 'flood_messages':
      setInterval(() => {
        for (let id = 0; id < 5000; id++) tell({ kind: 'pong', id });
      }, 1);
      return;
    case 'flood_stderr':
      setInterval(() => process.stderr.write('noise '.repeat(10_000)), 1);
      return;
    case 'exit_after_ready':
      process.stderr.write('the reason\n');
      setImmediate(() => process.exit(misbehaviour.code));
      return;
    case 'say_null':
      tell(null);
      return;
    case 'say_number':
      tell(42);
      return;
    case 'say_nonsense':
      tell({ kind: 'nonsense' });
      return;
    case 'say_hello_again':
      tell({ kind: 'hello', version: CHILD_PROTOCOL_VERSION });
      return;
    default:
  }
}

let isDecoding = false;

function decodeSoon(): void {
  if (!isDecoding) setImmediate(() => void decode());
}

async function decode(): Promise<void> {
  if (isDecoding || !scheduler.hasWork || wanted.kind === 'never_decode') return;
  isDecoding = true;
  tell({ kind: 'decoded', ...(await scheduler.decodeOnce()) });
  isDecoding = false;
  tellStates();
  decodeSoon();
}

const savesAsked: Extract<ToChild, { kind: 'save' }>[] = [];

function tellStates(): void {
  for (const { utterance, isLeaving } of savesAsked.splice(0)) {
    const saved = scheduler.save(utterance);
    if (saved !== undefined && isLeaving) scheduler.cancel(utterance);
    tell({ kind: 'saved', utterance, ...(saved === undefined ? {} : { saved }) });
  }
}

function handle(message: ToChild): void {
  switch (message.kind) {
    case 'configure':
      configure(message);
      return;
    case 'open':
      scheduler.open(message.utterance, message);
      decodeSoon();
      return;
    case 'audio':
      for (const { utterance, pcm } of message.pieces) take(utterance, pcm);
      decodeSoon();
      return;
    case 'vocabulary':
      scheduler.setVocabulary(message.utterance, message.change);
      return;
    case 'finish':
      if (wanted.kind !== 'ignore_finish') scheduler.finish(message.utterance);
      decodeSoon();
      return;
    case 'save':
      savesAsked.push(message);
      if (!isDecoding) tellStates();
      return;
    case 'cancel':
      scheduler.cancel(message.utterance);
      return;
    case 'ping':
      tell({ kind: 'pong', id: message.id });
      return;
    case 'shutdown':
      if (wanted.kind !== 'ignore_shutdown') process.exit(CHILD_EXIT.asked);
  }
}

function take(utterance: number, pcm: Int16Array): void {
  if (wanted.kind === 'fail_poisoned' && pcm[0] === POISON) {
    scheduler.cancel(utterance);
    tell({ kind: 'utteranceFailed', utterance, code: 'recogniser_failed', message: 'poison' });
  } else {
    scheduler.accept(utterance, toFloat32(pcm));
  }
}

process.on('disconnect', () => process.exit(CHILD_EXIT.orphaned));
process.on('message', handle);
tell({ kind: 'hello', version: CHILD_PROTOCOL_VERSION });
