/** Constants of an ONNX graph: `TensorProto` in onnx.proto, as much of it as weights need. */
import { type ProtobufField, readMessage, WIRE_BYTES } from '../../models/protobuf.js';
import { ProtobufWriter } from '../../models/protobuf-writer.js';

const DIMS_FIELD = 1;
const DATA_TYPE_FIELD = 2;
const FLOAT_DATA_FIELD = 4;
const INT64_DATA_FIELD = 7;
const NAME_FIELD = 8;
const RAW_DATA_FIELD = 9;
const EXTERNAL_DATA_FIELD = 13;

const FLOAT = 1;
const UINT8 = 2;
const INT8 = 3;
const INT64 = 7;

/** Values of a constant, in row-major order. */
export interface OnnxConstant {
  readonly dims: readonly number[];
  readonly values: Float64Array;
  readonly type: 'float' | 'integer';
}

export const nameOfTensor = (tensor: Uint8Array): string | undefined => {
  const field = readMessage(tensor)?.find(({ number }) => number === NAME_FIELD);
  return field && Buffer.from(contentOf(tensor, field)).toString('utf8');
};

/** Undefined for what is no tensor, is kept in another file, or has a type that weights do not have. */
export function readConstant(tensor: Uint8Array): OnnxConstant | undefined {
  const fields = readMessage(tensor);
  if (fields === undefined || fields.some(({ number }) => number === EXTERNAL_DATA_FIELD)) return undefined;
  const dims = fields
    .filter(({ number }) => number === DIMS_FIELD)
    .flatMap((field) => varintsOf(tensor, field));
  const typeField = fields.find(({ number }) => number === DATA_TYPE_FIELD);
  const type = typeField && varintsOf(tensor, typeField)[0];
  const length = dims.reduce((all, dim) => all * dim, 1);
  const values = valuesOf(tensor, fields, type);
  if (values?.length !== length) return undefined;
  return { dims, values, type: type === FLOAT ? 'float' : 'integer' };
}

/** A tensor of floats under this name. */
export function writeFloats(
  name: string,
  { dims, values }: Pick<OnnxConstant, 'dims' | 'values'>,
): Uint8Array {
  const floats = new Float32Array(values);
  return new ProtobufWriter()
    .packed(DIMS_FIELD, dims)
    .varint(DATA_TYPE_FIELD, FLOAT)
    .text(NAME_FIELD, name)
    .bytes(RAW_DATA_FIELD, new Uint8Array(floats.buffer))
    .finish();
}

function valuesOf(
  tensor: Uint8Array,
  fields: readonly ProtobufField[],
  type: number | undefined,
): Float64Array | undefined {
  const raw = fields.find(({ number }) => number === RAW_DATA_FIELD);
  const bytes = raw && contentOf(tensor, raw);
  switch (type) {
    case FLOAT:
      return floatsOf(bytes ?? packedFloats(tensor, fields));
    case INT8:
      return bytes && Float64Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    case UINT8:
      return bytes && Float64Array.from(bytes);
    case INT64:
      return bytes ? longsOf(bytes) : integersOf(tensor, fields);
    default:
      return undefined;
  }
}

/** `float_data`: packed, or one field a value. */
function packedFloats(tensor: Uint8Array, fields: readonly ProtobufField[]): Uint8Array {
  const parts = fields.filter(({ number }) => number === FLOAT_DATA_FIELD);
  return Buffer.concat(parts.map((field) => contentOf(tensor, field)));
}

const integersOf = (tensor: Uint8Array, fields: readonly ProtobufField[]): Float64Array =>
  Float64Array.from(
    fields.filter(({ number }) => number === INT64_DATA_FIELD).flatMap((field) => varintsOf(tensor, field)),
  );

/** Tensors lie anywhere in a file: copied, because typed arrays want them aligned. Little-endian, as this machine. */
const floatsOf = (bytes: Uint8Array): Float64Array =>
  new Float64Array(new Float32Array(new Uint8Array(bytes).buffer, 0, Math.floor(bytes.length / 4)));

const longsOf = (bytes: Uint8Array): Float64Array =>
  Float64Array.from(new BigInt64Array(new Uint8Array(bytes).buffer, 0, Math.floor(bytes.length / 8)), Number);

const contentOf = (bytes: Uint8Array, { contentOffset, contentBytes }: ProtobufField): Uint8Array =>
  bytes.subarray(contentOffset, contentOffset + contentBytes);

/** A field's whole numbers, packed or single. Negative ones have ten bytes. */
export function varintsOf(message: Uint8Array, field: ProtobufField): number[] {
  const content = contentOf(message, field);
  const values: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of content) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    values.push(Number(BigInt.asIntN(64, value)));
    value = 0n;
    shift = 0n;
  }
  return field.wireType === WIRE_BYTES ? values : values.slice(0, 1);
}
