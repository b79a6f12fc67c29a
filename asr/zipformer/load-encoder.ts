import { readFile } from 'node:fs/promises';
import { type InferenceSession, Tensor } from '../onnx-runtime.js';
import { describeEncoder, type EncoderShape, type StateTensor } from './encoder-shape.js';
import { dequantiseProducts, quantisesActivations } from './graph/dequantise-products.js';
import { mergeConvolutions } from './graph/merge-convolutions.js';
import { dropChunkMasks } from './graph/drop-chunk-masks.js';
import { keepKeysInRows } from './graph/keep-keys-in-rows.js';
import { OnnxGraph } from './graph/onnx-graph.js';
import { shortenSwooshes } from './graph/shorten-swoosh.js';
import { MEL_BINS } from './mel-filter-bank.js';
import type { Sessions } from './sessions.js';

/** How far outputs may lie apart, as a part of the largest: rounding gives some 1e-5 after two chunks. */
const TOLERANCE = 2e-4;
/**
 * Mean square of the differences, as a part of that of the output itself, above which an encoder whose activations are not
 * quantised any more is another one. What quantising costs is some hundredths.
 */
const DEQUANTISED_TOLERANCE = 0.1;
/** Larger int8 encoders stay as they are: written out as floats they would be slower, and take much memory in every child. */
const MAX_DEQUANTISED_BYTES = 32_000_000;
/** Log-mel energies of what is heard lie between these. */
const ALL_ENERGIES = [-15.9, 6] as const;
/** Noise over all of them, which no sound is, makes activations overflow; over these not. */
const FEW_ENERGIES = [-8, -4] as const;

export interface LoadEncoderOptions {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Who closes what is opened. */
  readonly sessions: Pick<Sessions, 'open' | 'release'>;
  /** Whether its activations must not overflow, whatever it is given. Default false: see `LoadedEncoder.mayOverflow`. */
  readonly isGuarded?: boolean;
}

export interface LoadedEncoder {
  readonly session: InferenceSession;
  readonly shape: EncoderShape;
  /** What one stream's output is does not depend on the others in its call. */
  readonly isBatchIndependent: boolean;
  /**
   * Whether its output may be no numbers where activations exceed 88, which takes features that no sound has; then the guarded one
   * has to be asked. 4 % less time for all others.
   */
  readonly mayOverflow: boolean;
  /** Whether the graph was rewritten; false where nothing was found to rewrite, or where the outcome was another one. */
  readonly isRewritten: boolean;
}

/**
 * Opens an encoder, its graph rewritten to run faster if two chunks through both graphs give the same.
 *
 * int8 encoders quantise their activations by the largest value in the whole call: what a stream says then depends on who else
 * talks, which changes one utterance in thirteen (4 streams a call), even to its opposite. So the weights of small ones are
 * written out as floats.
 * Throws `ModelRefused` as `describeEncoder`.
 */
export async function loadEncoder({
  path,
  metadata,
  sessions,
  isGuarded = false,
}: LoadEncoderOptions): Promise<LoadedEncoder> {
  const original = await sessions.open(path);
  const { inputMetadata, outputMetadata } = original;
  const shape = describeEncoder({ metadata, inputs: inputMetadata, outputs: outputMetadata });
  const bytes = await readFile(path);
  const asItIs = {
    session: original,
    shape,
    mayOverflow: false,
    isBatchIndependent: false,
    isRewritten: false,
  };
  const parsed = OnnxGraph.parse(bytes);
  if (parsed === undefined) return asItIs;
  const isQuantised = quantisesActivations(parsed);
  if (isQuantised && bytes.length > MAX_DEQUANTISED_BYTES) return asItIs;
  const floatGraph = (): OnnxGraph | undefined => {
    const graph = OnnxGraph.parse(bytes);
    if (graph !== undefined && isQuantised) dequantiseProducts(graph);
    return graph === undefined || quantisesActivations(graph) ? undefined : graph;
  };
  const floats = isQuantised
    ? await rewritten(original, { sessions, shape, graph: floatGraph(), isTheSame: areAlike })
    : original;
  if (floats === undefined) return asItIs;
  for (const mayOverflow of overflowsToTry(isGuarded)) {
    const graph = floatGraph();
    if (graph === undefined || !isShortened(graph, { isGuarded: !mayOverflow })) break;
    const energies = mayOverflow ? FEW_ENERGIES : ALL_ENERGIES;
    const faster = await rewritten(floats, { sessions, shape, graph, isTheSame: areEqual, energies });
    if (faster !== undefined)
      return { session: faster, shape, mayOverflow, isBatchIndependent: true, isRewritten: true };
  }
  return { ...asItIs, session: floats, isBatchIndependent: true, isRewritten: floats !== original };
}

