import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { rawTcp } from '../testing/raw-tcp.js';
import { waitUntil } from '../testing/wait-until.js';
import { Downloads, toChunks } from './downloads.js';
import { sendError } from './http-answers.js';

/** More than the system takes for a client that does not read. */
const MANY_CHUNKS = Array.from({ length: 4000 }, () => Buffer.alloc(16_384, 'a'));

describe('downloads', () => {
  const afterwards = cleanupsAfterEach();

  /** Answers `/CLIENT` with a long text. */
  async function serve(maxPauseMs: number) {
    const downloads = new Downloads({ maxPauseMs });
    const answer = async (client: string, response: ServerResponse): Promise<void> => {
      try {
        await downloads.take(client, () => downloads.send(response, MANY_CHUNKS));
      } catch (error) {
        sendError(response, error);
      }
    };
    const server = createServer((request, response) => void answer(request.url ?? '', response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterwards(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ask = async (client: string): Promise<Response> => {
      const response = await fetch(`${url}/${client}`);
      if (response.status === 200) expect((await response.arrayBuffer()).byteLength).toBe(4000 * 16_384);
      return response;
    };
    const askAndNotRead = async (client: string) => {
      const connection = await rawTcp(url, `GET /${client} HTTP/1.1\r\nHost: x\r\n\r\n`);
      connection.socket.pause();
      afterwards(() => void connection.socket.destroy());
      return connection;
    };
    return { ask, askAndNotRead };
  }

  it('are two at once for each client, and others have their own', async () => {
    const { ask, askAndNotRead } = await serve(60_000);
    const unread = [await askAndNotRead('eve'), await askAndNotRead('eve')];
    await waitUntil(async () => ((await ask('eve')).status === 429 ? undefined : 'there is a place'));
    const refused = await ask('eve');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'downloads_busy' });
    expect((await ask('ana')).status).toBe(200);
    for (const { socket } of unread) socket.destroy();
    await waitUntil(async () => ((await ask('eve')).status === 200 ? undefined : 'no place again'));
  });

  it('are few at once in all', async () => {
    const { ask, askAndNotRead } = await serve(60_000);
    for (let client = 0; client < 8; client += 1) {
      await askAndNotRead(`client-${client}`);
      await askAndNotRead(`client-${client}`);
    }
    await waitUntil(async () => ((await ask('ana')).status === 429 ? undefined : 'there is a place'));
  });

  it('are cut off when nothing of them is taken', async () => {
    const { ask, askAndNotRead } = await serve(100);
    const unread = [await askAndNotRead('eve'), await askAndNotRead('eve')];
    await waitUntil(async () => ((await ask('eve')).status === 200 ? undefined : 'they hold their places'));
    for (const { socket } of unread) socket.resume();
    await waitUntil(() => (unread.every(({ isClosed }) => isClosed()) ? undefined : 'they are still open'));
    for (const { received } of unread) expect(received().length).toBeLessThan(4000 * 16_384);
  });

  it('are made one after the other, and one that fails stops nobody', async () => {
    const downloads = new Downloads({ maxPauseMs: 1000 });
    const done: string[] = [];
    const failing = downloads.inTurn(async () => {
      await Promise.resolve();
      done.push('first');
      throw new Error('lost');
    });
    const second = downloads.inTurn(() => {
      done.push('second');
      return Promise.resolve(2);
    });
    await expect(failing).rejects.toThrow('lost');
    expect(await second).toBe(2);
    expect(done).toEqual(['first', 'second']);
  });

  it('are whole, whatever the pieces', async () => {
    const parts = ['é'.repeat(9000), '', 'x', '会'.repeat(20_000)];
    const chunks = await toChunks(parts);
    expect(Buffer.concat(chunks).toString()).toBe(parts.join(''));
    expect(chunks.every(({ length }) => length <= 16_384)).toBe(true);
  });
});
