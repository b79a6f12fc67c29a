import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { cleanupsAfterAll } from '../testing/cleanups.js';
import { servePage } from './page.js';

describe('the files of the captions page', () => {
  const afterAllTests = cleanupsAfterAll();
  let url: string;

  beforeAll(async () => {
    const server = createServer((request, response) => {
      void servePage(request.url ?? '', { request, response }).then((isServed) => {
        if (!isServed) response.writeHead(404).end();
      });
    });
    afterAllTests(() => {
      server.closeAllConnections();
      server.close();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  it.each([
    ['/', 'text/html; charset=utf-8'],
    ['/captioner', 'text/html; charset=utf-8'],
    ['/page-captioner.js', 'text/javascript; charset=utf-8'],
    ['/page-room.js', 'text/javascript; charset=utf-8'],
    ['/icon.svg', 'image/svg+xml'],
    ['/page-index.js', 'text/javascript; charset=utf-8'],
    ['/live-captions.js', 'text/javascript; charset=utf-8'],
  ])('%s is served as %s, and may load nothing from elsewhere', async (path, contentType) => {
    const response = await fetch(`${url}${path}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(contentType);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const policy = response.headers.get('content-security-policy')?.split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy?.join(' ')).not.toMatch(/unsafe|\*|data:|https?:/);
    expect((await response.text()).length).toBeGreaterThan(100);
  });

  it('is sent compressed to those who can read it, and once to those who have it', async () => {
    const plain = await fetch(`${url}/live-captions.js`, { headers: { 'Accept-Encoding': 'identity' } });
    const compressed = await fetch(`${url}/live-captions.js`, { headers: { 'Accept-Encoding': 'br, gzip' } });
    expect(compressed.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await compressed.text()).toBe(await plain.text());
    const etag = plain.headers.get('etag') ?? '';
    const again = await fetch(`${url}/live-captions.js`, { headers: { 'If-None-Match': etag } });
    expect(again.status).toBe(304);
    expect(again.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it.each([
    '/index.html',
    '/index',
    '/room.html',
    '/gateway/main.js',
    '/web/live-captions.js',
    '/../package.json',
    '/..%2fgateway/main.js',
    '/assets/',
    '/assets',
  ])('%s is not served', async (path) => {
    expect((await fetch(`${url}${path}`)).status).toBe(404);
  });
});
