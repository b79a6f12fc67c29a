import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { roomName } from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { EncryptionKeys } from './encryption-keys.js';

const room = roomName('council');
const KEY = 'the-secret-key';
const TOKEN = 'the-secret-token';

interface Asked {
  readonly method: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

describe('keys of encrypted rooms', () => {
  const afterTest = cleanupsAfterEach();
  let lines: string[];
  const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) });
  beforeEach(() => {
    lines = [];
  });

  /** A hook that gives these answers one after the other, the last one for ever. */
  const hook = async (
    ...answers: ((response: ServerResponse) => unknown)[]
  ): Promise<{ url: string; asked: Asked[] }> => {
    const asked: Asked[] = [];
    const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const answer = answers[Math.min(asked.length, answers.length - 1)];
      asked.push({ method: request.method, authorization: request.headers.authorization, body });
      answer?.(response);
    };
    const server = createServer((request, response) => void respond(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterTest(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`, asked };
  };
  const answering =
    (status: number, body: string) =>
    (response: ServerResponse): unknown =>
      response.writeHead(status).end(body);
  const silence = (): undefined => undefined;

  const keysOf = (hookUrl: string, deadlineMs = 3000): EncryptionKeys =>
    new EncryptionKeys({ sharedKey: '', hookUrl, hookToken: TOKEN, log, deadlineMs });

  it('are one for all where one is configured', async () => {
    const keys = new EncryptionKeys({ sharedKey: KEY, hookUrl: '', hookToken: '', log });
    expect(await keys.keyOf(room)).toEqual({ key: KEY });
  });

  it('are missing with a reason where nothing is configured', async () => {
    const keys = new EncryptionKeys({ sharedKey: '', hookUrl: '', hookToken: '', log });
    expect(await keys.keyOf(room)).toEqual({
      reason: expect.stringContaining('CAPTION_E2EE_KEY') as string,
      mayPass: false,
    });
  });

  it('are asked for at the application’s hook, with its token', async () => {
    const { url, asked } = await hook(answering(200, JSON.stringify({ key: KEY, more: 1 })));
    expect(await keysOf(url).keyOf(room)).toEqual({ key: KEY });
    expect(asked).toEqual([{ method: 'POST', authorization: `Bearer ${TOKEN}`, body: '{"room":"council"}' }]);
  });

  it('are asked for without a token where there is none', async () => {
    const { url, asked } = await hook(answering(200, JSON.stringify({ key: KEY })));
    const keys = new EncryptionKeys({ sharedKey: '', hookUrl: url, hookToken: '', log });
    expect(await keys.keyOf(room)).toEqual({ key: KEY });
    expect(asked[0]?.authorization).toBeUndefined();
  });

  it('are asked for a second time when the hook fails or is silent, not a third time', async () => {
    const recovered = await hook(answering(503, ''), answering(200, JSON.stringify({ key: KEY })));
    expect(await keysOf(recovered.url).keyOf(room)).toEqual({ key: KEY });
    const late = await hook(silence, answering(200, JSON.stringify({ key: KEY })));
    expect(await keysOf(late.url, 300).keyOf(room)).toEqual({ key: KEY });

    const ill = await hook(answering(500, KEY));
    expect(await keysOf(ill.url).keyOf(room)).toEqual({
      reason: expect.stringContaining('cannot be asked') as string,
      mayPass: true,
    });
    expect(ill.asked).toHaveLength(2);
    const silent = await hook(silence);
    expect(await keysOf(silent.url, 100).keyOf(room)).toHaveProperty('reason');
    expect(silent.asked).toHaveLength(2);
  });

  it('are not given by an application that answers 404: that is no failure', async () => {
    const { url, asked } = await hook(answering(404, KEY));
    expect(await keysOf(url).keyOf(room)).toEqual({
      reason: expect.stringContaining('gives the captions no key') as string,
      mayPass: false,
    });
    expect(asked).toHaveLength(1);
    expect(lines).toEqual([]);
  });

  it.each([
    ['refuses the token', 401, KEY],
    ['answers no JSON', 200, KEY],
    ['answers without a key', 200, JSON.stringify({ secret: KEY })],
    ['answers an empty key', 200, JSON.stringify({ key: '' })],
    ['answers a key that is no text', 200, JSON.stringify({ key: { of: KEY } })],
    ['answers a key that is too long', 200, JSON.stringify({ key: KEY.repeat(100) })],
    ['answers too much', 200, JSON.stringify({ key: KEY, more: KEY.repeat(2000) })],
    ['answers null', 200, 'null'],
  ])('are missing when the hook %s: asking again would not help', async (_what, status, body) => {
    const { url, asked } = await hook(answering(status, body));
    expect(await keysOf(url).keyOf(room)).toHaveProperty('reason');
    expect(asked).toHaveLength(1);
  });

  it('are never sent or taken elsewhere', async () => {
    const elsewhere = await hook(answering(200, JSON.stringify({ key: KEY })));
    const { url } = await hook((response) => response.writeHead(307, { Location: elsewhere.url }).end());
    expect(await keysOf(url).keyOf(room)).toHaveProperty('reason');
    expect(elsewhere.asked).toEqual([]);
  });

  it('are never logged, nor is the token', async () => {
    for (const [status, body] of [
      [200, JSON.stringify({ key: KEY })],
      [200, KEY],
      [401, `${KEY} ${TOKEN}`],
      [500, `${KEY} ${TOKEN}`],
    ] as const) {
      const { url } = await hook(answering(status, body));
      await keysOf(url).keyOf(room);
    }
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain(KEY);
    expect(lines.join('')).not.toContain(TOKEN);
  });

  it.each([
    { hookUrl: 'http://app.example/keys' },
    { hookUrl: 'ftp://app.example/keys' },
    { hookUrl: 'app.example' },
    { hookUrl: `https://user:${KEY}@app.example/keys` },
    { hookUrl: 'https://app.example/keys', sharedKey: KEY },
    { hookToken: TOKEN },
  ])('cannot be configured as %o', (wrong) => {
    const create = (): EncryptionKeys =>
      new EncryptionKeys({ sharedKey: '', hookUrl: '', hookToken: '', log, ...wrong });
    expect(create).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    expect(create).not.toThrow(KEY);
  });

  it.each(['https://app.example/keys', 'http://localhost:8071/keys', 'http://[::1]:8071/keys'])(
    'may be asked for at %s',
    (hookUrl) => {
      expect(() => keysOf(hookUrl)).not.toThrow();
    },
  );
});
