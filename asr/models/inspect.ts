/** Turns a folder into a model that can be used, or says exactly what is wrong with it. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionError } from '../../protocol/index.js';
import { readTextFile } from '../text-file.js';
import { isMissing, readInstallRecord } from './install-record.js';
import { readModelDescription } from './model-description.js';
import { BPE_VOCAB_FILE, selectPunctuationFiles, selectRecogniserFiles, TOKENS_FILE } from './model-files.js';
import { checkOnnxFile } from './onnx-file.js';
import type {
  Casing,
  Precision,
  PrecisionPreference,
  RegisteredModel,
  RegisteredPunctuation,
  RegisteredRecogniser,
} from './registry.js';
import { detectTextStyle, parseTokens } from './tokens.js';

/** A speech recogniser on this machine, its files checked. Paths are as absolute as the directories searched. */
export interface InstalledModel {
  readonly kind: 'recogniser';
  readonly id: string;
  readonly dir: string;
  readonly title: string;
  /** BCP 47; empty when unknown. */
  readonly languages: readonly string[];
  readonly casing: Casing;
  readonly punctuates: boolean;
  /** Of the encoder, by its file name; a name without a mark counts as fp32. */
  readonly precision: Precision;
  readonly files: {
    readonly encoder: string;
    readonly decoder: string;
    readonly joiner: string;
    readonly tokens: string;
    /** Needed for hotwords only. */
    readonly bpeVocab?: string;
  };
}

/** A model that adds capitals and punctuation to text. */
export interface InstalledPunctuation {
  readonly kind: 'punctuation';
  readonly id: string;
  readonly dir: string;
  readonly title: string;
  readonly languages: readonly string[];
  readonly precision: Precision;
  readonly files: { readonly model: string; readonly bpeVocab: string };
}

export interface InspectOptions {
  readonly dir: string;
  readonly id: string;
  /** What the registry says of it, if anything. A model that it does not know is taken for a recogniser. */
  readonly registered?: RegisteredModel | undefined;
  readonly precision: PrecisionPreference;
}

/**
 * Checks the folder of one model: its files exist, are as long as when they were installed, and look like what they
 * should be. Weights are not read through; `verifyModel` does that.
 * Throws CaptionError `model_incomplete` (a file is absent or empty) or `model_damaged`, with what to do about it.
 */
export async function inspectModel(options: InspectOptions): Promise<InstalledModel | InstalledPunctuation> {
  const { registered, dir } = options;
  try {
    await checkSizes(dir);
    return registered?.kind === 'punctuation'
      ? await inspectPunctuation(options, registered)
      : await inspectRecogniser(options, registered);
  } catch (error) {
    throw withAdvice(error, options);
  }
}

async function inspectRecogniser(
  { dir, id, precision }: InspectOptions,
  registered: RegisteredRecogniser | undefined,
): Promise<InstalledModel> {
  const names = await readdir(dir);
  const selected = selectRecogniserFiles(names, wantedPrecision(precision, registered));
  const missing = [
    ...('missing' in selected ? selected.missing : []),
    ...(names.includes(TOKENS_FILE) ? [] : [TOKENS_FILE]),
  ];
  if ('missing' in selected || missing.length > 0) throw incomplete(dir, missing);

  const files = {
    encoder: join(dir, selected.encoder),
    decoder: join(dir, selected.decoder),
    joiner: join(dir, selected.joiner),
    tokens: join(dir, TOKENS_FILE),
    ...(names.includes(BPE_VOCAB_FILE) ? { bpeVocab: join(dir, BPE_VOCAB_FILE) } : {}),
  };
  for (const path of [files.encoder, files.decoder, files.joiner]) await checkOnnxFile(path);
  const pieces = parseTokens(await readTextFile(files.tokens), files.tokens);
  const said = registered ?? (await readModelDescription(dir));
  const detected = detectTextStyle(pieces);
  return {
    kind: 'recogniser',
    id,
    dir,
    title: said.title ?? id,
    languages: said.languages ?? [],
    casing: said.casing ?? detected.casing,
    punctuates: said.punctuates ?? detected.punctuates,
    precision: selected.precision,
    files,
  };
}

async function inspectPunctuation(
  { dir, id, precision }: InspectOptions,
  registered: RegisteredPunctuation,
): Promise<InstalledPunctuation> {
  const names = await readdir(dir);
  const selected = selectPunctuationFiles(names, wantedPrecision(precision, registered));
  const missing = [
    ...('missing' in selected ? selected.missing : []),
    ...(names.includes(BPE_VOCAB_FILE) ? [] : [BPE_VOCAB_FILE]),
  ];
  if ('missing' in selected || missing.length > 0) throw incomplete(dir, missing);

  const files = { model: join(dir, selected.model), bpeVocab: join(dir, BPE_VOCAB_FILE) };
  await checkOnnxFile(files.model);
  const { title, languages } = registered;
  return { kind: 'punctuation', id, dir, title, languages, precision: selected.precision, files };
}

const wantedPrecision = (
  preference: PrecisionPreference,
  registered: RegisteredModel | undefined,
): Precision => (preference === 'auto' ? (registered?.preferredPrecision ?? 'int8') : preference);

/** Compares the files with the install record, where there is one: finds copies that stopped half way. */
async function checkSizes(dir: string): Promise<void> {
  const record = await readInstallRecord(dir);
  for (const file of record?.files ?? []) {
    const path = join(dir, file.name);
    const sizeBytes = await sizeOf(path);
    if (sizeBytes === undefined) throw incomplete(dir, [file.name]);
    if (sizeBytes !== file.sizeBytes) {
      throw new CaptionError(
        'model_damaged',
        `${path} has ${sizeBytes} bytes, but had ${file.sizeBytes} when it was installed.`,
      );
    }
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const incomplete = (dir: string, missing: readonly string[]): CaptionError =>
  new CaptionError('model_incomplete', `The model in ${dir} has no ${missing.join(', no ')}.`);

/** What to do about a model that cannot be used. */
function withAdvice(error: unknown, { id, registered }: InspectOptions): unknown {
  if (!(error instanceof CaptionError)) return error;
  const pull = registered ? `"caption-gateway models pull ${registered.id}" fetches it again; ` : '';
  const advice = `${pull}"caption-gateway models import DIR|ARCHIVE --id ${id}" takes a good copy from elsewhere.`;
  return new CaptionError(error.code, `${error.message} ${advice}`, { cause: error.cause });
}
