import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { downloadFile, type DownloadOptions } from './download.js';
import type { InstallProgress } from './progress.js';
import {
  startArchiveServer,
  type ArchiveServer,
  type ArchiveServerOptions,
} from './testing/archive-server.js';
import { scratchDirs } from './testing/scratch-dir.js';

const newDir = scratchDirs();
const servers: ArchiveServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const CONTENT = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));

async function serve(options: Partial<ArchiveServerOptions> = {}): Promise<ArchiveServer> {
  const server = await startArchiveServer({ content: CONTENT, ...options });
  servers.push(server);
  return server;
}

async function optionsFor(server: ArchiveServer, changes: Partial<DownloadOptions> = {}) {
  return {
    url: `${server.url}/a.tar`,
    partPath: join(await newDir(), 'a.part'),
    retryDelayMs: 1,
    onProgress: ({ doneBytes }: InstallProgress) => server.received(doneBytes),
    ...changes,
  };
}

describe('downloadFile', () => {
  it('receives the whole file and tells how far it is', async () => {
    const server = await serve();
    const seen: number[] = [];
    const options = await optionsFor(server, {
      onProgress: ({ doneBytes, totalBytes }) => {
        expect(totalBytes).toBe(CONTENT.length);
        seen.push(doneBytes);
      },
    });
    await downloadFile(options);
    expect((await readFile(options.partPath)).equals(CONTENT)).toBe(true);
    expect(seen.at(-1)).toBe(CONTENT.length);
  });

  it('goes on where a broken connection stopped', async () => {
    const server = await serve({ cutAfterBytes: [30_000, 30_000] });
    const options = await optionsFor(server);
    await downloadFile(options);
    expect((await readFile(options.partPath)).equals(CONTENT)).toBe(true);
    const ranges = server.requests.map((headers) => headers.range);
    expect(ranges).toEqual([undefined, 'bytes=30000-', 'bytes=60000-']);
    expect(server.requests[1]?.['if-range']).toBe('"100000"');
  });

  it('goes on in a later call, after this one gave up', async () => {
    const server = await serve({ cutAfterBytes: [40_000] });
    const options = await optionsFor(server, { attempts: 1 });
    await expect(downloadFile(options)).rejects.toMatchObject({ code: 'download_failed', retryable: true });
    await downloadFile(options);
    expect((await readFile(options.partPath)).equals(CONTENT)).toBe(true);
    expect(server.requests[1]?.range).toBe('bytes=40000-');
  });

  it('begins anew when the file has changed since', async () => {
    const old = await serve({ content: Buffer.alloc(80_000, 1), etag: '"old"', cutAfterBytes: [40_000] });
    const options = await optionsFor(old, { attempts: 1 });
    await expect(downloadFile(options)).rejects.toThrow();
    // The same address, another version.
    const info = `${options.partPath}.json`;
    const renewed = await serve({ etag: '"new"' });
    const url = `${renewed.url}/a.tar`;
    await writeFile(info, (await readFile(info, 'utf8')).replace(options.url, url));
    await downloadFile({ ...options, url });
    expect(renewed.requests[0]).toMatchObject({ range: 'bytes=40000-', 'if-range': '"old"' });
    expect((await readFile(options.partPath)).equals(CONTENT)).toBe(true);
  });

  it.each([
    ['does not know ranges', { ranges: false }],
    ['names no version', { etag: null }],
    ['names a weak version', { etag: 'W/"1"' }],
  ])('begins anew with a server that %s', async (_, behaviour) => {
    const server = await serve({ ...behaviour, cutAfterBytes: [30_000] });
    const options = await optionsFor(server);
    await downloadFile(options);
    expect((await readFile(options.partPath)).equals(CONTENT)).toBe(true);
  });

  it('is content with 416 when it had everything already', async () => {
    const server = await serve();
    const options = await optionsFor(server);
    await downloadFile(options);
    await downloadFile(options);
    expect(server.requests[1]?.range).toBe(`bytes=${CONTENT.length}-`);
    expect((await readFile(options.partPath)).equals(CONTENT)).toBe(true);
  });

  it('begins anew after 416 when it has more than there is', async () => {
    const server = await serve();
    const options = await optionsFor(server);
    await downloadFile(options);
    await writeFile(options.partPath, Buffer.concat([CONTENT, Buffer.from('too much')]));
    await downloadFile(options);
    expect((await readFile(options.partPath)).equals(CONTENT)).toBe(true);
  });

  it('opens no connection when everything is there', async () => {
    const server = await serve();
    const options = await optionsFor(server, { expectedBytes: CONTENT.length });
    await writeFile(options.partPath, CONTENT);
    await downloadFile(options);
    expect(server.requests).toEqual([]);
  });

  it('follows redirects, also relative ones, but not for ever', async () => {
    const server = await serve({ redirects: ['/elsewhere', '/else-elsewhere'] });
    const options = await optionsFor(server);
    await downloadFile(options);
    expect((await readFile(options.partPath)).equals(CONTENT)).toBe(true);

    const loop = await serve({ redirects: Array.from({ length: 50 }, () => '/again') });
    await expect(downloadFile(await optionsFor(loop))).rejects.toMatchObject({
      code: 'download_failed',
      retryable: false,
    });
    expect(loop.requests.length).toBeLessThan(10);
  });

  it('does not follow a redirect to something that is no web address', async () => {
    const server = await serve({ redirects: ['file:///etc/passwd'] });
    await expect(downloadFile(await optionsFor(server))).rejects.toThrow(/no web address/);
  });

  it('gives up at once on 404, and tries again on 503', async () => {
    const missing = await serve({ statuses: [404] });
    await expect(downloadFile(await optionsFor(missing))).rejects.toMatchObject({
      code: 'download_failed',
      retryable: false,
      message: expect.stringMatching(/status 404/) as string,
    });
    expect(missing.requests).toHaveLength(1);

    const busy = await serve({ statuses: [503, 503] });
    const options = await optionsFor(busy);
    await downloadFile(options);
    expect((await readFile(options.partPath)).equals(CONTENT)).toBe(true);
  });

  it('says at once that a server cannot be reached', async () => {
    const server = await serve();
    await server.close();
    await expect(downloadFile(await optionsFor(server, { retryDelayMs: 3_600_000 }))).rejects.toMatchObject({
      code: 'download_failed',
      retryable: true,
      message: expect.stringMatching(/cannot be reached.*ECONNREFUSED/) as string,
    });
  });

  it('gives up on a server that falls silent', async () => {
    const server = await serve({ stallAfterBytes: 1000 });
    const options = await optionsFor(server, { idleTimeoutMs: 50, attempts: 2 });
    await expect(downloadFile(options)).rejects.toMatchObject({
      code: 'download_failed',
      retryable: true,
      message: expect.stringMatching(/sent nothing for 0.05 s/) as string,
    });
    expect(server.requests).toHaveLength(2);
  });

  it('refuses a size that is not the expected one before it receives anything', async () => {
    const server = await serve();
    const options = await optionsFor(server, { expectedBytes: 99_999 });
    await expect(downloadFile(options)).rejects.toMatchObject({ code: 'archive_mismatch', retryable: false });
    await expect(readFile(options.partPath)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses more than the limit', async () => {
    const options = await optionsFor(await serve(), { maxArchiveBytes: 99_999 });
    await expect(downloadFile(options)).rejects.toMatchObject({ code: 'archive_mismatch' });
  });

  it('stops with the reason of the signal, and keeps what it has', async () => {
    const server = await serve({ stallAfterBytes: 1000 });
    const stop = new AbortController();
    const options = await optionsFor(server, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(downloadFile(options)).rejects.toThrow('enough');
    expect((await readFile(options.partPath)).length).toBe(1000);
  });
});
