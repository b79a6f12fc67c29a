import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { participantIdentity } from '../../../../protocol/index.js';
import { lineEnd, WrittenLines } from './written-lines.js';

const ana = participantIdentity('ana');

describe('the lines that a captioner writes', () => {
  it('are sent as they grow, commit, and can be corrected until they settle', () => {
    const lines = new WrittenLines();
    expect(lines.type('Good', undefined)).toEqual({
      kind: 'line',
      line: 1,
      text: 'Good',
      isCommitted: false,
    });
    expect(lines.type('Good', undefined)).toBeUndefined();
    lines.type('Good mourning.', ana);
    expect(lines.commit()).toEqual({
      kind: 'line',
      line: 1,
      text: 'Good mourning.',
      as: ana,
      isCommitted: true,
    });
    expect(lines.commit()).toBeUndefined();
    expect(lines.correct(1, 'Good morning.')).toMatchObject({
      line: 1,
      text: 'Good morning.',
      isCommitted: true,
    });
    expect(lines.correctable.map(({ text }) => text)).toEqual(['Good morning.']);
    expect(lines.lastCommitted).toBe(1);
    lines.settled(1, 'Good morning.');
    expect(lines.correct(1, 'Too late.')).toBeUndefined();
    expect(lines.correctable).toEqual([]);
    expect(lines.lastCommitted).toBeUndefined();
    expect(lines.type('Next', undefined)).toMatchObject({ line: 2 });
  });

  it('are sent again when the connection is back, in order', () => {
    const lines = new WrittenLines();
    lines.type('One.', undefined);
    lines.commit();
    lines.type('Two', undefined);
    expect(lines.resend(1).map(({ line, text }) => `${line} ${text}`)).toEqual(['1 One.', '2 Two']);
  });

  it('go on in a new line when the one at the keyboard settled while the connection was away', () => {
    const lines = new WrittenLines();
    lines.type('This was  seen and this not', undefined);
    expect(lines.settled(1, 'This was seen')).toBe('and this not');
    expect(lines.type('and this not yet', undefined)).toMatchObject({ line: 2, text: 'and this not yet' });
    const all = new WrittenLines();
    all.type('All of it.', undefined);
    expect(all.settled(1, 'All of it.')).toBe('');
    const changed = new WrittenLines();
    changed.type('Corrected meanwhile', undefined);
    expect(changed.settled(1, 'Corect')).toBe('Corrected meanwhile');
  });

  it('never take a number that the gateway has given away', () => {
    const lines = new WrittenLines();
    expect(lines.resend(7)).toEqual([]);
    expect(lines.type('x', undefined)?.line).toBe(7);
  });
});

describe('the end of a line', () => {
  it.each([
    ['Good morning. ', 14],
    ['Is it? Yes', 7],
    ['He said “no.” And', 14],
    ['Good morning.', undefined],
    ['Good', undefined],
    ['3.5 percent', undefined],
    ['. ', 2],
  ])('in %j is at %s', (text, end) => {
    expect(lineEnd(text)).toBe(end);
  });

  it('comes at a space when a line gets too long, and never cuts a word', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 30 }), (words) => {
        const text = words.join(' ');
        const end = lineEnd(text);
        if (text.length < 120) expect(end).toBeUndefined();
        else expect(text[(end ?? 0) - 1]).toBe(' ');
      }),
    );
  });
});
