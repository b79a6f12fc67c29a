export function applyPunctuation(_w: readonly string[], _t: string): string[] | undefined { return undefined; }
