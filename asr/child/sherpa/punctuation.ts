import type { RecogniserConfig } from '../messages.js';
import { loadAddon } from './sherpa-addon.js';

/** Case and punctuation for finished texts; undefined where no such model is configured. */
export function createPunctuation({
  punctuationModel,
}: Pick<RecogniserConfig, 'punctuationModel'>): ((text: string) => string) | undefined {
  if (punctuationModel === undefined) return undefined;
  const addon = loadAddon();
  const punctuation = new addon.OnlinePunctuation({
    model: {
      cnnBilstm: punctuationModel.model,
      bpeVocab: punctuationModel.bpeVocab,
      numThreads: 1,
      debug: 0,
      provider: 'cpu',
    },
  });
  return (text) => punctuation.addPunct(text.toLowerCase());
}
