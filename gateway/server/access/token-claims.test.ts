import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { TokenReader } from './token-claims.js';

const SECRET = 'a secret of this test, long enough to sign with';
const nowS = (): number => Date.now() / 1000;

function read(claims: Record<string, unknown>): ReturnType<TokenReader['read']> {
  const signed = new SignJWT({ iss: 'key', sub: 'ana', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET));
  return signed.then((token) => new TokenReader('key', SECRET).read(token));
}

describe('the times of a token', () => {
  it('may be fractions of a second, and are whole milliseconds for whoever is told', async () => {
    const claims = await read({ exp: 4_000_000_000.123456, iat: 1_700_000_000.98765 });
    expect(claims).toMatchObject({ expiresAtMs: 4_000_000_000_123, issuedAtMs: 1_700_000_000_987 });
  });

  it('may lie in the future as far as clocks may differ, and iat anywhere', async () => {
    await expect(read({ exp: nowS() + 600, nbf: nowS() + 50, iat: nowS() + 3600 })).resolves.toBeDefined();
    await expect(read({ exp: nowS() - 50 })).resolves.toBeDefined();
  });

  it.each([
    ['exp', { exp: '4000000000' }],
    ['exp', {}],
    ['nbf', { exp: 4_000_000_000, nbf: '2026-01-01' }],
    ['iat', { exp: 4_000_000_000, iat: 'now' }],
  ])('are numbers: a token without is refused because of %s', async (claim, claims) => {
    await expect(read(claims)).rejects.toMatchObject({
      code: 'unauthorised',
      message: expect.stringMatching(new RegExp(`${claim}.*seconds since 1970`)) as string,
    });
  });
});
