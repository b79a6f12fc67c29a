import { CaptionError, errorMessage } from '../../protocol/index.js';
import type { InferenceSession } from '../onnx-runtime.js';
import { readOnnxMetadata } from '../models/onnx-file.js';
import { parseTokens } from '../models/tokens.js';
import { Encoder } from './encoder.js';
import { ModelRefused, positiveInteger } from './encoder-shape.js';
import { readTextFile } from '../text-file.js';
import { HotwordCompiler } from './hotword-compiler.js';
import { Joiner } from './joiner.js';
import { loadEncoderCached } from './graph-cache.js';
import type { LoadedEncoder } from './load-encoder.js';
import { loadJoiner } from './load-joiner.js';
import { Predictor } from './predictor.js';
import { Sessions } from './sessions.js';
import { BLANK_ID } from './token-scorer.js';

export interface ZipformerFiles {
  readonly encoder: string;
  readonly decoder: string;
  readonly joiner: string;
  readonly tokens: string;
  /** Pieces and their scores; without it no phrases can be favoured. */
  readonly bpeVocab?: string;
  /** Folder in which rewritten graphs are kept; without it they are rewritten at every start. */
  readonly graphCacheDir?: string;
}

/** A model ready to run. The owner closes it. */
export interface ZipformerModel {
  readonly encoder: Encoder;
  readonly predictor: Predictor;
  readonly joiner: Joiner;
  /** Texts of the tokens by id; a leading space begins a word. */
  readonly tokenTexts: readonly string[];
  readonly unknownId: number | undefined;
  /** Makes phrases to favour for this model; undefined without `bpeVocab`. */
  readonly hotwords: HotwordCompiler | undefined;
  /** What one stream says does not depend on the others in its call. */
  readonly isBatchIndependent: boolean;
  close(): Promise<void>;
}

/** SentencePiece marks the beginning of a word with this character. */
const WORD_START = '\u2581';
const UNKNOWN = '<unk>';
/** Pieces of a vocabulary with byte fallback: several of them make one character. */
const BYTE_PIECE = /^<0x[0-9A-Fa-f]{2}>$/;

/**
 * Loads the files. Errors: `ModelRefused` for what this engine or its onnxruntime cannot run, CaptionError `model_incomplete`
 * and `model_damaged` for files that are no model, and the file system's.
 */
export async function loadZipformerModel(files: ZipformerFiles, threads: number): Promise<ZipformerModel> {
  const [encoderMetadata, decoderMetadata, tokens, bpeVocab] = await Promise.all([
    readOnnxMetadata(files.encoder),
    readOnnxMetadata(files.decoder),
    readTextFile(files.tokens),
    files.bpeVocab === undefined ? undefined : readTextFile(files.bpeVocab),
  ]);
  const pieces = parseTokens(tokens, files.tokens);
  checkVocabulary(pieces, files.tokens);
  const sessions = new Sessions(threads);
  const close = (): Promise<void> => sessions.close();
  try {
    const load = (isGuarded: boolean): Promise<LoadedEncoder> =>
      loadEncoderCached({
        path: files.encoder,
        metadata: encoderMetadata,
        sessions,
        cacheDir: files.graphCacheDir,
        isGuarded,
      });
    const loaded = await load(false);
    const openGuarded = async (): Promise<InferenceSession> => {
      const { session } = await load(true);
      await sessions.release(loaded.session);
      return session;
    };
    const encoder = await Encoder.create({
      ...loaded,
      openGuarded: loaded.mayOverflow ? openGuarded : undefined,
    });
    const predictor = await Predictor.create(
      await sessions.open(files.decoder),
      positiveInteger(decoderMetadata, 'context_size'),
    );
    if (predictor.width !== encoder.outputWidth) {
      throw new ModelRefused(
        `encoder and decoder do not belong together: rows of ${encoder.outputWidth} and of ${predictor.width}`,
      );
    }
    const { width } = predictor;
    const { session, isBatchable } = await loadJoiner(files.joiner, { width, sessions });
    const joiner = await Joiner.create(session, { width, isBatchable });
    if (pieces.length < joiner.vocabularySize) {
      throw new ModelRefused(
        `${files.tokens} has ${pieces.length} tokens and the model needs ${joiner.vocabularySize}: they do not belong together`,
      );
    }
    const unknownId = pieces.indexOf(UNKNOWN);
    return {
      encoder,
      predictor,
      joiner,
      tokenTexts: pieces.map((piece) => piece.replaceAll(WORD_START, ' ')),
      unknownId: unknownId === -1 ? undefined : unknownId,
      hotwords: bpeVocab === undefined ? undefined : HotwordCompiler.of(bpeVocab, pieces),
      isBatchIndependent: loaded.isBatchIndependent,
      close,
    };
  } catch (error) {
    await close();
    if (error instanceof CaptionError || error instanceof ModelRefused) throw error;
    throw new ModelRefused(`onnxruntime does not run it: ${errorMessage(error)}`);
  }
}

function checkVocabulary(pieces: readonly string[], path: string): void {
  const blank = pieces[BLANK_ID];
  if (blank === undefined || !/^<(?:blk|blank|eps|s)>$/i.test(blank))
    throw new ModelRefused(`${path} begins with "${String(blank)}" and not with the blank`);
  if (pieces.some((piece) => BYTE_PIECE.test(piece)))
    throw new ModelRefused('its vocabulary has single bytes, which this engine does not put together');
}
