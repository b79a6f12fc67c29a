/**
 * The models that `models pull` knows. All are k2-fsa's, published as archives in the releases of k2-fsa/sherpa-onnx.
 *
 * A model is not listed file by file: `model-files.ts` recognises encoder, decoder, joiner, tokens and vocabulary by
 * the pattern of their names, which all of these archives follow.
 */
import { CaptionError } from '../../protocol/index.js';

/** How weights and activations are stored: 8-bit integers (smaller, faster where the model is big) or 32-bit floats. */
export type Precision = 'int8' | 'fp32';
/** `auto` is the registry's choice for the model, and int8 for a model it does not know. */
export type PrecisionPreference = 'auto' | Precision;
/** How a model writes letters. */
export type Casing = 'upper' | 'lower' | 'mixed';

/** Where a model is published, and what is known of the file. */
export interface ModelArchive {
  readonly url: string;
  /** Present only where a source could be cited. */
  readonly sizeBytes?: number;
  /** Lower-case hex; present only where a source could be cited. */
  readonly sha256?: string;
}

interface RegisteredBase {
  /** Name on the command line and of the folder it is installed in. */
  readonly id: string;
  readonly title: string;
  /** BCP 47. */
  readonly languages: readonly string[];
  /** SPDX identifier where the publisher names one, else a few words. */
  readonly licence: string;
  readonly archive: ModelArchive;
  /** Name of the one folder inside the archive; a folder of this name is found like one named by the id. */
  readonly folder: string;
  readonly preferredPrecision: Precision;
}

export interface RegisteredRecogniser extends RegisteredBase {
  readonly kind: 'recogniser';
  readonly casing: Casing;
  /** Whether its text comes with punctuation. */
  readonly punctuates: boolean;
}

export interface RegisteredPunctuation extends RegisteredBase {
  readonly kind: 'punctuation';
}

export type RegisteredModel = RegisteredRecogniser | RegisteredPunctuation;

/** What a machine without any setting uses. */
export const DEFAULT_MODEL_ID = 'zipformer-en-3.3m';
/** Adds capitals and punctuation to English text that has none. */
export const PUNCTUATION_MODEL_ID = 'online-punct-en-2024-08-06';

const RELEASES = 'https://github.com/k2-fsa/sherpa-onnx/releases/download';

const archive = (
  tag: string,
  folder: string,
  known: { sizeBytes: number; sha256: string },
): ModelArchive => ({
  url: `${RELEASES}/${tag}/${folder}.tar.bz2`,
  ...known,
});

/**
 * Addresses, sizes and checksums are those that public projects pinned for the same release assets, found by searching
 * their sources in November 2026: every value stands, equal, in at least two unrelated catalogues (for instance that of
 * "gnomeola" for the two bigger English models); where only one has it, the entry says so. None was downloaded here.
 * Licences: the model cards (2023-06-26, bilingual), else what those catalogues say.
 */
