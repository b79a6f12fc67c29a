import { fileURLToPath } from 'node:url';
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { parseAttacks, runAbuseBench } from './abuse-bench.js';
import { ATTACKS } from './attacks.js';
import { formatAbuseResult } from './register-abuse-bench.js';

const MANIFEST = fileURLToPath(new URL('../../fixtures/speech/manifest.json', import.meta.url));

class Sink extends Writable {
  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

it('knows each attack by one name, and says which there are', () => {
  const names = ATTACKS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(parseAttacks('F1, fuzz-frames')).toEqual(['F1', 'fuzz-frames']);
  expect(() => parseAttacks('F999')).toThrow('F27');
});

describeWithModel('the bench of attacks', () => {
  it('finds that the gateway refuses a language that is none, and goes on for honest people', async () => {
    const result = await runAbuseBench({
      manifest: MANIFEST,
      attacks: ['F1'],
      seconds: 1,
      seed: 1,
      output: new Sink(),
      signal: new AbortController().signal,
    });
    expect(result.notTried).toEqual([]);
    const [seen] = result.results;
    expect(seen?.end).toBeNull();
    expect(seen?.outcome.breaches).toEqual([]);
    // With a token of another room, and without one.
    expect(Object.keys(seen?.outcome.answers ?? {})).toEqual(
      expect.arrayContaining(['close 4400', 'close 4401']),
    );
    expect(seen?.outcome.connections).toBe(12);
    for (const lap of Object.values(seen?.laps ?? {})) expect(lap.words).toBeGreaterThan(3);
    expect(seen?.beforeMb).toBeGreaterThan(10);
    expect(formatAbuseResult(result)).toContain('F1');
  });
});
