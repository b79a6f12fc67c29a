import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** What `npm run build` makes of gateway/web/, from this file's place in the sources or in dist/. */
const webFolder = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/web/' : '../../web/', import.meta.url),
);

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
/** Fonts are compressed already. */
const COMPRESSED_TYPES = new Set(['.html', '.css', '.js', '.svg']);
/** `[name]-[hash].[ext]`: another content has another name. */
const HASHED_NAME = /^\/assets\//;
const A_YEAR_S = 31_536_000;
/** A development server of one's own is on this machine, on any port. */
const LOOPBACK_SOURCES = ['127.0.0.1', 'localhost'].flatMap((host) => [`ws://${host}:*`, `http://${host}:*`]);

interface WebFile {
  readonly type: string;
  readonly content: Buffer;
  readonly compressed: Buffer | undefined;
  readonly etag: string;
}

export interface PageExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Where the room page may connect; empty (the default) for any port of this machine. */
  readonly liveKitUrl?: string;
}

let loaded: Promise<ReadonlyMap<string, WebFile>> | undefined;

/**
 * Answers with a page, or a file that pages load; false when `path` is none. The files are read once, at the first request:
 * what is not among them then is never looked for on disk.
 */
export async function servePage(
  path: string,
  { request, response, liveKitUrl = '' }: PageExchange,
): Promise<boolean> {
  loaded ??= loadFiles();
  const file = (await loaded).get(path);
  if (file === undefined) return false;
  const headers: Record<string, string> = {
    'Content-Type': file.type,
    'Cache-Control': HASHED_NAME.test(path) ? `public, max-age=${A_YEAR_S}, immutable` : 'no-cache',
    ETag: file.etag,
    Vary: 'Accept-Encoding',
    'Content-Security-Policy': contentSecurityPolicy(path === '/room' ? liveKitSources(liveKitUrl) : []),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    // Other applications load the component and its fonts; nothing here is secret.
    'Access-Control-Allow-Origin': '*',
  };
  if (request.headers['if-none-match'] === file.etag) {
    response.writeHead(304, headers).end();
    return true;
  }
  const isCompressed =
    file.compressed !== undefined && /\bgzip\b/.test(request.headers['accept-encoding']?.toString() ?? '');
  if (isCompressed) headers['Content-Encoding'] = 'gzip';
  response.writeHead(200, headers).end(isCompressed ? file.compressed : file.content);
  return true;
}

const contentSecurityPolicy = (connectsTo: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self'",
    ["connect-src 'self'", ...connectsTo].join(' '),
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');

/** The SDK opens a WebSocket, and asks over HTTP for the reason when that fails. */
function liveKitSources(liveKitUrl: string): readonly string[] {
  if (liveKitUrl === '') return LOOPBACK_SOURCES;
  const { protocol, host } = new URL(liveKitUrl);
  const isSecure = protocol === 'wss:' || protocol === 'https:';
  return isSecure ? [`wss://${host}`, `https://${host}`] : [`ws://${host}`, `http://${host}`];
}

/** By address: `index.html` is `/`, `captioner.html` is `/captioner`. Empty where nothing is built. */
async function loadFiles(): Promise<Map<string, WebFile>> {
  const files = new Map<string, WebFile>();
  const entries = await readdir(webFolder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const type = CONTENT_TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    files.set(addressOf(`/${relative(webFolder, file).split(sep).join('/')}`), await loadFile(file, type));
  }
  return files;
}

const addressOf = (path: string): string => path.replace(/(?:index)?\.html$/, '');

async function loadFile(file: string, type: string): Promise<WebFile> {
  const content = await readFile(file);
  const hash = createHash('sha256').update(content).digest('base64url');
  return {
    type,
    content,
    compressed: COMPRESSED_TYPES.has(extname(file))
      ? await promisify(gzip)(content, { level: 9 })
      : undefined,
    // Weak: the same content comes compressed and as it is.
    etag: `W/"${hash}"`,
  };
}
