/**
 * Entry of the thread that looks which phrases of vocabularies a model can write: `VocabularyCheck` is its other end. A
 * vocabulary costs milliseconds, and on the gateway's own thread everybody's captions would wait for them.
 */
import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { parseTokens } from './models/tokens.js';
import type { VocabularyAnswer, VocabularyFiles, VocabularyQuestion } from './vocabulary-check.js';
import { HotwordCompiler } from './zipformer/hotword-compiler.js';

const { tokens, bpeVocab } = workerData as VocabularyFiles;
const compiler = HotwordCompiler.of(
  await readFile(bpeVocab, 'utf8'),
  parseTokens(await readFile(tokens, 'utf8'), tokens),
);

parentPort?.on('message', ({ id, phrases }: VocabularyQuestion) => {
  const answer: VocabularyAnswer = { id, unwritable: compiler.unwritable(phrases) };
  parentPort?.postMessage(answer);
});
