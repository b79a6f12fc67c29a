/**
 * The two convolutions of a Zipformer2 layer, causal and chunk-wise, as one batched matrix product. Both are linear in the same
 * few frames and go channel by channel, which onnxruntime does slowly for one dimension. Frames s of the chunk and its
 * past to frames t of the chunk, a matrix for each channel:
 *
 *   out[c, t] = Σs in[c, s]·M[c, s, t] + bias[c, t],   M = causal + chunk-wise·scale
 */
import { intsOf, type OnnxGraph, type OnnxNode, padsOf } from './onnx-graph.js';
import type { OnnxConstant } from './onnx-tensor.js';

interface Convolution {
  readonly node: OnnxNode;
  readonly input: string;
  readonly weights: OnnxConstant;
  readonly bias: OnnxConstant;
  readonly channels: number;
  readonly kernel: number;
}

/** Both convolutions and what joins them. */
interface ConvolutionPair {
  readonly nodes: readonly OnnxNode[];
  readonly causal: Convolution;
  readonly chunkwise: Convolution;
  readonly scale: OnnxConstant;
  readonly output: string;
}

/** Batch, channel, frame to frame, batch, channel. */
const TO_FRAMES_FIRST = '2,0,1';

/** Returns how many pairs were found. */
export function mergeConvolutions(graph: OnnxGraph): number {
  let found = 0;
  for (const { outputs } of graph.nodes.filter(({ opType }) => opType === 'Add')) {
    const addition = graph.producer(outputs[0]);
    const pair = addition && match(graph, addition);
    if (pair !== undefined && merge(graph, pair, `convolution_${found}`)) found += 1;
  }
  return found;
}

function match(graph: OnnxGraph, addition: OnnxNode): ConvolutionPair | undefined {
  const summands = addition.inputs.map((value) => graph.producer(value));
  const scaled = summands.find((node) => node?.opType === 'Mul');
  const causal = convolution(
    graph,
    summands.find((node) => node?.opType === 'Conv'),
  );
  const scale = graph.constant(scaled?.inputs.find((value) => graph.constant(value) !== undefined));
  const chunkwise = convolution(
    graph,
    scaled?.inputs.map((value) => graph.producer(value)).find((node) => node?.opType === 'Conv'),
  );
  const slice = graph.producer(chunkwise?.input);
  const transposition = graph.soleConsumer(addition.outputs[0]);
  const output = transposition?.outputs[0];
  if (!scaled || !causal || !chunkwise || !scale || !slice || !transposition || output === undefined)
    return undefined;
  const { channels } = causal;
  const frames = scale.values.length / channels;
  const isPair =
    chunkwise.channels === channels &&
    isUnpadded(causal.node) &&
    isCentred(chunkwise) &&
    isChunkOf(graph, slice, { whole: causal.input, past: causal.kernel - 1 }) &&
    scale.dims.filter((dim) => dim !== 1).join() === [channels, frames].filter((dim) => dim !== 1).join() &&
    transposition.opType === 'Transpose' &&
    intsOf(transposition, 'perm')?.join() === TO_FRAMES_FIRST;
  if (!isPair) return undefined;
  const nodes = [causal.node, slice, chunkwise.node, scaled, addition, transposition];
  return { nodes, causal, chunkwise, scale, output };
}

function merge(graph: OnnxGraph, pair: ConvolutionPair, name: string): boolean {
  const { matrix, bias } = matrixOf(pair);
  const isReplaced = graph.replace(pair.nodes, [
    {
      opType: 'Transpose',
      inputs: [pair.causal.input],
      output: `${name}_channels`,
      ints: { perm: [1, 0, 2] },
    },
    { opType: 'MatMul', inputs: [`${name}_channels`, `${name}_matrix`], output: `${name}_product` },
    { opType: 'Add', inputs: [`${name}_product`, `${name}_bias`], output: `${name}_sum` },
    { opType: 'Transpose', inputs: [`${name}_sum`], output: pair.output, ints: { perm: [2, 1, 0] } },
  ]);
  if (!isReplaced) return false;
  graph.addConstant(`${name}_matrix`, matrix);
  graph.addConstant(`${name}_bias`, bias);
  return true;
}

function matrixOf({ causal, chunkwise, scale }: ConvolutionPair): Record<'matrix' | 'bias', OnnxConstant> {
  const { channels, kernel } = causal;
  const frames = scale.values.length / channels;
  const past = kernel - 1;
  const inputs = past + frames;
  const reach = (chunkwise.kernel - 1) / 2;
  const matrix = new Float64Array(channels * inputs * frames);
  const bias = new Float64Array(channels * frames);
  const at = ({ values }: OnnxConstant, index: number): number => values[index] ?? 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let frame = 0; frame < frames; frame++) {
      const factor = at(scale, channel * frames + frame);
      const cell = (input: number): number => (channel * inputs + input) * frames + frame;
      for (let tap = 0; tap < kernel; tap++)
        matrix[cell(frame + tap)] = at(causal.weights, channel * kernel + tap);
      for (let input = 0; input < frames; input++) {
        const tap = input - frame + reach;
        if (tap < 0 || tap >= chunkwise.kernel) continue;
        const index = cell(past + input);
        const weight = at(chunkwise.weights, channel * chunkwise.kernel + tap);
        matrix[index] = (matrix[index] ?? 0) + weight * factor;
      }
      bias[channel * frames + frame] = at(causal.bias, channel) + at(chunkwise.bias, channel) * factor;
    }
  }
  return {
    matrix: { dims: [channels, inputs, frames], values: matrix, type: 'float' },
    bias: { dims: [channels, 1, frames], values: bias, type: 'float' },
  };
}

/** In one dimension, each channel by itself, with a bias. */
function convolution(graph: OnnxGraph, node: OnnxNode | undefined): Convolution | undefined {
  const weights = graph.constant(node?.inputs[1]);
  const bias = graph.constant(node?.inputs[2]);
  const input = node?.inputs[0];
  if (!node || !weights || !bias || input === undefined) return undefined;
  const [channels, perGroup, kernel, ...others] = weights.dims;
  if (channels === undefined || perGroup !== 1 || kernel === undefined || others.length > 0) return undefined;
  const isPlain =
    intsOf(node, 'group')?.[0] === channels &&
    (intsOf(node, 'strides') ?? [1]).join() === '1' &&
    (intsOf(node, 'dilations') ?? [1]).join() === '1' &&
    bias.values.length === channels;
  return isPlain ? { node, input, weights, bias, channels, kernel } : undefined;
}

const isUnpadded = (node: OnnxNode): boolean => padsOf(node)?.every((pad) => pad === 0) ?? false;

function isCentred({ node, kernel }: Convolution): boolean {
  const [left, right] = padsOf(node) ?? [];
  return kernel % 2 === 1 && left === (kernel - 1) / 2 && right === left;
}

/** All frames but the first `past` of `whole`. */
function isChunkOf(
  graph: OnnxGraph,
  slice: OnnxNode,
  { whole, past }: { whole: string; past: number },
): boolean {
  const [input, start, end, axis, step] = slice.inputs;
  return (
    slice.opType === 'Slice' &&
    input === whole &&
    graph.scalar(start) === past &&
    (graph.scalar(end) ?? 0) >= 2 ** 31 - 1 &&
    graph.scalar(axis) === 2 &&
    (step === undefined || graph.scalar(step) === 1)
  );
}
