export function parseVocabulary(lines: readonly string[]): string[] { return [...lines]; }
