import { readFileSync } from 'node:fs';
import { type ProtobufField, readMessage } from '../../models/protobuf.js';
import { parseTokens } from '../../models/tokens.js';
import { decodeText } from '../../text-file.js';
import type { RecogniserConfig } from '../messages.js';

/** `ModelProto.metadata_props` in onnx.proto, and the two fields of its entries. */
const METADATA_FIELD = 14;
const KEY_FIELD = 1;
const VALUE_FIELD = 2;
/** What icefall's export notes in the decoder: how many tokens there are. */
const VOCABULARY_SIZE_KEY = 'vocab_size';

/**
 * Throws when the tokens are not those of the model. The addon starts with any list, and ends the process at the first word
 * that is not in it.
 */
export function checkTokens({ decoder, tokens }: RecogniserConfig): void {
  const known = parseTokens(decodeText(readFileSync(tokens)), tokens).length;
  const wanted = vocabularySize(readFileSync(decoder));
  // More is harmless: many lists end in symbols that only decoding graphs use.
  if (wanted === undefined || known >= wanted) return;
  throw new Error(`${tokens} has ${known} tokens and the model needs ${wanted}: they do not belong together`);
}

/** Undefined when the file does not say, or is no ONNX file. */
function vocabularySize(decoder: Uint8Array): number | undefined {
  for (const entry of readMessage(decoder) ?? []) {
    if (entry.number !== METADATA_FIELD) continue;
    const metadata = contentOf(decoder, entry);
    if (textOf(metadata, KEY_FIELD) === VOCABULARY_SIZE_KEY) return Number(textOf(metadata, VALUE_FIELD));
  }
  return undefined;
}

function textOf(message: Uint8Array, fieldNumber: number): string | undefined {
  const field = readMessage(message)?.find(({ number }) => number === fieldNumber);
  return field && Buffer.from(contentOf(message, field)).toString('utf8');
}

const contentOf = (bytes: Uint8Array, { contentOffset, contentBytes }: ProtobufField): Uint8Array =>
  bytes.subarray(contentOffset, contentOffset + contentBytes);
