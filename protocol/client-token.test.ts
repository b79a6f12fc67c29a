import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientToken } from './client-token.js';
import { epochMs } from './units.js';

const NOW_MS = 1_700_000_000_000;

describe('the token of a client', () => {
  /** What the source gives when it is asked the next time. */
  let next: string | undefined | Promise<string | undefined>;
  let sent: string[];
  let answers: string[];
  let expiring: number;
  let token: ClientToken;

  beforeEach(() => {
    vi.useFakeTimers({ now: NOW_MS });
    next = 'first';
    sent = [];
    answers = [];
    expiring = 0;
    token = new ClientToken({
      source: () => next,
      send: (newer) => sent.push(newer) > 0,
      expiring: () => (expiring += 1),
    });
  });
  afterEach(() => {
    token.close();
    vi.useRealTimers();
  });

  const take = (from = token): void =>
    from.take({
      token: (taken) => answers.push(`token ${taken}`),
      ended: () => answers.push('ended'),
      failed: () => answers.push('failed'),
    });
  const told = (leftMs: number, refusal = {}): void =>
    token.told({ kind: 'access', expiresAtMs: epochMs(Date.now() + leftMs), ...refusal });

  it('is taken at once where it is at hand, and where none is needed', () => {
    take();
    take(new ClientToken({ source: undefined, send: () => false }));
    take(new ClientToken({ source: 'fixed', send: () => false }));
    expect(answers).toEqual(['token first', 'token undefined', 'token fixed']);
  });

  it('is awaited, and only the last asking counts', async () => {
    next = Promise.resolve('slow');
    take();
    next = Promise.reject(new Error('offline'));
    take();
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toEqual(['failed']);
  });

  it('is renewed a minute before its end, and asked for again until there is a newer one', () => {
    take();
    told(600_000);
    vi.advanceTimersByTime(539_999);
    expect(expiring).toBe(0);
    vi.advanceTimersByTime(1);
    expect(expiring).toBe(1);
    expect(sent).toEqual([]);
    next = 'second';
    vi.advanceTimersByTime(5000);
    expect(sent).toEqual(['second']);
    expect(expiring).toBe(2);
    vi.advanceTimersByTime(600_000);
    expect(sent).toEqual(['second']);
  });

  it('is renewed at half of the time that is left, where that is less than two minutes', () => {
    take();
    next = 'second';
    told(60_000);
    vi.advanceTimersByTime(29_999);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual(['second']);
  });

  it('is handed over as soon as somebody says that there is a newer one', () => {
    take();
    told(600_000);
    token.renew();
    expect(sent).toEqual([]);
    next = 'second';
    token.renew();
    expect(sent).toEqual(['second']);
    expect(expiring).toBe(0);
  });

  it('is not asked for in a loop when the newer one is refused', () => {
    take();
    next = 'second';
    told(1000);
    vi.advanceTimersByTime(500);
    told(500, { refusal: { code: 'token_refused', message: '' } });
    vi.advanceTimersByTime(4999);
    expect(expiring).toBe(1);
    vi.advanceTimersByTime(1);
    expect(expiring).toBe(2);
    expect(sent).toEqual(['second']);
  });

  it('that has ended is not used again', () => {
    take();
    token.hasEnded();
    take();
    expect(answers).toEqual(['token first', 'ended']);
    expect(expiring).toBe(1);
    next = 'second';
    take();
    expect(answers.at(-1)).toBe('token second');
  });

  it('is not asked for while there is no connection, or after the end', async () => {
    take();
    told(600_000);
    token.connectionLost();
    vi.advanceTimersByTime(3_600_000);
    expect(expiring).toBe(0);
    next = Promise.resolve('late');
    take();
    token.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toEqual(['token first']);
  });
});
