import { readFile } from 'node:fs/promises';
import { InferenceSession } from '../onnx-runtime.js';
import { readOnnxMetadata } from '../models/onnx-file.js';
import { parseTokens } from '../models/tokens.js';
import { Encoder } from './encoder.js';
import { describeEncoder, ModelRefused, positiveInteger } from './encoder-shape.js';
import { BLANK_ID } from './greedy-search.js';
import { Joiner } from './joiner.js';
import { loadJoiner } from './load-joiner.js';
import { Predictor } from './predictor.js';

export interface ZipformerFiles {
  readonly encoder: string;
  readonly decoder: string;
  readonly joiner: string;
  readonly tokens: string;
}

/** A model ready to run. The owner closes it. */
export interface ZipformerModel {
  readonly encoder: Encoder;
  readonly predictor: Predictor;
  readonly joiner: Joiner;
  /** Texts of the tokens by id; a leading space begins a word. */
  readonly tokenTexts: readonly string[];
  readonly unknownId: number | undefined;
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
 * Loads the four files. Errors: `ModelRefused` for what this engine cannot run, CaptionError `model_incomplete` and
 * `model_damaged` for files that are no model, and onnxruntime's own.
 */
export async function loadZipformerModel(files: ZipformerFiles, threads: number): Promise<ZipformerModel> {
  const [encoderMetadata, decoderMetadata, tokens] = await Promise.all([
    readOnnxMetadata(files.encoder),
    readOnnxMetadata(files.decoder),
    readFile(files.tokens, 'utf8'),
  ]);
  const pieces = parseTokens(tokens, files.tokens);
  checkVocabulary(pieces, files.tokens);
  const options = sessionOptions(threads);
  const sessions: InferenceSession[] = [];
  const open = async (model: string | Uint8Array): Promise<InferenceSession> => {
    const session = await openSession(model, options);
    sessions.push(session);
    return session;
  };
  const close = async (): Promise<void> => {
    await Promise.all(sessions.splice(0).map((session) => session.release()));
  };
  try {
    const encoderSession = await open(files.encoder);
    const { inputMetadata, outputMetadata } = encoderSession;
    const shape = describeEncoder({
      metadata: encoderMetadata,
      inputs: inputMetadata,
      outputs: outputMetadata,
    });
    const encoder = await Encoder.create(encoderSession, shape);
    const predictor = await Predictor.create(
      await open(files.decoder),
      positiveInteger(decoderMetadata, 'context_size'),
    );
    if (predictor.width !== encoder.outputWidth) {
      throw new ModelRefused(
        `encoder and decoder do not belong together: rows of ${encoder.outputWidth} and of ${predictor.width}`,
      );
    }
    const { bytes, isBatchable } = await loadJoiner(files.joiner);
    const joiner = await Joiner.create(await open(bytes), { width: predictor.width, isBatchable });
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
      isBatchIndependent: isBatchable,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function checkVocabulary(pieces: readonly string[], path: string): void {
  const blank = pieces[BLANK_ID];
  if (blank === undefined || !/^<(?:blk|blank|eps|s)>$/i.test(blank))
    throw new ModelRefused(`${path} begins with "${String(blank)}" and not with the blank`);
  if (pieces.some((piece) => BYTE_PIECE.test(piece)))
    throw new ModelRefused('its vocabulary has single bytes, which this engine does not put together');
}

const sessionOptions = (threads: number): InferenceSession.SessionOptions => ({
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  // Patterns and arenas are kept for every batch size seen.
  enableMemPattern: false,
  // Errors only: what is wrong is thrown, too.
  logSeverityLevel: 3,
});

/** Other ways of opening differ in their types only. */
const openSession = (
  model: string | Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> =>
  typeof model === 'string'
    ? InferenceSession.create(model, options)
    : InferenceSession.create(model, options);
