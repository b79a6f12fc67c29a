import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook as IndependentWebhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../log.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { TextSink } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { Webhook } from './webhook.js';

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`;

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('the webhook', () => {
  const afterwards = cleanupsAfterEach();

  /** An application that answers with these statuses, one after the other, the last one for ever. */
  async function application(statuses: readonly number[]) {
    const calls: Call[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        calls.push({ headers: request.headers, body });
        const status = statuses[Math.min(calls.length, statuses.length) - 1] ?? 500;
        response.writeHead(status, status === 302 ? { Location: '/elsewhere' } : {}).end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterwards(() => void server.close());
    return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
  }

  const log = new TextSink();
  const open = (url: string, retryDelaysMs: readonly number[] = [1, 1]): Webhook => {
    const webhook = new Webhook({ url, secret: SECRET, log: createLogger('info', log), retryDelaysMs });
    afterwards(() => webhook.close());
    return webhook;
  };
  const message = (id = 'msg_1') => ({
    id,
    body: '{"type":"meeting.ended","data":{"room":"Zoë"}}',
    isWanted: () => true,
  });

  it('is signed so that the standard’s own library takes it, and no other secret', async () => {
    const { calls, url } = await application([200]);
    expect(await open(url).deliver(message())).toBe('delivered');
    const [call] = calls;
    const headers = call?.headers as Record<string, string>;
    expect(new IndependentWebhook(SECRET).verify(call?.body ?? '', headers)).toMatchObject({
      type: 'meeting.ended',
    });
    expect(() =>
      new IndependentWebhook(`whsec_${Buffer.from('another').toString('base64')}`).verify(
        call?.body ?? '',
        headers,
      ),
    ).toThrow();
    expect(() => new IndependentWebhook(SECRET).verify(`${call?.body ?? ''} `, headers)).toThrow();
    expect(headers).toMatchObject({ 'webhook-id': 'msg_1', 'content-type': 'application/json' });
  });

  it('is tried again under the same id until it is taken', async () => {
    const { calls, url } = await application([500, 302, 204]);
    expect(await open(url).deliver(message('msg_again'))).toBe('delivered');
    expect(calls.map(({ headers }) => headers['webhook-id'])).toEqual(Array(3).fill('msg_again'));
    expect(new Set(calls.map(({ body }) => body)).size).toBe(1);
    for (const { body, headers } of calls)
      expect(() =>
        new IndependentWebhook(SECRET).verify(body, headers as Record<string, string>),
      ).not.toThrow();
  });

  it('is given up after its last attempt, and at once when the application wants no more', async () => {
    const failing = await application([503]);
    expect(await open(failing.url).deliver(message())).toBe('given_up');
    expect(failing.calls).toHaveLength(3);
    const gone = await application([410]);
    expect(await open(gone.url).deliver(message())).toBe('refused');
    expect(gone.calls).toHaveLength(1);
    expect(await open('http://127.0.0.1:1/').deliver(message())).toBe('given_up');
  });

  it('waits no longer when it is closed or not wanted any more', async () => {
    const { calls, url } = await application([500]);
    const webhook = open(url, [3_600_000]);
    const delivery = webhook.deliver(message());
    await waitUntil(() => (calls.length === 1 ? undefined : 'not tried yet'));
    await webhook.close();
    expect(await delivery).toBeUndefined();
    expect(await open(url).deliver({ ...message(), isWanted: () => false })).toBeUndefined();
    expect(calls).toHaveLength(1);
  });

  it('calls the application with a few notices at once, however many there are', async () => {
    let [atOnce, most] = [0, 0];
    const server = createServer((request, response) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      request.resume().on('end', () =>
        setImmediate(() => {
          atOnce -= 1;
          response.end();
        }),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterwards(() => void server.close());
    const webhook = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const ids = Array.from({ length: 40 }, (_, index) => `msg_${index}`);
    const outcomes = await Promise.all(ids.map((id) => webhook.deliver(message(id))));
    expect(outcomes.every((outcome) => outcome === 'delivered')).toBe(true);
    expect(most).toBeLessThanOrEqual(4);
  });

  it.each([
    ['no address', 'nowhere', SECRET],
    ['another protocol', 'file:///etc/passwd', SECRET],
    ['a secret without its prefix', 'http://localhost/', 'secret'],
    ['a secret that is too short', 'http://localhost/', 'whsec_c2hvcnQ='],
  ])('is refused with %s', (_, url, secret) => {
    expect(() => new Webhook({ url, secret, log: createLogger('silent', log) })).toThrow(
      expect.objectContaining({ code: 'config_invalid' }) as Error,
    );
  });
});
