import { describe, expect, it } from 'vitest';
import { AttackTally } from './attack.js';
import { type AttackObservation, failuresOf, memoryLimitMb } from './abuse-verdict.js';

const lap = (p95: number | null, lostWords = 0): AttackObservation['laps']['before'] => ({
  p50: p95,
  p95,
  words: p95 === null ? 0 : 20,
  lostWords,
});

const withstood: AttackObservation = {
  outcome: new AttackTally().outcome(),
  laps: { before: lap(600), during: lap(1200), after: lap(600) },
  troubles: [],
  end: null,
  beforeMb: 200,
  peakMb: 900,
  afterMb: 240,
  logLines: 10,
  longestSilenceMs: 20,
};

describe('the verdict on an attack', () => {
  it('is good while honest words are at most twice as late, or hardly later, and memory has come back', () => {
    expect(failuresOf(withstood)).toEqual([]);
    expect(
      failuresOf({ ...withstood, laps: { ...withstood.laps, before: lap(100), during: lap(400) } }),
    ).toEqual(expect.arrayContaining([expect.stringContaining('honest p95 after it 600 ms')]));
    const quick = { before: lap(100), during: lap(400), after: lap(100) };
    expect(failuresOf({ ...withstood, laps: quick })).toEqual([]);
  });

  it.each([
    ['a gateway that ended', { end: 'SIGABRT' }, 'the gateway ended: SIGABRT'],
    ['words that came too late', { laps: { ...withstood.laps, during: lap(1201) } }, 'honest p95 during it'],
    ['no words at all', { laps: { ...withstood.laps, during: lap(null, 20) } }, 'no honest words during it'],
    ['lost words', { laps: { ...withstood.laps, after: lap(600, 3) } }, '3 honest words lost'],
    ['memory that stays', { afterMb: memoryLimitMb(200) + 1 }, 'memory afterwards'],
    ['an honest person cut off', { troubles: ['the viewer was cut off'] }, 'the viewer was cut off'],
    ['lines of a log without a bound', { logLines: 501 }, '501 lines logged'],
  ] as const)('fails for %s', (_, seen, failure) => {
    const failures = failuresOf({ ...withstood, ...seen }, { mostLogLines: 500 });
    expect(failures.join('; ')).toContain(failure);
  });

  it('fails for what should not have been possible, each told once', () => {
    const tally = new AttackTally();
    tally.breach('read the words of others');
    tally.breach('read the words of others');
    expect(failuresOf({ ...withstood, outcome: tally.outcome() })).toEqual(['read the words of others']);
  });
});

describe('what an attack counts', () => {
  it('is told with the most frequent answers first', () => {
    const tally = new AttackTally();
    tally.sent(10);
    tally.sent(5, 2);
    tally.connected();
    tally.answered('close 4401');
    tally.answered('http 404', 3);
    const { messages, bytes, connections, answers } = tally.outcome();
    expect({ messages, bytes, connections }).toEqual({ messages: 3, bytes: 15, connections: 1 });
    expect(Object.entries(answers)).toEqual([
      ['http 404', 3],
      ['close 4401', 1],
    ]);
  });
});