/** Whether each of the rewritten encoders that will do may overflow; the fastest first. */
export const overflowsToTry = (isGuarded: boolean): readonly boolean[] =>
  isGuarded ? [false] : [true, false];

/** Whether there was anything to rewrite. */
function isShortened(graph: OnnxGraph, guards: { isGuarded: boolean }): boolean {
  const found = [
    mergeConvolutions(graph),
    shortenSwooshes(graph, guards),
    keepKeysInRows(graph),
    dropChunkMasks(graph),
  ];
  return found.some((count) => count > 0);
}

interface Rewriting {
  readonly sessions: Pick<Sessions, 'open' | 'release'>;
  /** Undefined where it could not be rewritten. */
  readonly graph: OnnxGraph | undefined;
  readonly shape: EncoderShape;
  readonly isTheSame: (expected: Results, actual: Results, shape: EncoderShape) => boolean;
  /** Of the noise that both are given. Default all. */
  readonly energies?: Energies;
}

type Energies = typeof ALL_ENERGIES | typeof FEW_ENERGIES;

type Results = Readonly<Record<string, Tensor>>;

/**
 * The graph as it is now, opened in place of `before`; undefined, and nothing else changed, where the runtime does not take it or
 * it gives something else.
 */
async function rewritten(
  before: InferenceSession,
  rewriting: Rewriting,
): Promise<InferenceSession | undefined> {
  const { sessions, graph } = rewriting;
  const after = graph && (await openQuietly(sessions, graph.serialise()));
  if (after === undefined) return undefined;
  const isRight = await givesTheSame([before, after], rewriting);
  await sessions.release(isRight ? before : after);
  return isRight ? after : undefined;
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

async function givesTheSame(
  [before, after]: readonly [InferenceSession, InferenceSession],
  { shape, isTheSame, energies = ALL_ENERGIES }: Rewriting,
): Promise<boolean> {
  try {
    return isTheSame(
      await twoChunks(before, shape, energies),
      await twoChunks(after, shape, energies),
      shape,
    );
  } catch {
    return false;
  }
}

const areEqual = (expected: Results, actual: Results): boolean =>
  Object.entries(expected).every(([name, tensor]) => areClose(tensor, actual[name]));

/** As far as quantised activations tell: by the output of the second chunk, for which the states of the first matter. */
function areAlike(expected: Results, actual: Results, { output }: EncoderShape): boolean {
  const [before, after] = [expected[output]?.data, actual[output]?.data];
  if (!(before instanceof Float32Array) || !(after instanceof Float32Array)) return false;
  if (before.length !== after.length) return false;
  let differences = 0;
  let squares = 0;
  for (const [index, value] of before.entries()) {
    differences += (value - (after[index] ?? 0)) ** 2;
    squares += value ** 2;
  }
  return differences <= DEQUANTISED_TOLERANCE * squares;
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
async function twoChunks(
  session: InferenceSession,
  shape: EncoderShape,
  energies: Energies,
): Promise<Record<string, Tensor>> {
  const batch = shape.fixedBatch ?? 1;
  const { windowFrames, states } = shape;
  const noise = noiseOf(2 * batch * windowFrames * MEL_BINS, energies);
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
function noiseOf(length: number, [quietest, loudest]: Energies): Float32Array {
  let seed = 1;
  return Float32Array.from({ length }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return quietest + ((loudest - quietest) * seed) / 2 ** 32;
  });
}
