import { describe, expect, it } from 'vitest';
import { NoProxy } from './no-proxy.js';

describe('NO_PROXY', () => {
  it.each([
    ['*', ['http://any.test'], []],
    [
      'example.org',
      ['http://example.org', 'https://Sub.Example.org'],
      ['http://badexample.org', 'http://example.org.evil.test'],
    ],
    ['.example.org, *.gouv.fr', ['http://a.example.org', 'http://x.gouv.fr'], ['http://gouv.de']],
    [
      'localhost 127.0.0.1,::1',
      ['http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:80'],
      ['http://127.0.0.2'],
    ],
    [
      '10.0.0.0/8,fd00::/8',
      ['http://10.2.3.4', 'http://[fd12::1]'],
      ['http://11.0.0.1', 'http://[fe80::1]', 'http://10.example.org'],
    ],
    [
      'example.org:8080,[::1]:81',
      ['http://example.org:8080', 'http://[::1]:81'],
      ['http://example.org', 'http://[::1]'],
    ],
    ['example.org:443', ['https://example.org'], ['http://example.org']],
    [
      'https://example.org/, example.net., münchen.example',
      [
        'https://example.org',
        'http://a.example.net',
        'https://xn--mnchen-3ya.example',
        'http://a.münchen.example',
      ],
      ['http://example.com'],
    ],
    ['', [], ['http://localhost']],
    ['10.0.0.0/99,300.0.0.0/8,/,:', [], ['http://10.0.0.1']],
  ])('"%s"', (list, direct, proxied) => {
    const noProxy = new NoProxy(list);
    expect([...direct, ...proxied].filter((address) => noProxy.includes(new URL(address)))).toEqual(direct);
  });
});
