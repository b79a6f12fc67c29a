import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textWith } from '../testing/matchers.js';
import { CaptionError } from '../../protocol/index.js';
import { allowedOrigins, bareHost, isLoopbackHost, OriginPolicy } from './origin-policy.js';

function codeOf(policy: OriginPolicy, headers: Record<string, string>): string {
  try {
    policy.check({ headers } as unknown as IncomingMessage);
    return 'allowed';
  } catch (error) {
    return error instanceof CaptionError ? error.code : String(error);
  }
}

const local = new OriginPolicy({ allowed: [''], isLoopbackOnly: true });
const open = new OriginPolicy({
  allowed: allowedOrigins('https://visio.example, HTTPS://Two.example:443/,http://localhost:3000'),
  isLoopbackOnly: false,
});

describe('OriginPolicy', () => {
  it.each([
    ['a program', { host: '127.0.0.1:8765' }, 'allowed'],
    ['its own page', { host: 'localhost:8765', origin: 'http://localhost:8765' }, 'allowed'],
    ['its own page over IPv6', { host: '[::1]:8765', origin: 'http://[::1]:8765' }, 'allowed'],
    ['its own page in capitals', { host: 'LocalHost:8765', origin: 'HTTP://localhost:8765' }, 'allowed'],
    ['a page of another site', { host: '127.0.0.1:8765', origin: 'https://evil.example' }, 'origin_refused'],
    ['a page of another port', { host: '127.0.0.1:8765', origin: 'http://127.0.0.1:3000' }, 'origin_refused'],
    ['a page from a file', { host: '127.0.0.1:8765', origin: 'null' }, 'origin_refused'],
    ['an empty origin', { host: '127.0.0.1:8765', origin: '' }, 'origin_refused'],
    ['a rebound name', { host: 'evil.example:8765', origin: 'http://evil.example:8765' }, 'origin_refused'],
    ['a rebound name without origin', { host: 'evil.example:8765' }, 'origin_refused'],
    ['a name that begins like loopback', { host: '127.0.0.1.evil.example' }, 'origin_refused'],
    ['no host', {}, 'origin_refused'],
  ])('on loopback answers %s with: %s', (_, headers, answer) => {
    expect(codeOf(local, headers)).toBe(answer);
  });

  it.each([
    ['a page of an allowed origin', { host: 'captions.example', origin: 'https://visio.example' }, 'allowed'],
    ['the same in capitals', { host: 'captions.example', origin: 'https://VISIO.example' }, 'allowed'],
    ['an origin that was written with a slash', { host: 'x', origin: 'https://two.example' }, 'allowed'],
    ['an origin with the dot of a full name', { host: 'x', origin: 'https://visio.example.' }, 'allowed'],
    ['its own page, with that dot in Host', { host: 'a.example.', origin: 'https://a.example' }, 'allowed'],
    [
      'its own page, with a name in other letters',
      { host: 'MÜnchen.example', origin: 'https://xn--mnchen-3ya.example' },
      'allowed',
    ],
    ['an origin with a port', { host: 'x', origin: 'http://localhost:3000' }, 'allowed'],
    [
      'its own page, with the port in Host',
      { host: 'a.example:443', origin: 'https://a.example' },
      'allowed',
    ],
    ['its own page, with port 80 in Host', { host: 'a.example:80', origin: 'http://a.example' }, 'allowed'],
    [
      'another port of its host',
      { host: 'a.example:443', origin: 'https://a.example:8443' },
      'origin_refused',
    ],
    ['its own page behind TLS', { host: 'captions.example', origin: 'https://captions.example' }, 'allowed'],
    [
      'an origin that merely contains it',
      { host: 'captions.example', origin: 'https://visio.example.evil' },
      'origin_refused',
    ],
    ['the other scheme', { host: 'captions.example', origin: 'http://visio.example' }, 'origin_refused'],
  ])('with keys answers %s with: %s', (_, headers, answer) => {
    expect(codeOf(open, headers)).toBe(answer);
  });
});

describe('allowedOrigins', () => {
  it('are the same however they are written', () => {
    const spellings = fc.record({
      scheme: fc.constantFrom('http', 'https'),
      host: fc.domain(),
      isUpper: fc.boolean(),
      hasPort: fc.boolean(),
      hasSlash: fc.boolean(),
    });
    fc.assert(
      fc.property(spellings, ({ scheme, host, isUpper, hasPort, hasSlash }) => {
        const port = scheme === 'https' ? 443 : 80;
        const written = `${scheme}://${host}${hasPort ? `:${port}` : ''}${hasSlash ? '/' : ''}`;
        const policy = new OriginPolicy({
          allowed: allowedOrigins(` ${isUpper ? written.toUpperCase() : written} `),
          isLoopbackOnly: false,
        });
        expect(codeOf(policy, { host: 'gateway', origin: new URL(`${scheme}://${host}`).origin })).toBe(
          'allowed',
        );
        expect(codeOf(policy, { host: 'gateway', origin: `${scheme}://not-${host}` })).toBe('origin_refused');
      }),
    );
  });

  it.each([
    'visio.example',
    'https://visio.example/room',
    '*',
    'null',
    'ftp://visio.example',
    'https://a@b.example',
    'https://*.visio.example',
    'https://one.example https://two.example',
    '"https://visio.example"',
  ])('refuse %s at the start, and say how to write it', (origin) => {
    expect(() => allowedOrigins(`https://visio.example,${origin}`)).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: textWith('https://visio.example or') }),
    );
  });
});

describe('bareHost', () => {
  it.each([
    ['[::1]', '::1'],
    ['::1', '::1'],
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', 'localhost'],
    ['localhost.', 'localhost'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['[::]', '::'],
    ['münchen.example', 'münchen.example'],
  ])('makes %s something to listen on: %s', (host, bare) => {
    expect(bareHost(host)).toBe(bare);
  });
});

describe('a host with more than a name', () => {
  it.each(['http://localhost', '127.0.0.1:80', '[::1]:80', 'host/path', 'a b'])('"%s" is refused', (host) => {
    expect(() => bareHost(host)).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: textWith('CAPTION_PORT') }),
    );
  });
});

describe('isLoopbackHost', () => {
  it.each([
    'localhost',
    '127.0.0.1',
    '127.1.2.3:80',
    '127.1',
    '::1',
    '0:0:0:0:0:0:0:1',
    '[0:0::1]:80',
    '::ffff:127.0.0.1',
    '[::ffff:127.1.2.3]:80',
    'LocalHost.',
    '[::1]',
    '[::1]:8765',
    'localhost:1',
  ])('holds for %s', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each([
    '',
    '0.0.0.0',
    '::',
    '[::]:1',
    '10.0.0.1',
    '127.0.0.1@evil.example',
    'evil.example/127.0.0.1',
    '::ffff:10.0.0.1',
    '127.999.0.1',
    'localhost.evil',
    '127.0.0.1.nip.io',
    '::1:8765x',
    'fe80::1',
  ])('does not hold for "%s"', (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});
