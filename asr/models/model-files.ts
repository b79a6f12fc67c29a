/**
 * Which files of a folder make up a model. Names are matched by pattern, because every release names them anew:
 * `encoder.int8.onnx`, `encoder-epoch-99-avg-1-chunk-16-left-128.onnx`, `joiner.fp32.onnx`, …
 */
import { isClutter } from './clutter.js';
import type { Precision } from './registry.js';

/** File names, without the folder. `precision` is the encoder's. */
export interface RecogniserFileNames {
  readonly encoder: string;
  readonly decoder: string;
  readonly joiner: string;
  readonly precision: Precision;
}

export interface PunctuationFileNames {
  readonly model: string;
  readonly precision: Precision;
}

/** The patterns for which no file was found, for instance `encoder*.onnx`. */
export interface MissingFiles {
  readonly missing: readonly string[];
}

export const TOKENS_FILE = 'tokens.txt';
export const BPE_MODEL_FILE = 'bpe.model';
export const BPE_VOCAB_FILE = 'bpe.vocab';

const ROLES = ['encoder', 'decoder', 'joiner'] as const;
type Role = (typeof ROLES)[number];
/** Role, the rest of the name ("variant"), precision. A name without a mark is fp32: that is how they are published. */
const RECOGNISER_FILE = /^(encoder|decoder|joiner)((?:[-._].*?)??)(?:\.(int8|fp32))?\.onnx$/;
const PUNCTUATION_FILE = /^model(?:\.(int8|fp32))?\.onnx$/;
/** What `models import` copies out of a folder. */
const BELONGS_TO_A_MODEL =
  /^(?:.*\.onnx|tokens\.txt|bpe\.(?:model|vocab)|model\.json|(?:README|LICEN[CS]E|NOTICE)(?:\..*)?)$/i;

/** One export of a model: the same variant in all three roles, each in one or two precisions. */
type Variant = Partial<Record<Role, Partial<Record<Precision, string>>>>;

/** Whether a file of that name is part of a model, or says something about it. */
export const belongsToModel = (fileName: string): boolean =>
  BELONGS_TO_A_MODEL.test(fileName) && !isClutter(fileName);

/**
 * The encoder, decoder and joiner among `fileNames`. The three come from one variant; of several complete variants
 * the first in alphabetical order. Encoder and joiner have the wanted precision where it exists, else the other one.
 * The decoder is fp32 where it exists: it is one small layer, of which quantising makes nothing faster.
 */
export function selectRecogniserFiles(
  fileNames: readonly string[],
  wanted: Precision,
): RecogniserFileNames | MissingFiles {
  const variants = groupByVariant(fileNames);
  for (const [, variant] of [...variants].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const encoder = pick(variant.encoder, wanted);
    const decoder = pick(variant.decoder, 'fp32');
    const joiner = pick(variant.joiner, wanted);
    if (encoder && decoder && joiner) {
      return {
        encoder: encoder.name,
        decoder: decoder.name,
        joiner: joiner.name,
        precision: encoder.precision,
      };
    }
  }
  const absent = ROLES.filter((role) => ![...variants.values()].some((variant) => variant[role]));
  // All three exist, but never of one variant.
  const roles = absent.length > 0 ? absent : ROLES;
  return { missing: roles.map((role) => `${role}*.onnx`) };
}

/** The network of a punctuation model among `fileNames`, in the wanted precision where it exists. */
export function selectPunctuationFiles(
  fileNames: readonly string[],
  wanted: Precision,
): PunctuationFileNames | MissingFiles {
  const found: Partial<Record<Precision, string>> = {};
  for (const name of fileNames) {
    const match = PUNCTUATION_FILE.exec(name);
    if (match) found[precisionOf(match[1])] = name;
  }
  const model = pick(found, wanted);
  return model ? { model: model.name, precision: model.precision } : { missing: ['model*.onnx'] };
}

function groupByVariant(fileNames: readonly string[]): Map<string, Variant> {
  const variants = new Map<string, Variant>();
  for (const name of fileNames) {
    const match = RECOGNISER_FILE.exec(name);
    // Half precision exists for GPUs; it is no variant of ours.
    if (match === null || name.endsWith('.fp16.onnx')) continue;
    const role = match[1] as Role;
    const variantName = match[2] ?? '';
    const variant = variants.get(variantName) ?? {};
    variant[role] = { ...variant[role], [precisionOf(match[3])]: name };
    variants.set(variantName, variant);
  }
  return variants;
}

const precisionOf = (mark: string | undefined): Precision => (mark === 'int8' ? 'int8' : 'fp32');

function pick(
  files: Partial<Record<Precision, string>> | undefined,
  wanted: Precision,
): { name: string; precision: Precision } | undefined {
  for (const precision of [wanted, wanted === 'int8' ? 'fp32' : 'int8'] as const) {
    const name = files?.[precision];
    if (name !== undefined) return { name, precision };
  }
  return undefined;
}
