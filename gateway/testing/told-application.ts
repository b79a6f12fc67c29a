/** An application that gateways tell of the ends of meetings. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook as IndependentWebhook } from 'standardwebhooks';

export const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`;

export interface Notice {
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

export interface ToldApplication {
  readonly url: string;
  /** Taken so far, their signatures checked by the standard's own library. */
  readonly notices: readonly Notice[];
  /** From now on it takes notices; before, it answers 503. */
  comeUp(): void;
  close(): void;
}

export async function startToldApplication(): Promise<ToldApplication> {
  const notices: Notice[] = [];
  let isUp = false;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const headers = request.headers as Record<string, string>;
      const notice = new IndependentWebhook(SECRET).verify(body, headers) as Omit<Notice, 'id'>;
      if (isUp) notices.push({ ...notice, id: headers['webhook-id'] ?? '' });
      response.writeHead(isUp ? 204 : 503).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    notices,
    comeUp: () => (isUp = true),
    close: () => server.close(),
  };
}
