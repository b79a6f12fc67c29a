/**
 * Zipformer's activations, SwooshL and SwooshR: log(1 + exp(x - a)) - b·x - c. Exported, one is nine or ten nodes, each of which
 * goes through all values; this makes five of them, and lets the layers before and after take over the constants. Two more guard
 * against values of more than 80, of which exp() overflows; what is heard stays below (55 over speech, clicks, tones and clipping, with
 * the default model).
 */
import { type NewNode, type OnnxGraph, type OnnxNode, padsOf } from './onnx-graph.js';

/** exp() of more overflows; log(1 + exp(z)) is z long before that. */
const LARGEST_EXPONENT = 80;
const ONE = 'swoosh_one';
const LIMIT = 'swoosh_limit';

interface Swoosh {
  readonly nodes: readonly OnnxNode[];
  readonly input: string;
  readonly output: string;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Without guards overflow makes everything that depends on it infinite or no number. Returns how many were found. */
export function shortenSwooshes(graph: OnnxGraph, { isGuarded }: { isGuarded: boolean }): number {
  graph.addConstant(ONE, scalar(1));
  graph.addConstant(LIMIT, scalar(LARGEST_EXPONENT));
  let found = 0;
  for (const { outputs } of graph.nodes.filter(({ opType }) => opType === 'Log')) {
    const log = graph.producer(outputs[0]);
    const swoosh = log && match(graph, log);
    if (swoosh !== undefined && shorten(graph, swoosh, { name: `swoosh_${found}`, isGuarded })) found += 1;
  }
  return found;
}

function match(graph: OnnxGraph, log: OnnxNode): Swoosh | undefined {
  const addOne = graph.producer(log.inputs[0]);
  const exp = addOne?.opType === 'Add' ? graph.producer(variableInput(graph, addOne, 1)) : undefined;
  if (addOne === undefined || exp?.opType !== 'Exp') return undefined;
  const softplus = matchGuarded(graph, log, exp) ?? matchSymmetric(graph, log, exp);
  const shift = softplus && graph.producer(softplus.shifted);
  const input = shift?.inputs[0];
  const a = shift?.opType === 'Sub' ? graph.scalar(shift.inputs[1]) : undefined;
  const minusLinear = softplus && graph.soleConsumer(softplus.output);
  const linear = minusLinear?.opType === 'Sub' ? graph.producer(minusLinear.inputs[1]) : undefined;
  const minusConstant = graph.soleConsumer(minusLinear?.outputs[0]);
  if (!softplus || !shift || input === undefined || a === undefined) return undefined;
  if (!minusLinear || minusLinear.inputs[0] !== softplus.output || linear?.opType !== 'Mul') return undefined;
  const b = linear.inputs.includes(input)
    ? graph.scalar(linear.inputs.find((value) => value !== input))
    : undefined;
  const c =
    minusConstant?.opType === 'Sub' && minusConstant.inputs[0] === minusLinear.outputs[0]
      ? graph.scalar(minusConstant.inputs[1])
      : undefined;
  const output = minusConstant?.outputs[0];
  if (b === undefined || c === undefined || !minusConstant || output === undefined) return undefined;
  const nodes = [shift, exp, addOne, log, ...softplus.nodes, linear, minusLinear, minusConstant];
  return { nodes, input, output, a, b, c };
}

interface Softplus {
  /** Those that are not in every form. */
  readonly nodes: readonly OnnxNode[];
  readonly shifted: string;
  readonly output: string;
}

/** z where log(1 + exp(z)) overflowed, else that. */
function matchGuarded(graph: OnnxGraph, log: OnnxNode, exp: OnnxNode): Softplus | undefined {
  const consumers = graph.consumers(log.outputs[0]);
  const equal = consumers.find(({ opType }) => opType === 'Equal');
  const where = consumers.find(({ opType }) => opType === 'Where');
  const shifted = exp.inputs[0];
  const output = where?.outputs[0];
  if (!equal || !where || shifted === undefined || output === undefined) return undefined;
  const isOverflow = equal.inputs.some((value) => graph.scalar(value) === Infinity);
  const isGuard = [equal.outputs[0], shifted, log.outputs[0]].every(
    (value, at) => where.inputs[at] === value,
  );
  return isOverflow && isGuard ? { nodes: [equal, where], shifted, output } : undefined;
}

/** max(0, z) + log(1 + exp(-|z|)), as icefall's `logaddexp_onnx` has it: |0 - z|. */
function matchSymmetric(graph: OnnxGraph, log: OnnxNode, exp: OnnxNode): Softplus | undefined {
  const negative = graph.producer(exp.inputs[0]);
  const absolute = negative?.opType === 'Neg' ? graph.producer(negative.inputs[0]) : undefined;
  const difference = absolute?.opType === 'Abs' ? graph.producer(absolute.inputs[0]) : undefined;
  const shifted = difference?.opType === 'Sub' ? variableInput(graph, difference, 0) : undefined;
  const sum = graph.soleConsumer(log.outputs[0]);
  const maximum = sum?.opType === 'Add' ? graph.producer(otherInput(sum, log.outputs[0])) : undefined;
  const output = sum?.outputs[0];
  if (!negative || !absolute || !difference || !sum || maximum?.opType !== 'Max') return undefined;
  if (shifted === undefined || output === undefined || variableInput(graph, maximum, 0) !== shifted)
    return undefined;
  return { nodes: [negative, absolute, difference, maximum, sum], shifted, output };
}

function shorten(
  graph: OnnxGraph,
  { nodes, input, output, a, b, c }: Swoosh,
  { name, isGuarded }: { name: string; isGuarded: boolean },
): boolean {
  const slope = graph.addConstant(`${name}_slope`, scalar(b));
  const shifted = `${name}_shifted`;
  const constant = `${name}_constant`;
  const before = biasBefore(graph, input, nodes);
  const after = biasAfter(graph, output);
  const z = before === undefined ? shifted : input;
  const y = after === undefined ? `${name}_y` : output;
  const limited = isGuarded ? `${name}_limited` : z;
  const softplus = isGuarded ? `${name}_softplus` : `${name}_log`;
  const shift: NewNode = { opType: 'Sub', inputs: [input, `${name}_a`], output: shifted };
  const minusConstant: NewNode = { opType: 'Sub', inputs: [y, constant], output };
  // In terms of z = x - a, what is left to subtract is b·z and c + a·b.
  const rest = c + a * b;
  const isReplaced = graph.replace(nodes, [
    ...(before === undefined ? [shift] : []),
    ...(isGuarded ? [{ opType: 'Min', inputs: [z, LIMIT], output: limited }] : []),
    { opType: 'Exp', inputs: [limited], output: `${name}_exp` },
    { opType: 'Add', inputs: [`${name}_exp`, ONE], output: `${name}_plus_one` },
    { opType: 'Log', inputs: [`${name}_plus_one`], output: `${name}_log` },
    ...(isGuarded ? [{ opType: 'Max', inputs: [`${name}_log`, z], output: softplus }] : []),
    { opType: 'Mul', inputs: [z, slope], output: `${name}_linear` },
    { opType: 'Sub', inputs: [softplus, `${name}_linear`], output: y },
    ...(after === undefined ? [minusConstant] : []),
  ]);
  if (!isReplaced) return false;
  if (before === undefined) graph.addConstant(`${name}_a`, scalar(a));
  else subtractFromBias(graph, before, { name: `${name}_before`, by: () => a });
  if (after === undefined) graph.addConstant(constant, scalar(rest));
  else subtractFromBias(graph, after, { name: `${name}_after`, by: (row) => rest * (after.sums[row] ?? 0) });
  return true;
}

interface Bias {
  /** The value whose producer adds it. */
  readonly output: string;
  readonly inputIndex: number;
  /** By how much each output of the layer grows when all its inputs grow by 1. */
  readonly sums: ArrayLike<number>;
}

/** A constant is added to x, and nothing but the activation uses x: it may be added less. */
function biasBefore(graph: OnnxGraph, x: string, swoosh: readonly OnnxNode[]): Bias | undefined {
  if (!graph.isInner(x) || !graph.consumers(x).every((node) => swoosh.includes(node))) return undefined;
  const producer = graph.producer(x);
  const output = producer?.opType === 'Transpose' ? producer.inputs[0] : x;
  if (output !== x && graph.soleConsumer(output) === undefined) return undefined;
  const layer = graph.producer(output);
  const inputIndex = layer && biasIndex(graph, layer);
  return output === undefined || inputIndex === undefined ? undefined : { output, inputIndex, sums: [] };
}

/** Nothing but a linear layer with a bias uses y: the bias may hold what its weights make of a constant. */
function biasAfter(graph: OnnxGraph, y: string): Bias | undefined {
  const layer = graph.soleConsumer(y);
  const weights = graph.constant(layer?.inputs[1]);
  const output = layer?.outputs[0];
  if (!layer || layer.inputs[0] !== y || weights?.type !== 'float' || output === undefined) return undefined;
  if (layer.opType === 'Conv') {
    const isUnpadded = padsOf(layer)?.every((pad) => pad === 0) ?? false;
    const inputIndex = biasIndex(graph, layer);
    const rows = weights.dims[0] ?? 0;
    if (!isUnpadded || inputIndex === undefined) return undefined;
    return { output, inputIndex, sums: sumsOfRows(weights.values, rows) };
  }
  const addition = layer.opType === 'MatMul' ? graph.soleConsumer(output) : undefined;
  const inputIndex = addition?.opType === 'Add' ? biasIndex(graph, addition) : undefined;
  const sum = addition?.outputs[0];
  const columns = weights.dims[1];
  if (weights.dims.length !== 2 || columns === undefined || inputIndex === undefined || sum === undefined)
    return undefined;
  if (graph.constant(addition?.inputs[inputIndex])?.values.length !== columns) return undefined;
  return { output: sum, inputIndex, sums: sumsOfColumns(weights.values, columns) };
}

/** Where a layer takes a constant that it adds. */
function biasIndex(graph: OnnxGraph, { opType, inputs }: OnnxNode): number | undefined {
  const candidates = opType === 'Add' ? [0, 1] : opType === 'Conv' ? [2] : [];
  return candidates.find((index) => graph.constant(inputs[index])?.type === 'float');
}

function subtractFromBias(
  graph: OnnxGraph,
  { output, inputIndex }: Bias,
  { name, by }: { name: string; by: (row: number) => number },
): void {
  const layer = graph.producer(output);
  const bias = graph.constant(layer?.inputs[inputIndex]);
  if (layer === undefined || bias === undefined) throw new Error(`${output} has lost its bias`);
  const values = bias.values.map((value, row) => value - by(row));
  graph.reconnect(layer, inputIndex, graph.addConstant(name, { dims: bias.dims, values }));
}

function sumsOfRows(values: Float64Array, rows: number): Float64Array {
  const length = values.length / rows;
  const sums = new Float64Array(rows);
  for (let at = 0; at < values.length; at++) {
    const row = Math.floor(at / length);
    sums[row] = (sums[row] ?? 0) + (values[at] ?? 0);
  }
  return sums;
}

function sumsOfColumns(values: Float64Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let at = 0; at < values.length; at++)
    sums[at % columns] = (sums[at % columns] ?? 0) + (values[at] ?? 0);
  return sums;
}

/** The input beside the constant `value`; undefined where there is no such constant. */
function variableInput(graph: OnnxGraph, { inputs }: OnnxNode, value: number): string | undefined {
  const [first, second, ...others] = inputs;
  if (others.length > 0) return undefined;
  if (graph.scalar(first) === value) return second;
  return graph.scalar(second) === value ? first : undefined;
}

const otherInput = ({ inputs }: OnnxNode, value: string | undefined): string | undefined =>
  inputs.find((input) => input !== value);

const scalar = (value: number): { dims: readonly number[]; values: Float64Array } => ({
  dims: [],
  values: Float64Array.of(value),
});
