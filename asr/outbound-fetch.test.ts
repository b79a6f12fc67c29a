import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outboundFetch, type ProxySettings, useProxies } from './outbound-fetch.js';
import { type ForwardProxy, startForwardProxy } from './testing/forward-proxy.js';

describe('requests to others', () => {
  let target: Server;
  let proxy: ForwardProxy;
  let port: number;

  beforeEach(async () => {
    target = createServer((incoming, outgoing) => {
      if (incoming.url === '/away') outgoing.writeHead(302, { location: `http://127.0.0.1:${port}/here` });
      outgoing.end(`${incoming.method} ${incoming.url}`);
    });
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    port = (target.address() as AddressInfo).port;
    proxy = await startForwardProxy(port);
  });
  afterEach(async () => {
    use({});
    await proxy.close();
    target.closeAllConnections();
    target.close();
  });

  const use = (settings: Partial<ProxySettings>): void =>
    useProxies({ httpProxy: '', httpsProxy: '', noProxy: '', ...settings });
  const requests = (): string[] => proxy.seen.map(({ request }) => request);

  it('go through the proxy, plain ones passed on, with the name and password in its address', async () => {
    use({ httpProxy: `http://u%40corp:p%3Aw@${proxy.host}` });
    const answer = await outboundFetch('http://models.test/a?b=1', { method: 'POST', body: 'x' });
    expect(await answer.text()).toBe('POST /a?b=1');
    const authorization = `Basic ${Buffer.from('u@corp:p:w').toString('base64')}`;
    expect(proxy.seen).toEqual([{ request: 'POST http://models.test/a?b=1', authorization }]);
  });

  it('go through a tunnel of the other proxy for https', async () => {
    use({ httpsProxy: proxy.host });
    await expect(outboundFetch('https://models.test/')).rejects.toThrow();
    expect(requests()).toEqual(['CONNECT models.test:443']);
  });

  it('go straight to what is in NO_PROXY, also after a redirect, and without any proxy', async () => {
    use({ httpProxy: proxy.host, noProxy: '127.0.0.0/8' });
    expect(await (await outboundFetch('http://models.test/away')).text()).toBe('GET /here');
    expect(requests()).toEqual(['GET http://models.test/away']);
    use({});
    expect(await (await outboundFetch(`http://127.0.0.1:${port}/x`)).text()).toBe('GET /x');
    expect(requests()).toHaveLength(1);
  });

  it.each(['socks5://127.0.0.1:1080', 'http://', 'ftp://secret:word@proxy.test'])(
    'need the address of an HTTP proxy: %s',
    (httpProxy) => {
      const refused = { code: 'config_invalid', message: expect.not.stringContaining('secret') as string };
      expect(() => use({ httpProxy })).toThrow(expect.objectContaining(refused));
    },
  );
});
