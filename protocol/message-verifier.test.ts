import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CaptionKey } from './caption-key.js';
import { MessageVerifier } from './message-verifier.js';
import { appendSignature } from './signature.js';
import { decodeUtf8, encodeUtf8 } from './utf8.js';

/** Looks signed; the name says by whom. */
const signedBy = (name: string): Uint8Array =>
  appendSignature(encodeUtf8(`{"${name}":1}`), new Uint8Array(64));

describe('the verifier of messages', () => {
  let checks: number;
  let accepted: string[];
  let refused: number;
  let dropped: number;
  let verifier: MessageVerifier;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    [checks, accepted, refused, dropped] = [0, [], 0, 0];
    verifier = new MessageVerifier({
      isNews: (bytes) => !decodeUtf8(bytes).includes('stale'),
      accept: (bytes) => accepted.push(decodeUtf8(bytes).slice(2, 8)),
      refuse: () => (refused += 1),
      dropped: () => (dropped += 1),
    });
  });
  afterEach(() => {
    verifier.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  /** Takes its time, longer for the first than for the second. */
  const keyOf = (owner: string): CaptionKey =>
    ({
      signedMessage: async (bytes: Uint8Array) => {
        checks += 1;
        for (let turn = checks % 3; turn >= 0; turn -= 1) await Promise.resolve();
        return decodeUtf8(bytes).includes(owner);
      },
    }) as Pick<CaptionKey, 'signedMessage'> as CaptionKey;
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

  it('lets through what a key signed, in order, and nothing else', async () => {
    verifier.keys = [keyOf('gate'), keyOf('next')];
    for (const name of ['gate-1', 'mallory', 'next-2', 'gate-3']) verifier.receive(signedBy(name));
    await settle();
    expect(accepted).toEqual(['gate-1', 'next-2', 'gate-3']);
    expect(refused).toBe(1);
  });

  it('refuses at once, without work, what has no signature, and everything while there is no key', async () => {
    verifier.receive(signedBy('gate-1'));
    verifier.keys = [keyOf('gate')];
    verifier.receive(encodeUtf8('{"gate-2":1}'));
    verifier.receive(appendSignature(new Uint8Array(20_000), new Uint8Array(64)));
    await settle();
    expect({ accepted, refused, checks }).toEqual({ accepted: [], refused: 3, checks: 0 });
  });

  it('does no work for what would change nothing, which takes nobody else’s place', async () => {
    verifier.keys = [keyOf('gate')];
    for (let sent = 0; sent < 10_000; sent += 1) verifier.receive(signedBy('stale-gate'));
    verifier.receive(signedBy('gate-1'));
    await settle();
    expect({ accepted, refused, dropped, checks }).toEqual({
      accepted: ['gate-1'],
      refused: 0,
      dropped: 0,
      checks: 1,
    });
  });

  it('does bounded work in a flood, tells when it is over, and lets through what comes then', async () => {
    verifier.keys = [keyOf('gate')];
    for (let sent = 0; sent < 100_000; sent += 1) verifier.receive(signedBy('mallory'));
    await settle();
    expect(checks).toBeLessThanOrEqual(1000);
    expect(dropped).toBe(1);
    for (let second = 0; second < 5; second += 1) {
      for (let sent = 0; sent < 10_000; sent += 1) verifier.receive(signedBy('mallory'));
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(checks).toBeLessThanOrEqual(1000 + 5 * 1000);
    await vi.advanceTimersByTimeAsync(2000);
    verifier.receive(signedBy('gate-1'));
    await settle();
    expect(accepted).toEqual(['gate-1']);
  });

  it('keeps no more than a megabyte waiting', async () => {
    verifier.keys = [keyOf('gate')];
    const large = appendSignature(encodeUtf8(`{"gate-1":"${'x'.repeat(14_000)}"}`), new Uint8Array(64));
    for (let sent = 0; sent < 200; sent += 1) verifier.receive(large);
    await settle();
    expect(accepted.length).toBeLessThan(75);
    expect(dropped).toBe(1);
  });

  it('lets nothing through after it is closed', async () => {
    verifier.keys = [keyOf('gate')];
    verifier.receive(signedBy('gate-1'));
    verifier.receive(signedBy('gate-2'));
    verifier.close();
    await settle();
    verifier.receive(signedBy('gate-3'));
    await settle();
    expect({ accepted, refused }).toEqual({ accepted: [], refused: 0 });
  });
});
