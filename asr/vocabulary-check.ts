import { readFile } from 'node:fs/promises';
import { CaptionError } from '../protocol/index.js';
import type { InstalledModel } from './models/index.js';
import { parseTokens } from './models/tokens.js';
import { HotwordCompiler } from './zipformer/hotword-compiler.js';

/** How many phrases a message names. */
const NAMED_PHRASES = 5;

/** Phrases of a vocabulary that recognition does not favour. Where they are recognised they are spelled as written all the same. */
export interface UnfavouredPhrases {
  /** Code `vocabulary_not_favoured`; its message names the first few phrases, so it is nothing for a log. */
  readonly error: CaptionError;
  readonly phrases: readonly string[];
}

/** Tells which phrases of a vocabulary a model can favour, so that none is left out in silence. */
export class VocabularyCheck {
  readonly #compiler: HotwordCompiler | undefined;

  private constructor(compiler: HotwordCompiler | undefined) {
    this.#compiler = compiler;
  }

  static async create({ files }: Pick<InstalledModel, 'files'>): Promise<VocabularyCheck> {
    const { tokens, bpeVocab } = files;
    if (bpeVocab === undefined) return new VocabularyCheck(undefined);
    try {
      const pieces = parseTokens(await readFile(tokens, 'utf8'), tokens);
      return new VocabularyCheck(HotwordCompiler.of(await readFile(bpeVocab, 'utf8'), pieces));
    } catch {
      // The child refuses such files, and says why.
      return new VocabularyCheck(undefined);
    }
  }

  /** `engine` is what runs the model. Undefined when every phrase is favoured. */
  unfavoured(
    vocabulary: readonly string[],
    engine: 'zipformer' | 'sherpa' | undefined,
  ): UnfavouredPhrases | undefined {
    if (vocabulary.length === 0) return undefined;
    if (engine === 'sherpa')
      return unfavoured('sherpa-onnx favours no phrases of single speakers', vocabulary);
    if (this.#compiler === undefined) return unfavoured('The model has no bpe.vocab', vocabulary);
    const { unwritable } = this.#compiler.compile(vocabulary);
    return unwritable.length === 0
      ? undefined
      : unfavoured('The model has no letters for a part of the vocabulary', unwritable);
  }
}

function unfavoured(reason: string, phrases: readonly string[]): UnfavouredPhrases {
  const named = phrases.slice(0, NAMED_PHRASES).map((phrase) => `"${phrase}"`);
  const others = phrases.length - named.length;
  const list = `${named.join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
  const message = `${reason}: not favoured, but spelled as written where recognised: ${list}.`;
  return { error: new CaptionError('vocabulary_not_favoured', message), phrases };
}
