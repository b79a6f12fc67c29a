import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
/** `new CaptionError('code'`, and the short-hands and lists that files of the project have for it. */
const CODE = /(?:CaptionError|CodecError|failure|damaged|incomplete|unusable|refuse)\(\s*'([a-z][a-z_]+)'/g;
/** Errors that mean a mistake in a program which uses our modules, not something that a user meets. */
const INTERNAL = ['alignment_too_long', 'percentile_invalid', 'resampler_closed', 'resampler_failed'];

function codesInSources(): Set<string> {
  const codes = new Set<string>();
  for (const folder of ['protocol', 'asr', 'gateway', 'bench']) {
    for (const file of readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts') || file.includes('testing/')) continue;
      const source = readFileSync(`${root}${folder}/${file}`, 'utf8');
      for (const [, code] of source.matchAll(CODE)) if (code !== undefined) codes.add(code);
    }
  }
  return codes;
}

function codesInReadme(): Set<string> {
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const table = /<!-- errors -->(.*)<!-- \/errors -->/s.exec(readme)?.[1] ?? '';
  return new Set([...table.matchAll(/^\| `([a-z_]+)`/gm)].map(([, code]) => code ?? ''));
}

describe("the README's table of errors", () => {
  it('names every code that the sources throw, and no other', () => {
    const expected = [...codesInSources()].filter((code) => !INTERNAL.includes(code)).sort();
    expect([...codesInReadme()].sort()).toEqual(expected);
  });
});
