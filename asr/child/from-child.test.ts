import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleIndex } from '../../protocol/index.js';
import { parseFromChild } from './from-child.js';
import type { FromChild } from './messages.js';

const decoded: FromChild = {
  kind: 'decoded',
  callMs: 3.5,
  batchSize: 1,
  pieces: [
    {
      utterance: 4,
      appended: [{ text: ' A', atSample: sampleIndex(5), logProbability: -0.1 }],
      provisional: [{ text: 'B', atSample: sampleIndex(6) }],
      decodedThroughSample: 7,
      isFinal: true,
      punctuatedText: 'Ab.',
    },
  ],
};

const messages: FromChild[] = [
  { kind: 'hello', version: 1 },
  { kind: 'ready', loadMs: 1, engine: 'zipformer', savesStreams: true },
  { kind: 'saved', utterance: 1 },
  {
    kind: 'saved',
    utterance: 1,
    saved: { state: Uint8Array.of(1), reportedTokens: 2, acceptedThroughSample: 3, decodedThroughSample: 4 },
  },
  { kind: 'pong', id: 1 },
  { kind: 'utteranceFailed', utterance: 1, code: 'recogniser_failed', message: 'why' },
  decoded,
];

describe('parseFromChild', () => {
  it('lets every message of the contract through as it is', () => {
    expect(messages.map(parseFromChild)).toEqual(messages);
  });

  it('refuses what is no message', () => {
    const nonsense = [null, undefined, 7, 'hello', true, [], {}, { kind: 7 }, { kind: 'goodbye' }, new Map()];
    expect(nonsense.map(parseFromChild)).toEqual(nonsense.map(() => undefined));
  });

  it('refuses every message in which any one field is missing or of another type', () => {
    const optional = ['logProbability', 'punctuatedText', 'saved'];
    const damaged: unknown[] = [];
    /** Every copy of `value` with one leaf replaced by something it must not be. */
    const damage = (value: unknown, rebuild: (changed: unknown) => unknown): void => {
      if (Array.isArray(value)) {
        damaged.push(rebuild('no list'), rebuild(undefined));
        value.forEach((item, index) => damage(item, (changed) => rebuild(value.with(index, changed))));
      } else if (value instanceof Uint8Array) {
        damaged.push(rebuild(null), rebuild([1]));
      } else if (typeof value === 'object' && value !== null) {
        for (const [key, field] of Object.entries(value)) {
          damage(field, (changed) => rebuild({ ...value, [key]: changed }));
          if (!optional.includes(key)) {
            damaged.push(rebuild(Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))));
          }
        }
      } else {
        damaged.push(rebuild(null), rebuild({}), rebuild(typeof value === 'number' ? NaN : 0));
      }
    };
    for (const message of messages) damage(message, (changed) => changed);
    expect(damaged.length).toBeGreaterThan(40);
    // NaN is a number, and a token's probability is only ever compared and multiplied.
    const accepted = damaged.filter((message) => parseFromChild(message) !== undefined);
    expect(accepted.filter((message) => !JSON.stringify(message).includes('"logProbability":null'))).toEqual(
      [],
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect([undefined, value]).toContain(parseFromChild(value));
      }),
    );
  });
});
