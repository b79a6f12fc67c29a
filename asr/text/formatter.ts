export interface Formatter { format(words: readonly string[], context: { startsSentence: boolean; endsSentence: boolean }): string[]; stableCount(words: readonly string[]): number }
export function createFormatter(_o: { language: string; casing: string; punctuates: boolean; vocabulary: readonly string[] }): Formatter {
  return { format: (w) => w.map((x) => x.toLowerCase()), stableCount: (w) => Math.max(0, w.length - 1) };
}
