/**
 * What an encoder wants and gives, read from its file: how much audio, and which tensors it must be handed back. Nothing of
 * it is written down here, so any streaming Zipformer2 of k2-fsa is described, whatever its size.
 */
import type { InferenceSession } from '../onnx-runtime.js';
import { MEL_BINS } from './mel-filter-bank.js';

/** This engine cannot run the model; the message says why. */
export class ModelRefused extends Error {
  override readonly name = 'ModelRefused';
}

/** A tensor that one call returns and the next call of the same stream is given. Zero at first. */
export interface StateTensor {
  readonly input: string;
  readonly output: string;
  readonly type: 'float32' | 'int64';
  /** With the batch dimension at `batchAxis`; its value there means nothing. */
  readonly dims: readonly number[];
  readonly batchAxis: number;
  /** Values of one stream lie in so many runs of so many: those before and those after the batch dimension. */
  readonly runs: number;
  readonly runLength: number;
}

export interface EncoderShape {
  readonly features: string;
  readonly output: string;
  /** Feature frames of one call, and how many of them the next call does not see any more. */
  readonly windowFrames: number;
  readonly hopFrames: number;
  /** Undefined when any number of streams may share a call. */
  readonly fixedBatch: number | undefined;
  readonly states: readonly StateTensor[];
}

type ValueMetadata = InferenceSession.ValueMetadata;
type TensorMetadata = Extract<ValueMetadata, { isTensor: true }>;
type Dims = readonly (number | string)[];

export interface DescribedModel {
  readonly metadata: ReadonlyMap<string, string>;
  readonly inputs: readonly ValueMetadata[];
  readonly outputs: readonly ValueMetadata[];
}

const FEATURES_INPUT = 'x';
const OUTPUT = 'encoder_out';
const OUTPUT_PREFIX = 'new_';
/** Where the batch dimension is, when the file fixes it and so does not tell: icefall's export-onnx-streaming.py. */
const BATCH_FIRST_STATE = /^(?:cached_conv|embed_states|processed_lens)/;

/** Throws `ModelRefused` for anything but the encoder of a streaming Zipformer2. */
export function describeEncoder({ metadata, inputs, outputs }: DescribedModel): EncoderShape {
  const modelType = metadata.get('model_type');
  if (modelType !== 'zipformer2') {
    throw new ModelRefused(
      modelType === undefined
        ? 'the encoder does not say what it is (no model_type in its metadata)'
        : `the encoder is a ${modelType} and not a zipformer2`,
    );
  }
  const windowFrames = positiveInteger(metadata, 'T');
  const hopFrames = positiveInteger(metadata, 'decode_chunk_len');
  const features = tensorNamed(inputs, FEATURES_INPUT);
  tensorNamed(outputs, OUTPUT);
  const [featureBatch, featureFrames, featureWidth] = features.shape;
  const isWindow = featureFrames === windowFrames || typeof featureFrames === 'string';
  if (features.shape.length !== 3 || featureWidth !== MEL_BINS || !isWindow) {
    throw new ModelRefused(
      `the encoder takes ${shapeText(features)} and not [N, ${windowFrames}, ${MEL_BINS}]`,
    );
  }
  if (hopFrames > windowFrames)
    throw new ModelRefused(
      `the encoder's chunk of ${hopFrames} frames is longer than its window of ${windowFrames}`,
    );
  const fixedBatch = typeof featureBatch === 'number' ? featureBatch : undefined;
  const states = inputs
    .filter(({ name }) => name !== FEATURES_INPUT)
    .map((input) => stateTensor(input, outputs, fixedBatch));
  if (states.length === 0) throw new ModelRefused('the encoder keeps no state: it is no streaming model');
  return {
    features: FEATURES_INPUT,
    output: OUTPUT,
    windowFrames,
    hopFrames,
    fixedBatch,
    states,
  };
}

function stateTensor(
  input: ValueMetadata,
  outputs: readonly ValueMetadata[],
  fixedBatch: number | undefined,
): StateTensor {
  const { name, type, shape } = asTensor(input);
  const output = tensorNamed(outputs, `${OUTPUT_PREFIX}${name}`);
  if (type !== 'float32' && type !== 'int64')
    throw new ModelRefused(`the encoder's state ${name} is of type ${type}, which this engine cannot keep`);
  if (output.type !== type || output.shape.length !== shape.length)
    throw new ModelRefused(`the encoder's state ${name} comes back as another tensor than it went in`);
  const batchAxis = batchAxisOf(name, shape, fixedBatch);
  const dims = shape.map((value, axis) => {
    if (axis === batchAxis) return 0;
    if (typeof value === 'number') return value;
    throw new ModelRefused(`the encoder's state ${name} has more than one unknown dimension`);
  });
  return {
    input: name,
    output: output.name,
    type,
    dims,
    batchAxis,
    runs: product(dims.slice(0, batchAxis)),
    runLength: product(dims.slice(batchAxis + 1)),
  };
}

function batchAxisOf(name: string, shape: Dims, fixedBatch: number | undefined): number {
  const axis =
    fixedBatch === undefined
      ? shape.findIndex((value) => typeof value === 'string')
      : Number(!BATCH_FIRST_STATE.test(name));
  if (axis === -1 || (fixedBatch !== undefined && shape[axis] !== fixedBatch))
    throw new ModelRefused(`the encoder's state ${name} has no batch dimension`);
  return axis;
}

const product = (values: readonly number[]): number => values.reduce((all, value) => all * value, 1);

/** The dimension of that name in the metadata. Throws `ModelRefused` when it is absent or no positive whole number. */
export function positiveInteger(metadata: ReadonlyMap<string, string>, key: string): number {
  const text = metadata.get(key);
  const value = Number(text);
  if (text !== undefined && Number.isSafeInteger(value) && value > 0) return value;
  throw new ModelRefused(
    text === undefined ? `the model's metadata has no ${key}` : `the model's metadata says ${key} ${text}`,
  );
}

function tensorNamed(values: readonly ValueMetadata[], name: string): TensorMetadata {
  const found = values.find((value) => value.name === name);
  if (found === undefined) throw new ModelRefused(`the encoder has no ${name}`);
  return asTensor(found);
}

/** Throws `ModelRefused` for sequences and maps. */
export function asTensor(value: ValueMetadata): TensorMetadata {
  if (value.isTensor) return value;
  throw new ModelRefused(`${value.name} is no tensor`);
}

export const shapeText = ({ name, shape }: TensorMetadata): string => `${name} [${shape.join(', ')}]`;
