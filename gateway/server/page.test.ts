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
      void servePage(request.url ?? '', response).then((isServed) => {
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
    ['/page.css', 'text/css; charset=utf-8'],
    ['/icon.svg', 'image/svg+xml'],
    ['/gateway/page/page.js', 'text/javascript; charset=utf-8'],
    ['/protocol/index.js', 'text/javascript; charset=utf-8'],
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

  it.each([
    '/index.html',
    '/page.ts',
    '/gateway/main.js',
    '/gateway/server/page.js',
    '/gateway/page/no-such-module.js',
    '/gateway/page/page.js.map',
    '/gateway/page/testing/chromium.js',
    '/protocol/testing/arbitrary-messages.js',
    '/protocol/..%2fgateway/main.js',
  ])('%s is not served', async (path) => {
    expect((await fetch(`${url}${path}`)).status).toBe(404);
  });
});
