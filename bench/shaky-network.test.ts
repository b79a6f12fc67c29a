import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../gateway/testing/wait-until.js';
import { ShakyNetwork } from './shaky-network.js';

describe('a shaky network', () => {
  let echo: Server;
  let network: ShakyNetwork;
  let client: Socket;
  let received = '';

  beforeEach(async () => {
    received = '';
    echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const address = echo.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    network = await ShakyNetwork.before(`http://127.0.0.1:${port}`);
    client = connect({ host: '127.0.0.1', port: Number(new URL(network.url).port) });
    client.on('error', () => undefined);
    client.on('data', (chunk) => (received += chunk.toString()));
    await once(client, 'connect');
  });
  afterEach(async () => {
    client.destroy();
    await network.close();
    echo.close();
  });

  const has = (text: string): Promise<void> =>
    waitUntil(() => (received === text ? undefined : `received ${JSON.stringify(received)}`));

  it('passes everything on, in order, both ways', async () => {
    client.write('one ');
    client.write('two');
    await has('one two');
  });

  it('keeps what comes while it stands still, and passes it on afterwards', async () => {
    client.write('before ');
    await has('before ');
    const goOn = network.stall();
    client.write('during');
    // A connection that is made meanwhile stands still as well; when the server has answered somebody else, it would have answered us.
    const other = connect({ host: '127.0.0.1', port: Number(new URL(network.url).port) });
    await once(other, 'connect');
    expect(received).toBe('before ');
    goOn();
    goOn();
    await has('before during');
    other.destroy();
  });

  it('breaks connections, and takes new ones', async () => {
    const closed = new Promise((resolve) => client.once('close', resolve));
    network.cut();
    await closed;
    client = connect({ host: '127.0.0.1', port: Number(new URL(network.url).port) });
    client.on('data', (chunk) => (received += chunk.toString()));
    client.write('again');
    await has('again');
  });
});
