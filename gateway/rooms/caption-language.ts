import { CaptionError, LANGUAGE_TAG_RULE, languageTag, primaryLanguage } from '../../protocol/index.js';
import type { InstalledModel } from '../../asr/index.js';

/**
 * The language to caption a speaker in: the one asked for, which the model must know, else the gateway's, else the model's first; empty when
 * none of them says one. Throws CaptionError `language_unsupported`.
 */
export type LanguageChooser = (wanted?: string) => string;

/**
 * `preferred` is CAPTION_LANGUAGE, empty for none. Languages are compared without script and region. Throws CaptionError
 * `language_unsupported` when the model does not know it: better at the start than with the first speaker.
 */
export function languageChooser(
  model: Pick<InstalledModel, 'id' | 'languages'>,
  preferred: string,
): LanguageChooser {
  const { id, languages } = model;
  const known = (wanted: string): string => {
    const tag = languageTag(wanted);
    if (tag === undefined)
      throw new CaptionError('language_unsupported', `A language must be ${LANGUAGE_TAG_RULE}.`);
    const isKnown = languages.some(
      (language) => primaryLanguage(languageTag(language) ?? language) === primaryLanguage(tag),
    );
    if (isKnown || languages.length === 0) return tag;
    throw new CaptionError(
      'language_unsupported',
      `Model ${id} knows ${languages.join(', ')}, not the language that was asked for; use another CAPTION_MODEL.`,
    );
  };
  const usual = preferred === '' ? (languages[0] ?? '') : known(preferred);
  return (wanted) => (wanted === undefined || wanted === '' ? usual : known(wanted));
}
