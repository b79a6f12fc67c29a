/** A real HTTP server on loopback that serves one archive, in as many bad ways as are asked for. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ArchiveServerOptions {
  readonly content: Buffer;
  /** Default: an ETag made of the length. Null sends none. */
  readonly etag?: string | null;
  /** Whether `Range` is understood. Default true. */
  readonly ranges?: boolean;
  /**
   * The first responses stop after so many bytes each, and are cut off once the client has told `received` that it has
   * them: a client forgets what it has not read when its connection breaks. Later responses are whole.
   */
  readonly cutAfterBytes?: number[];
  /** Send so many bytes and then nothing, for ever. */
  readonly stallAfterBytes?: number;
  /** Answer the first requests like this instead. */
  readonly statuses?: number[];
  /** Answer the first requests by a redirect there; may be relative. */
  readonly redirects?: string[];
}

export interface ArchiveServer {
  readonly url: string;
  /** The headers of each request, in order. */
  readonly requests: IncomingMessage['headers'][];
  /** To be called with what the client has received in all. */
  received(doneBytes: number): void;
  close(): Promise<void>;
}

export async function startArchiveServer(options: ArchiveServerOptions): Promise<ArchiveServer> {
  const requests: IncomingMessage['headers'][] = [];
  const plan = {
    cuts: [...(options.cutAfterBytes ?? [])],
    statuses: [...(options.statuses ?? [])],
    redirects: [...(options.redirects ?? [])],
  };
  let cutOff: { atBytes: number; response: ServerResponse } | undefined;
  const server = createServer((request, response) => {
    requests.push(request.headers);
    const status = plan.statuses.shift();
    const redirect = plan.redirects.shift();
    if (status !== undefined) response.writeHead(status).end('no');
    else if (redirect !== undefined) response.writeHead(302, { location: redirect }).end();
    else sendContent(request, response);
  });
  function sendContent(request: IncomingMessage, response: ServerResponse): void {
    const { content, ranges = true } = options;
    const etag = options.etag === undefined ? `"${content.length}"` : options.etag;
    const start = ranges ? rangeStart(request, etag) : 0;
    if (start >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': content.length - start,
      ...(etag === null ? {} : { etag }),
      ...(start > 0 ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
    });
    const cut = plan.cuts.shift();
    if (cut !== undefined) {
      cutOff = { atBytes: start + cut, response };
      response.write(content.subarray(start, start + cut));
    } else if (options.stallAfterBytes !== undefined) {
      response.write(content.subarray(start, start + options.stallAfterBytes));
    } else {
      response.end(content.subarray(start));
    }
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    received: (doneBytes) => {
      if (doneBytes === cutOff?.atBytes) cutOff.response.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function rangeStart({ headers }: IncomingMessage, etag: string | null): number {
  const match = /^bytes=(\d+)-$/.exec(headers.range ?? '');
  return match !== null && headers['if-range'] === etag ? Number(match[1]) : 0;
}
