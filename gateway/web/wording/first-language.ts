import { languageTag, primaryLanguage } from '../../../protocol/index.js';

export interface FoundLanguage<Words> {
  /** As it was wanted, in its usual spelling, for instance "fr-CA". */
  readonly tag: string;
  /** The key under which there are words. */
  readonly language: string;
  readonly wording: Words;
}

/** The first of `wanted` (BCP 47) in which there are words; undefined for none. Keys of `languages` are the first part of tags. */
export function firstLanguage<Words>(
  wanted: readonly string[],
  languages: ReadonlyMap<string, Words>,
): FoundLanguage<Words> | undefined {
  for (const text of wanted) {
    const tag = languageTag(text);
    if (tag === undefined) continue;
    const language = primaryLanguage(tag);
    const wording = languages.get(language);
    if (wording !== undefined) return { tag, language, wording };
  }
  return undefined;
}
