import { readFile } from 'node:fs/promises';
import { type InferenceSession, Tensor } from '../onnx-runtime.js';
import { describeEncoder, type EncoderShape, type StateTensor } from './encoder-shape.js';
import { quantisesActivations } from './graph/dequantise-products.js';
import { mergeConvolutions } from './graph/merge-convolutions.js';
import { OnnxGraph } from './graph/onnx-graph.js';
import { shortenSwooshes } from './graph/shorten-swoosh.js';
import { MEL_BINS } from './mel-filter-bank.js';
import type { Sessions } from './sessions.js';

/** How far outputs may lie apart, as a part of the largest: rounding gives some 1e-5 after two chunks. */
const TOLERANCE = 2e-4;
/** Log-mel energies of what is heard lie between these. */
const QUIETEST = -15.9;
const LOUDEST = 6;

export interface LoadEncoderOptions {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Who closes what is opened. */
  readonly sessions: Pick<Sessions, 'open' | 'release'>;
}

export interface LoadedEncoder {
  readonly session: InferenceSession;
  readonly shape: EncoderShape;
  /** What one stream's output is does not depend on the others in its call. */
  readonly isBatchIndependent: boolean;
  /** Whether the graph was rewritten; false where nothing was found to rewrite, or where the outcome was another one. */
  readonly isRewritten: boolean;
}

/**
 * Opens an encoder, its graph rewritten to run faster if two chunks through both graphs give the same. Encoders that quantise
 * their activations stay as they are: there the least difference in rounding shows, so nothing can be compared.
 * Throws `ModelRefused` as `describeEncoder`.
 */
export async function loadEncoder({ path, metadata, sessions }: LoadEncoderOptions): Promise<LoadedEncoder> {
  const session = await sessions.open(path);
  const { inputMetadata, outputMetadata } = session;
  const shape = describeEncoder({ metadata, inputs: inputMetadata, outputs: outputMetadata });
  const graph = OnnxGraph.parse(await readFile(path));
  const isBatchIndependent = graph !== undefined && !quantisesActivations(graph);
  const asItIs = { session, shape, isBatchIndependent, isRewritten: false };
  if (graph === undefined || !isBatchIndependent || mergeConvolutions(graph) + shortenSwooshes(graph) === 0)
    return asItIs;
  const rewritten = await openQuietly(sessions, graph.serialise());
  if (rewritten === undefined || !(await giveTheSame(session, rewritten, shape))) {
    if (rewritten !== undefined) await sessions.release(rewritten);
    return asItIs;
  }
  await sessions.release(session);
  return { ...asItIs, session: rewritten, isRewritten: true };
}

/** Undefined where the runtime does not take the graph: then the original serves. */
async function openQuietly(
  sessions: Pick<Sessions, 'open'>,
  model: Uint8Array,
): Promise<InferenceSession | undefined> {
  try {
    return await sessions.open(model);
  } catch {
    return undefined;
  }
}

async function giveTheSame(
  original: InferenceSession,
  rewritten: InferenceSession,
  shape: EncoderShape,
): Promise<boolean> {
  try {
    const [expected, actual] = [await twoChunks(original, shape), await twoChunks(rewritten, shape)];
    return Object.entries(expected).every(([name, tensor]) => areClose(tensor, actual[name]));
  } catch {
    return false;
  }
}

function areClose(expected: Tensor, actual: Tensor | undefined): boolean {
  if (!(expected.data instanceof Float32Array)) return true;
  if (!(actual?.data instanceof Float32Array) || actual.data.length !== expected.data.length) return false;
  let largest = 1;
  let farthest = 0;
  for (const [index, value] of expected.data.entries()) {
    const distance = Math.abs(value - (actual.data[index] ?? 0));
    // Not a number is far from everything.
    farthest = distance <= farthest ? farthest : distance;
    largest = Math.max(largest, Math.abs(value));
  }
  return farthest <= TOLERANCE * largest;
}

/** All outputs for the second of two chunks of noise, the first one's states handed on. */
async function twoChunks(session: InferenceSession, shape: EncoderShape): Promise<Record<string, Tensor>> {
  const batch = shape.fixedBatch ?? 1;
  const { windowFrames, states } = shape;
  const noise = noiseOf(2 * batch * windowFrames * MEL_BINS);
  let feeds = Object.fromEntries(states.map((state) => [state.input, zeros(state, batch)]));
  let results: Record<string, Tensor> = {};
  for (const chunk of [0, 1]) {
    const length = noise.length / 2;
    const window = noise.subarray(chunk * length, (chunk + 1) * length);
    feeds = { ...feeds, [shape.features]: new Tensor('float32', window, [batch, windowFrames, MEL_BINS]) };
    results = await session.run(feeds);
    for (const { input, output } of states) {
      const state = results[output];
      if (state !== undefined) feeds[input] = state;
    }
  }
  return results;
}

function zeros({ type, dims, batchAxis, runs, runLength }: StateTensor, batch: number): Tensor {
  const shape = dims.map((dim, axis) => (axis === batchAxis ? batch : dim));
  const length = batch * runs * runLength;
  return type === 'float32'
    ? new Tensor('float32', new Float32Array(length), shape)
    : new Tensor('int64', new BigInt64Array(length), shape);
}

/** The same each time (a linear congruential generator), so that a model is either rewritten or not. */
function noiseOf(length: number): Float32Array {
  let seed = 1;
  return Float32Array.from({ length }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return QUIETEST + ((LOUDEST - QUIETEST) * seed) / 2 ** 32;
  });
}
