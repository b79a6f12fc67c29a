/**
 * Entry of the thread that looks which phrases of vocabularies a model can write: `VocabularyCheck` is its other end. A
 * vocabulary costs milliseconds, and on the gateway's own thread everybody's captions would wait for them.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { parseTokens } from './models/tokens.js';
import { readTextFile } from './text-file.js';
import type { VocabularyAnswer, VocabularyFiles, VocabularyQuestion } from './vocabulary-check.js';
import { HotwordCompiler } from './zipformer/hotword-compiler.js';

const { tokens, bpeVocab } = workerData as VocabularyFiles;
const compiler = HotwordCompiler.of(
  await readTextFile(bpeVocab),
  parseTokens(await readTextFile(tokens), tokens),
);

parentPort?.on('message', ({ id, phrases }: VocabularyQuestion) => {
  const answer: VocabularyAnswer = { id, unwritable: compiler.unwritable(phrases) };
  parentPort?.postMessage(answer);
});
