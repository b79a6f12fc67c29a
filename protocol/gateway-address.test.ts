import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gatewayAddress, webSocketAddress } from './gateway-address.js';

describe('an address at the gateway', () => {
  it.each([
    ['https://host', 'https://host/v1/rooms'],
    ['https://host/', 'https://host/v1/rooms'],
    ['https://host/captions', 'https://host/captions/v1/rooms'],
    ['https://host/captions/', 'https://host/captions/v1/rooms'],
    ['https://host/captions/?room=council#token=x', 'https://host/captions/v1/rooms'],
    ['wss://host/captions/', 'https://host/captions/v1/rooms'],
    ['WS://host', 'http://host/v1/rooms'],
    [' https://host/a/b/// ', 'https://host/a/b/v1/rooms'],
    ['captions', 'captions/v1/rooms'],
    ['http://[::1]:8765', 'http://[::1]:8765/v1/rooms'],
  ])('of %s is %s', (base, address) => {
    expect(gatewayAddress(base, 'v1/rooms')).toBe(address);
  });

  it.each([
    ['http://host/a/', 'ws://host/a/v1/captions?room=a%20b%20%26%20c'],
    ['https://host', 'wss://host/v1/captions?room=a%20b%20%26%20c'],
    ['ws://host', 'ws://host/v1/captions?room=a%20b%20%26%20c'],
  ])('for a WebSocket of %s is %s', (base, address) => {
    expect(webSocketAddress(base, 'v1/captions', { room: 'a b & c' })).toBe(address);
  });

  it('keeps the host and the path of its base, and says what was asked', () => {
    const folders = fc.array(fc.stringMatching(/^[a-z0-9-]{1,8}$/), { maxLength: 3 });
    fc.assert(
      fc.property(fc.webAuthority(), folders, fc.string({ unit: 'grapheme' }), (authority, path, room) => {
        const base = new URL(`https://${authority}/${path.join('/')}`);
        const address = new URL(webSocketAddress(base.href, 'v1/captions', { room }));
        expect(address.protocol).toBe('wss:');
        expect(address.host).toBe(base.host);
        expect(address.pathname).toBe(`/${[...path, 'v1', 'captions'].join('/')}`);
        expect(address.searchParams.get('room')).toBe(room);
      }),
    );
  });
});
