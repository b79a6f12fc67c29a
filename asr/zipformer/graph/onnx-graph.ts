/** An ONNX model whose graph can be changed before it is run: `ModelProto`, `GraphProto` and `NodeProto` in onnx.proto. */
import { type ProtobufField, readMessage, WIRE_BYTES } from '../../models/protobuf.js';
import { ProtobufWriter } from '../../models/protobuf-writer.js';
import { nameOfTensor, type OnnxConstant, readConstant, varintsOf, writeFloats } from './onnx-tensor.js';

const MODEL_GRAPH = 7;
const GRAPH_NODE = 1;
const GRAPH_INITIALIZER = 5;
const GRAPH_OUTPUT = 12;
/** Shapes of values on the way: worked out anew by the runtime, and wrong where the graph was changed. */
const GRAPH_VALUE_INFO = 13;
const VALUE_NAME = 1;
const NODE_INPUT = 1;
const NODE_OUTPUT = 2;
const NODE_NAME = 3;
const NODE_OP_TYPE = 4;
const NODE_ATTRIBUTE = 5;
const NODE_DOMAIN = 7;
const ATTRIBUTE_NAME = 1;
const ATTRIBUTE_INT = 3;
const ATTRIBUTE_STRING = 4;
const ATTRIBUTE_TENSOR = 5;
const ATTRIBUTE_GRAPH = 6;
const ATTRIBUTE_INTS = 8;
const ATTRIBUTE_TYPE = 20;
const INT_TYPE = 2;
const INTS_TYPE = 7;
const MODEL_OPSET = 8;
const OPSET_DOMAIN = 1;
const OPSET_VERSION = 2;

export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** `AttributeProto` by name. */
  readonly attributes: ReadonlyMap<string, Uint8Array>;
}

/** A node with one output. */
export interface NewNode {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly ints?: Readonly<Record<string, readonly number[]>>;
  readonly int?: Readonly<Record<string, number>>;
  /** Default: ONNX's own operators. Version 1 of another one is imported where the model does not import it. */
  readonly domain?: string;
}

export class OnnxGraph {
  readonly #modelFields: readonly Uint8Array[];
  /** Everything in the graph but its nodes and weights. */
  readonly #otherFields: readonly Uint8Array[];
  #nodes: readonly OnnxNode[];
  readonly #tensors: Map<string, Uint8Array>;
  readonly #outputs: ReadonlySet<string>;
  readonly #producers = new Map<string, OnnxNode>();
  readonly #consumers = new Map<string, Set<OnnxNode>>();

