import { checkOnnxFile } from '../models/onnx-file.js';
import { ModelRefused } from '../zipformer/encoder-shape.js';
import { ZipformerRecogniser } from '../zipformer/zipformer-recogniser.js';
import type { BatchRecogniser } from './batch-recogniser.js';
import type { RecogniserConfig } from './messages.js';
import { createPunctuation } from './sherpa/punctuation.js';
import { createSherpaRecogniser } from './sherpa/sherpa-recogniser.js';

export interface CreatedRecogniser {
  readonly engine: 'zipformer' | 'sherpa';
  readonly recogniser: BatchRecogniser;
  /** Why it is sherpa, where `auto` would have preferred our own. */
  readonly refusal?: string;
}

/**
 * Errors: `ModelRefused` when the engine asked for cannot run the model; CaptionError `model_incomplete`, `model_damaged` for
 * files that are no model. With `auto` the first goes to sherpa-onnx, and the second does not: it would end the process.
 */
export async function createRecogniser(
  config: RecogniserConfig,
  refused: (reason: string) => void = () => undefined,
): Promise<CreatedRecogniser> {
  // Whatever loads it next would end the process, or say little.
  for (const path of [config.encoder, config.decoder, config.joiner]) await checkOnnxFile(path);
  if (config.engine === 'sherpa') return { engine: 'sherpa', recogniser: createSherpaRecogniser(config) };
  const { encoder, decoder, joiner, tokens, bpeVocab, graphCacheDir, threads } = config;
  const punctuate = createPunctuation(config);
  try {
    const recogniser = await ZipformerRecogniser.create({
      files: {
        encoder,
        decoder,
        joiner,
        tokens,
        ...(bpeVocab === undefined ? {} : { bpeVocab }),
        ...(graphCacheDir === undefined ? {} : { graphCacheDir }),
      },
      threads,
      ...(punctuate === undefined ? {} : { punctuate }),
    });
    return { engine: 'zipformer', recogniser };
  } catch (error) {
    if (config.engine === 'zipformer' || !(error instanceof ModelRefused)) throw error;
    refused(error.message);
    return { engine: 'sherpa', recogniser: createSherpaRecogniser(config), refusal: error.message };
  }
}
