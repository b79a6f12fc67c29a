import { CaptionError } from '../../protocol/index.js';
import type { InstalledModel } from '../../asr/index.js';

/**
 * The language to caption in: the one asked for, which the model must know, else the model's first; empty when neither
 * tells one. BCP 47, compared without the region. Throws CaptionError `language_unsupported`.
 */
export function chooseLanguage(
  model: Pick<InstalledModel, 'id' | 'languages'>,
  wanted: string | undefined,
): string {
  const { id, languages } = model;
  if (wanted === undefined) return languages[0] ?? '';
  const isKnown = languages.some((language) => primarySubtag(language) === primarySubtag(wanted));
  if (isKnown || languages.length === 0) return wanted;
  throw new CaptionError(
    'language_unsupported',
    `Model ${id} knows ${languages.join(', ')}, not the language that was asked for; use another CAPTION_MODEL.`,
  );
}

const primarySubtag = (language: string): string => (language.split('-')[0] ?? '').toLowerCase();
