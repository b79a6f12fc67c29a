import { MAX_LANGUAGE_CHARS } from './limits.js';

/** What a language must be; completes the sentence "… must be …". */
export const LANGUAGE_TAG_RULE = `a language tag (BCP 47) of at most ${MAX_LANGUAGE_CHARS} characters, such as "fr", "en-GB" or "zh-Hant"`;

/** What operating systems put behind a language: `fr_FR.UTF-8`, `ca_ES@valencia`. */
const LOCALE_SUFFIX = /[.@].*$/;
/** Longer than any tag with such a suffix; what is longer is not looked at. */
const MAX_LOCALE_CHARS = 2 * MAX_LANGUAGE_CHARS;

/**
 * The language tag (BCP 47) that `text` means, in the one spelling that is used everywhere: "en_us" and "EN-us" are "en-US". Undefined
 * for what is no language tag. The only place where languages from outside are read.
 */
export function languageTag(text: string): string | undefined {
  if (text.length > MAX_LOCALE_CHARS) return undefined;
  try {
    const [tag] = Intl.getCanonicalLocales(text.trim().replace(LOCALE_SUFFIX, '').replaceAll('_', '-'));
    return tag !== undefined && tag.length <= MAX_LANGUAGE_CHARS ? tag : undefined;
  } catch {
    return undefined;
  }
}

/** The language itself, without script and region: "zh" of "zh-Hant-TW". */
export const primaryLanguage = (tag: string): string => tag.split('-')[0] ?? '';