export const MODEL_REGISTRY: readonly RegisteredModel[] = [
  {
    kind: 'recogniser',
    id: DEFAULT_MODEL_ID,
    title: 'English, 3.3 M parameters (GigaSpeech)',
    languages: ['en'],
    licence: 'Apache-2.0',
    folder: 'sherpa-onnx-kws-zipformer-gigaspeech-3.3M-2024-01-01',
    // In ten catalogues, one of which compared it with the checksum file of the release.
    archive: archive('kws-models', 'sherpa-onnx-kws-zipformer-gigaspeech-3.3M-2024-01-01', {
      sizeBytes: 17_626_723,
      sha256: 'f170013b4716e41b62b9bfd809687c207cef798ef9bc6534d524e17af9b6561a',
    }),
    // fp32: small enough to be as fast, and the encoder's results do not depend on which streams share its batch.
    preferredPrecision: 'fp32',
    casing: 'upper',
    punctuates: false,
  },
  {
    kind: 'recogniser',
    id: 'zipformer-en-2023-06-26',
    title: 'English, 66 M parameters (LibriSpeech)',
    languages: ['en'],
    licence: 'Apache-2.0',
    folder: 'sherpa-onnx-streaming-zipformer-en-2023-06-26',
    archive: archive('asr-models', 'sherpa-onnx-streaming-zipformer-en-2023-06-26', {
      sizeBytes: 310_414_022,
      sha256: '639e25b578e9e997131402199419c13a941f8e4e198e2da1ce57dbf5cf401282',
    }),
    preferredPrecision: 'int8',
    casing: 'upper',
    punctuates: false,
  },
  {
    kind: 'recogniser',
    id: 'zipformer-en-20m-2023-02-17',
    title: 'English, 20 M parameters (LibriSpeech)',
    languages: ['en'],
    licence: 'Apache-2.0',
    folder: 'sherpa-onnx-streaming-zipformer-en-20M-2023-02-17',
    archive: archive('asr-models', 'sherpa-onnx-streaming-zipformer-en-20M-2023-02-17', {
      sizeBytes: 127_887_156,
      sha256: '9c559283e8498d3fe95913c79ca1cb454bb26281ac2b102b41306c7d752765d9',
    }),
    preferredPrecision: 'int8',
    casing: 'upper',
    punctuates: false,
  },
  {
    kind: 'recogniser',
    id: 'zipformer-fr-2023-04-14',
    title: 'French (Common Voice)',
    languages: ['fr'],
    licence: 'Apache-2.0',
    folder: 'sherpa-onnx-streaming-zipformer-fr-2023-04-14',
    archive: archive('asr-models', 'sherpa-onnx-streaming-zipformer-fr-2023-04-14', {
      sizeBytes: 398_444_115,
      sha256: '77d4cbd61dcfa55fd2c14efc0ce5c6798be5931c05f35df5bab60c921950bb8c',
    }),
    preferredPrecision: 'int8',
    casing: 'upper',
    punctuates: false,
  },
  kroko('fr', 'French', {
    sizeBytes: 57_220_361,
    sha256: 'e6ffd3dc43725cd6c8137b05c739f15607d0df946b9b90eb141e10059efca024',
  }),
  kroko('de', 'German', {
    sizeBytes: 57_565_698,
    sha256: '9e27b783c20e67b0d0f13a258c1861fce199917c969d9176a438bee38df64962',
  }),
  kroko('es', 'Spanish', {
    sizeBytes: 124_394_665,
    sha256: '31b2230a95d23290b308b393da930015a4b2105cb3abb9367aed35f7fcf29cf1',
  }),
  {
    kind: 'recogniser',
    id: 'zipformer-bilingual-zh-en-2023-02-20',
    title: 'Chinese and English',
    languages: ['zh', 'en'],
    licence: 'Apache-2.0',
    folder: 'sherpa-onnx-streaming-zipformer-bilingual-zh-en-2023-02-20',
    archive: archive('asr-models', 'sherpa-onnx-streaming-zipformer-bilingual-zh-en-2023-02-20', {
      sizeBytes: 511_274_346,
      sha256: '27ffbd9ee24ad186d99acc2f6354d7992b27bcab490812510665fa8f9389c5f8',
    }),
    preferredPrecision: 'int8',
    casing: 'upper',
    punctuates: false,
  },
  {
    kind: 'punctuation',
    id: PUNCTUATION_MODEL_ID,
    title: 'English capitals and punctuation (Edge-Punct-Casing)',
    languages: ['en'],
    // Neither the repository it comes from (frankyoujian/Edge-Punct-Casing) nor the release names a licence.
    licence: 'not stated',
    folder: 'sherpa-onnx-online-punct-en-2024-08-06',
    // The size is confirmed by several catalogues, the checksum was found in one.
    archive: archive('punctuation-models', 'sherpa-onnx-online-punct-en-2024-08-06', {
      sizeBytes: 30_667_839,
      sha256: '9f5e5a72c7d2829635bd074fce92b6bbd5b78da8a52e7ad8ed1be933f366b99d',
    }),
    preferredPrecision: 'int8',
  },
];

/** Kroko's community models of 6 August 2025: mixed case and punctuation, one precision per archive. */
function kroko(
  language: string,
  languageName: string,
  known: { sizeBytes: number; sha256: string },
): RegisteredRecogniser {
  const folder = `sherpa-onnx-streaming-zipformer-${language}-kroko-2025-08-06`;
  return {
    kind: 'recogniser',
    id: `zipformer-${language}-kroko-2025-08-06`,
    title: `${languageName}, with capitals and punctuation (Kroko)`,
    languages: [language],
    // "CC-BY-SA licensed community models" (README of kroko-onnx), which gives no version.
    licence: 'CC-BY-SA',
    folder,
    archive: archive('asr-models', folder, known),
    preferredPrecision: 'int8',
    casing: 'mixed',
    punctuates: true,
  };
}

/** The registered model of that id or archive folder name, if there is one. */
export const registeredModel = (
  name: string,
  registry: readonly RegisteredModel[] = MODEL_REGISTRY,
): RegisteredModel | undefined => registry.find((model) => model.id === name || model.folder === name);

/** A model id is used as a folder name, so it has no separators and does not begin with a dot. */
export const isModelId = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name);

/** Throws CaptionError `usage_model_id` for a name that cannot be a model's folder. */
export function assertModelId(name: string): void {
  if (isModelId(name)) return;
  throw new CaptionError(
    'usage_model_id',
    `"${name}" is no model id: use 1 to 100 letters, digits, dots, dashes or underscores, beginning with a letter or digit.`,
  );
}
