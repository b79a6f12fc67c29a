/**
 * Matrix products that quantise their input as they go (`DynamicQuantizeLinear`, `MatMulInteger`) as products of floats. The
 * scale is found over the whole input, so with them each row depends on the rows beside it; without, on itself alone.
 */
import type { OnnxGraph, OnnxNode } from './onnx-graph.js';
import type { OnnxConstant } from './onnx-tensor.js';

const QUANTISE = 'DynamicQuantizeLinear';

interface QuantisedProduct {
  readonly nodes: readonly OnnxNode[];
  readonly input: string;
  readonly output: string;
  readonly weights: OnnxConstant;
}

/** Whether rows of a batch may depend on each other, because their common scale is found in each call. */
export const quantisesActivations = (graph: OnnxGraph): boolean =>
  graph.nodes.some(
    ({ opType }) => opType.startsWith('Dynamic') || /^(?:ConvInteger|MatMulInteger)/.test(opType),
  );

/** Returns how many were found. */
export function dequantiseProducts(graph: OnnxGraph): number {
  let found = 0;
  for (const { outputs } of graph.nodes.filter(({ opType }) => opType === 'MatMulInteger')) {
    const node = graph.producer(outputs[0]);
    const product = node && match(graph, node);
    if (product === undefined) continue;
    const { nodes, input, output, weights } = product;
    const name = `product_${found}_weights`;
    if (!graph.replace(nodes, [{ opType: 'MatMul', inputs: [input, name], output }])) continue;
    graph.addConstant(name, weights);
    found += 1;
  }
  return found;
}

function match(graph: OnnxGraph, product: OnnxNode): QuantisedProduct | undefined {
  const [activations, weightsName, , zeroPointName] = product.inputs;
  const quantiser = graph.producer(activations);
  const cast = graph.soleConsumer(product.outputs[0]);
  const rescale = cast?.opType === 'Cast' ? graph.soleConsumer(cast.outputs[0]) : undefined;
  const scale = rescale && graph.producer(rescale.inputs.find((value) => value !== cast?.outputs[0]));
  const input = quantiser?.inputs[0];
  const output = rescale?.outputs[0];
  if (quantiser?.opType !== QUANTISE || !cast || rescale?.opType !== 'Mul' || scale?.opType !== 'Mul')
    return undefined;
  const weightScale = graph.constant(scale.inputs.find((value) => value !== quantiser.outputs[1]));
  const quantised = graph.constant(weightsName);
  if (!weightScale || !quantised || input === undefined || output === undefined) return undefined;
  const weights = dequantise(quantised, weightScale, graph.constant(zeroPointName));
  if (weights === undefined) return undefined;
  const isShared = graph.consumers(quantiser.outputs[0]).length > 1;
  return { nodes: [...(isShared ? [] : [quantiser]), product, cast, scale, rescale], input, output, weights };
}

/** Scales and zero points are one for all, or one for each column. */
function dequantise(
  { dims, values }: OnnxConstant,
  scale: OnnxConstant,
  zeroPoint: OnnxConstant | undefined,
): OnnxConstant | undefined {
  const columns = dims.at(-1);
  const fits = (length: number): boolean => length === 1 || length === columns;
  if (columns === undefined || !fits(scale.values.length) || !fits(zeroPoint?.values.length ?? 1))
    return undefined;
  const at = (constant: OnnxConstant | undefined, index: number): number =>
    constant?.values[constant.values.length === 1 ? 0 : index % columns] ?? 0;
  return {
    dims,
    values: values.map((value, index) => (value - at(zeroPoint, index)) * at(scale, index)),
    type: 'float',
  };
}
