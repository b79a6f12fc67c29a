import { describe, expect, it } from 'vitest';
import { DEVELOPMENT_KEY } from '../../livekit/server/livekit-server-config.js';
import { textWith } from '../../testing/matchers.js';
import { requireSafeKeys } from './key-strength.js';

const SECRET = 'kept-by-one-ministry-of-32-chars';
const check = (CAPTION_HOST: string, LIVEKIT_API_KEY: string, LIVEKIT_API_SECRET: string) => (): void =>
  requireSafeKeys({ CAPTION_HOST, LIVEKIT_API_KEY, LIVEKIT_API_SECRET });

describe.each(['0.0.0.0', '::', '192.0.2.1', 'captions.example'])('on %s', (host) => {
  it.each([
    ['no keys', '', '', 'set LIVEKIT_API_KEY'],
    ['the pair of livekit-server --dev', 'devkey', 'secret', 'of development'],
    ['the pair of our own command', DEVELOPMENT_KEY.apiKey, DEVELOPMENT_KEY.apiSecret, 'of development'],
    ['that secret under another key', 'APIours', DEVELOPMENT_KEY.apiSecret, 'of development'],
    ['a secret of one character', 'APIours', 'x', 'has 1 characters'],
    ['a secret of 31 characters', 'APIours', SECRET.slice(1), 'openssl rand'],
  ])('refuses %s', (...[, key, secret, why]) => {
    expect(check(host, key, secret)).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: textWith(why) }),
    );
  });

  it('takes a secret of 32 characters', () => {
    expect(check(host, 'devkey', SECRET)).not.toThrow();
  });
});

it.each(['http://localhost', '127.0.0.1:8765'])('takes no address with scheme or port: %s', (host) => {
  expect(check(host, 'APIours', SECRET)).toThrow(
    expect.objectContaining({ code: 'config_invalid', message: textWith('CAPTION_PORT') }),
  );
});

describe.each(['127.0.0.1', 'localhost', '::1', '[::1]', 'LOCALHOST.'])('on %s', (host) => {
  it.each([
    ['', ''],
    ['devkey', 'secret'],
    ['APIours', 'x'],
  ])('takes key %j with secret %j', (key, secret) => {
    expect(check(host, key, secret)).not.toThrow();
  });
});
