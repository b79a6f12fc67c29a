/**
 * A quick look at an ONNX file before a recogniser is given it. The sherpa addon ends its process on a bad file, so
 * a half download or an error page saved under the name of a model has to be noticed before.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { CaptionError } from '../../protocol/index.js';
import { readField, readMessage, WIRE_BYTES } from './protobuf.js';

/** `ModelProto.graph` in onnx.proto. */
const GRAPH_FIELD = 7;
/** `ModelProto.metadata_props`, and the two fields of its entries. */
const METADATA_FIELD = 14;
const KEY_FIELD = 1;
const VALUE_FIELD = 2;
/** Longest metadata entry that is read: larger ones are not meant for us. */
const MAX_METADATA_BYTES = 1_000_000;
/** A model has some ten fields on its top level plus one per metadata entry. */
const MAX_TOP_LEVEL_FIELDS = 10_000;
/** Enough for a field's tag and length. */
const HEAD_BYTES = 64;

/**
 * Walks the top level of the file: it must be protobuf up to its very last byte and have a graph. That finds files
 * that are cut off, error pages and Git LFS pointers, without loading the weights.
 * Throws CaptionError `model_incomplete` for an empty file, `model_damaged` for anything else that is wrong.
 */
export async function checkOnnxFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size === 0) throw new CaptionError('model_incomplete', `${path} is empty.`);
    const problem = await findProblem(file, size);
    if (problem !== undefined)
      throw new CaptionError('model_damaged', `${path} is no usable ONNX file: ${problem}.`);
  } finally {
    await file.close();
  }
}

/**
 * What the exporter noted in the file, by key. Weights are skipped. Throws CaptionError `model_damaged` where the file is not
 * protobuf to its end, `model_incomplete` where it is empty.
 */
export async function readOnnxMetadata(path: string): Promise<ReadonlyMap<string, string>> {
  await checkOnnxFile(path);
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(HEAD_BYTES);
    const metadata = new Map<string, string>();
    for (let offset = 0; offset < size;) {
      const { bytesRead } = await file.read(head, 0, HEAD_BYTES, offset);
      const field = readField(head.subarray(0, bytesRead), 0);
      if (field === undefined) break;
      if (field.number === METADATA_FIELD && field.contentBytes <= MAX_METADATA_BYTES) {
        const entry = Buffer.alloc(field.contentBytes);
        await file.read(entry, 0, entry.length, offset + field.contentOffset);
        const key = textOf(entry, KEY_FIELD);
        if (key !== undefined) metadata.set(key, textOf(entry, VALUE_FIELD) ?? '');
      }
      offset += field.contentOffset + field.contentBytes;
    }
    return metadata;
  } finally {
    await file.close();
  }
}

function textOf(message: Buffer, fieldNumber: number): string | undefined {
  const field = readMessage(message)?.find(({ number }) => number === fieldNumber);
  if (field === undefined) return undefined;
  return message.toString('utf8', field.contentOffset, field.contentOffset + field.contentBytes);
}

async function findProblem(file: FileHandle, sizeBytes: number): Promise<string | undefined> {
  const head = Buffer.alloc(HEAD_BYTES);
  let offset = 0;
  let hasGraph = false;
  for (let fields = 0; offset < sizeBytes && fields < MAX_TOP_LEVEL_FIELDS; fields++) {
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, offset);
    const view = head.subarray(0, bytesRead);
    if (offset === 0) {
      const impostor = knownImpostor(view.toString('latin1'));
      if (impostor !== undefined) return impostor;
    }
    const field = readField(view, 0);
    if (field === undefined) return `byte ${offset} is not the beginning of a protobuf field`;
    if (field.number === GRAPH_FIELD && field.wireType === WIRE_BYTES) hasGraph = true;
    offset += field.contentOffset + field.contentBytes;
  }
  if (offset !== sizeBytes) return `it should have at least ${offset} bytes and has ${sizeBytes}`;
  return hasGraph ? undefined : 'it has no graph';
}

function knownImpostor(head: string): string | undefined {
  if (head.startsWith('version https://git-lfs'))
    return 'it is a Git LFS pointer ("git lfs pull" fetches the file)';
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(head)) return 'it is a web page, probably an error message';
  return undefined;
}
