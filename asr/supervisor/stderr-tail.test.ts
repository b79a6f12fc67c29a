import { describe, expect, it } from 'vitest';
import { StderrTail } from './stderr-tail.js';

describe('StderrTail', () => {
  it('is what was written, without white space around it', () => {
    const tail = new StderrTail();
    tail.append(Buffer.from('cannot read '));
    tail.append(Buffer.from('tokens.txt\n'));
    expect(tail.text).toBe('cannot read tokens.txt');
  });

  it('keeps the end, and never more than 4,000 characters', () => {
    const tail = new StderrTail();
    for (let line = 0; line < 2000; line++) tail.append(Buffer.from(`line ${line}\n`));
    tail.append(Buffer.from('x'.repeat(100_000)));
    tail.append(Buffer.from('the reason'));
    expect(tail.text).toHaveLength(4000);
    expect(tail.text.endsWith('xthe reason')).toBe(true);
  });
});
