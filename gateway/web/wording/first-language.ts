export interface FoundLanguage<Words> {
  /** As it was wanted, for instance "fr-CA". */
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
  for (const tag of wanted) {
    const language = tag.split('-')[0]?.toLowerCase() ?? '';
    const wording = languages.get(language);
    if (wording !== undefined) return { tag, language, wording };
  }
  return undefined;
}
