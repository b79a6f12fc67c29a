import { describe, expect, it } from 'vitest';
import { parseHookAddress } from './hook-address.js';

describe('the address of a hook', () => {
  it.each([
    'https://visio.example/hook',
    'https://visio.example:8443/',
    'http://127.0.0.1:8000/hook',
    'http://localhost/',
    'http://[::1]:8000/hook',
  ])('may be %s', (address) => {
    expect(parseHookAddress('CAPTION_WEBHOOK_URL', address).href).toBe(new URL(address).href);
  });

  it.each([
    'http://visio.example/hook',
    'http://10.0.0.7/hook',
    'http://127.0.0.1.evil.example/',
    'https://user:hunter2@visio.example/hook',
    'https://user@visio.example/hook',
    'http://:hunter2@127.0.0.1/',
    'ftp://visio.example/',
    'visio.example/hook',
  ])('may not be %s, and is not quoted', (address) => {
    let thrown: unknown;
    try {
      parseHookAddress('CAPTION_WEBHOOK_URL', address);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'config_invalid' });
    expect(String(thrown)).toContain('CAPTION_WEBHOOK_URL');
    expect(String(thrown)).not.toContain('hunter2');
  });
});