  private constructor(model: Uint8Array, graph: Uint8Array) {
    this.#modelFields = rawFields(model, (number) => number !== MODEL_GRAPH);
    this.#otherFields = rawFields(
      graph,
      (number) => number !== GRAPH_NODE && number !== GRAPH_INITIALIZER && number !== GRAPH_VALUE_INFO,
    );
    this.#nodes = contents(graph, GRAPH_NODE).map(parseNode);
    this.#tensors = new Map(
      contents(graph, GRAPH_INITIALIZER).map((tensor) => [nameOfTensor(tensor) ?? '', tensor]),
    );
    this.#outputs = new Set(contents(graph, GRAPH_OUTPUT).map((value) => textOf(value, VALUE_NAME)));
    for (const node of this.#nodes) this.#learn(node);
  }

  /** Undefined when the bytes are no ONNX model, or one with branches or loops, whose values are not told here. */
  static parse(model: Uint8Array): OnnxGraph | undefined {
    const [content] = contents(model, MODEL_GRAPH);
    if (content === undefined || readMessage(content) === undefined) return undefined;
    const graph = new OnnxGraph(model, content);
    const isBranch = ({ attributes }: OnnxNode): boolean =>
      [...attributes.values()].some((attribute) => contents(attribute, ATTRIBUTE_GRAPH).length > 0);
    return graph.nodes.some(isBranch) ? undefined : graph;
  }

  get nodes(): readonly OnnxNode[] {
    return this.#nodes;
  }

  producer(value: string | undefined): OnnxNode | undefined {
    return value === undefined ? undefined : this.#producers.get(value);
  }

  consumers(value: string | undefined): readonly OnnxNode[] {
    return value === undefined ? [] : [...(this.#consumers.get(value) ?? [])];
  }

  /** The only node that uses a value; undefined where there are none, several, or the graph gives the value out. */
  soleConsumer(value: string | undefined): OnnxNode | undefined {
    const consumers = this.consumers(value);
    return consumers.length === 1 && !this.#outputs.has(value ?? '') ? consumers[0] : undefined;
  }

  /** Whether the graph keeps the value to itself. */
  isInner(value: string): boolean {
    return !this.#outputs.has(value);
  }

  /** Undefined for values that are not constant. */
  constant(value: string | undefined): OnnxConstant | undefined {
    if (value === undefined) return undefined;
    const initializer = this.#tensors.get(value);
    if (initializer !== undefined) return readConstant(initializer);
    const producer = this.#producers.get(value);
    const attribute = producer?.opType === 'Constant' ? producer.attributes.get('value') : undefined;
    const [tensor] = attribute === undefined ? [] : contents(attribute, ATTRIBUTE_TENSOR);
    return tensor && readConstant(tensor);
  }

  /** The one value of a constant; undefined for anything else. */
  scalar(value: string | undefined): number | undefined {
    const constant = this.constant(value);
    return constant?.values.length === 1 ? constant.values[0] : undefined;
  }

  addConstant(name: string, constant: Pick<OnnxConstant, 'dims' | 'values'>): string {
    this.#tensors.set(name, writeFloats(name, constant));
    return name;
  }

  /**
   * Puts `added` in the place of `removed`. Does nothing and returns false when somebody else uses a value of the removed
   * nodes that none of the added ones gives.
   */
  replace(removed: readonly OnnxNode[], added: readonly NewNode[]): boolean {
    const gone = new Set(removed);
    const given = new Set(added.map(({ output }) => output));
    const isMissed = (value: string): boolean =>
      !given.has(value) &&
      (this.#outputs.has(value) || this.consumers(value).some((consumer) => !gone.has(consumer)));
    if (removed.some(({ outputs }) => outputs.some(isMissed))) return false;
    const last = this.#nodes.findLastIndex((node) => gone.has(node));
    const isKept = (node: OnnxNode): boolean => !gone.has(node);
    const nodes = added.map(newNode);
    this.#nodes = [...this.#nodes.slice(0, last).filter(isKept), ...nodes, ...this.#nodes.slice(last + 1)];
    for (const node of gone) this.#forget(node);
    for (const node of nodes) this.#learn(node);
    return true;
  }

  /** Lets a node take another value at one of its inputs. */
  reconnect(node: OnnxNode, index: number, value: string): void {
    const changed = { ...node, inputs: node.inputs.with(index, value) };
    this.#nodes = this.#nodes.map((other) => (other === node ? changed : other));
    this.#forget(node);
    this.#learn(changed);
  }

  /** The model's bytes, without weights that nothing uses any more. */
  serialise(): Uint8Array {
    const used = new Set(this.#nodes.flatMap(({ inputs }) => inputs));
    const graph = new ProtobufWriter();
    for (const node of this.#nodes) graph.bytes(GRAPH_NODE, writeNode(node));
    for (const [name, tensor] of this.#tensors) {
      if (used.has(name) || this.#outputs.has(name)) graph.bytes(GRAPH_INITIALIZER, tensor);
    }
    for (const field of this.#otherFields) graph.raw(field);
    const model = new ProtobufWriter();
    for (const field of this.#modelFields) model.raw(field);
    for (const domain of this.#domainsMissing())
      model.bytes(
        MODEL_OPSET,
        new ProtobufWriter().text(OPSET_DOMAIN, domain).varint(OPSET_VERSION, 1).finish(),
      );
    return model.bytes(MODEL_GRAPH, graph.finish()).finish();
  }

  /** Of operators that nodes were added of. */
  #domainsMissing(): string[] {
    const imported = this.#modelFields.flatMap((field) => contents(field, MODEL_OPSET));
    const known = new Set(['', ...imported.map((opset) => textOf(opset, OPSET_DOMAIN))]);
    return [...new Set(this.#nodes.map(({ domain }) => domain))].filter((domain) => !known.has(domain));
  }

  #learn(node: OnnxNode): void {
    for (const output of node.outputs) this.#producers.set(output, node);
    for (const input of node.inputs) {
      const known = this.#consumers.get(input);
      if (known === undefined) this.#consumers.set(input, new Set([node]));
      else known.add(node);
    }
  }

  #forget(node: OnnxNode): void {
    for (const output of node.outputs) this.#producers.delete(output);
    for (const input of node.inputs) this.#consumers.get(input)?.delete(node);
  }
}

/** Whole numbers of an attribute; undefined where the node has none of that name. */
export function intsOf(node: OnnxNode, attribute: string): readonly number[] | undefined {
  const bytes = node.attributes.get(attribute);
  if (bytes === undefined) return undefined;
  return (readMessage(bytes) ?? [])
    .filter(({ number }) => number === ATTRIBUTE_INTS || number === ATTRIBUTE_INT)
    .flatMap((field) => varintsOf(bytes, field));
}

/** The text of an attribute; undefined where the node has none of that name. */
export function stringOf(node: OnnxNode, attribute: string): string | undefined {
  const bytes = node.attributes.get(attribute);
  return bytes && textOf(bytes, ATTRIBUTE_STRING);
}

/** Of a convolution: undefined where the runtime works it out by itself. */
export function padsOf(node: OnnxNode): readonly number[] | undefined {
  return (stringOf(node, 'auto_pad') ?? 'NOTSET') === 'NOTSET' ? (intsOf(node, 'pads') ?? []) : undefined;
}

function parseNode(bytes: Uint8Array): OnnxNode {
  const fields = readMessage(bytes) ?? [];
  const all = (wanted: number): Uint8Array[] =>
    fields.filter(({ number }) => number === wanted).map((field) => contentOf(bytes, field));
  const text = (wanted: number): string => all(wanted).map(decode)[0] ?? '';
  return {
    opType: text(NODE_OP_TYPE),
    domain: text(NODE_DOMAIN),
    name: text(NODE_NAME),
    inputs: all(NODE_INPUT).map(decode),
    outputs: all(NODE_OUTPUT).map(decode),
    attributes: new Map(
      all(NODE_ATTRIBUTE).map((attribute) => [textOf(attribute, ATTRIBUTE_NAME), attribute]),
    ),
  };
}

function writeNode({ opType, domain, name, inputs, outputs, attributes }: OnnxNode): Uint8Array {
  const writer = new ProtobufWriter();
  for (const input of inputs) writer.text(NODE_INPUT, input);
  for (const output of outputs) writer.text(NODE_OUTPUT, output);
  writer.text(NODE_NAME, name).text(NODE_OP_TYPE, opType);
  for (const attribute of attributes.values()) writer.bytes(NODE_ATTRIBUTE, attribute);
  if (domain !== '') writer.text(NODE_DOMAIN, domain);
  return writer.finish();
}

function newNode({ opType, inputs, output, ints = {}, int = {}, domain = '' }: NewNode): OnnxNode {
  const named = (name: string): ProtobufWriter => new ProtobufWriter().text(ATTRIBUTE_NAME, name);
  const attributes = new Map([
    ...Object.entries(ints).map(([name, values]): [string, Uint8Array] => [
      name,
      named(name).packed(ATTRIBUTE_INTS, values).varint(ATTRIBUTE_TYPE, INTS_TYPE).finish(),
    ]),
    ...Object.entries(int).map(([name, value]): [string, Uint8Array] => [
      name,
      named(name).varint(ATTRIBUTE_INT, value).varint(ATTRIBUTE_TYPE, INT_TYPE).finish(),
    ]),
  ]);
  return { opType, domain, name: output, inputs, outputs: [output], attributes };
}

/** Contents of all fields of that number. */
function contents(message: Uint8Array, fieldNumber: number): Uint8Array[] {
  return (readMessage(message) ?? [])
    .filter(({ number, wireType }) => number === fieldNumber && wireType === WIRE_BYTES)
    .map((field) => contentOf(message, field));
}

/** Fields as they stand in the message, tags included. */
function rawFields(message: Uint8Array, isWanted: (fieldNumber: number) => boolean): Uint8Array[] {
  let start = 0;
  const wanted: Uint8Array[] = [];
  for (const { number, contentOffset, contentBytes } of readMessage(message) ?? []) {
    const end = contentOffset + contentBytes;
    if (isWanted(number)) wanted.push(message.subarray(start, end));
    start = end;
  }
  return wanted;
}

const contentOf = (bytes: Uint8Array, { contentOffset, contentBytes }: ProtobufField): Uint8Array =>
  bytes.subarray(contentOffset, contentOffset + contentBytes);

const decode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

function textOf(message: Uint8Array, fieldNumber: number): string {
  const [text] = contents(message, fieldNumber);
  return text === undefined ? '' : decode(text);
}
