/**
 * A stream as bytes, for another process or another machine that runs the same model: what it has heard, and the audio that is
 * not decoded yet. Its vocabulary is not in it; whoever opens it again gives it once more.
 */
import { deserialize, serialize } from 'node:v8';
import type { SavedFeatureWindow } from './feature-window.js';
import type { SavedSearch } from './search.js';

/** Counts up when anything in it changes. */
const FORMAT = 1;

export interface SavedStream {
  readonly format: typeof FORMAT;
  readonly firstSample: number;
  readonly acceptedSamples: number;
  readonly decodedChunks: number;
  readonly encoderFloats: Float32Array;
  readonly encoderIntegers: BigInt64Array;
  readonly features: SavedFeatureWindow;
  readonly search: SavedSearch;
}

export const encodeStream = (stream: Omit<SavedStream, 'format'>): Uint8Array =>
  serialize({ format: FORMAT, ...stream });

/** Throws on bytes that are no stream of this format. */
export function decodeStream(bytes: Uint8Array): SavedStream {
  const stream: unknown = deserialize(bytes);
  if (isSavedStream(stream)) return stream;
  throw new Error('this is no saved stream of this version');
}

function isSavedStream(value: unknown): value is SavedStream {
  if (!isRecord(value) || value['format'] !== FORMAT) return false;
  const { features, search } = value;
  return (
    ['firstSample', 'acceptedSamples', 'decodedChunks'].every((key) => Number.isSafeInteger(value[key])) &&
    value['encoderFloats'] instanceof Float32Array &&
    value['encoderIntegers'] instanceof BigInt64Array &&
    isRecord(features) &&
    features['frames'] instanceof Float32Array &&
    features['samples'] instanceof Float32Array &&
    typeof features['hasEdge'] === 'boolean' &&
    isRecord(search) &&
    Array.isArray(search['settled']) &&
    Array.isArray(search['hypotheses']) &&
    typeof search['trailingBlankFrames'] === 'number'
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
