import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's folder, from this file's place in the sources or in dist/. */
const packageRoot = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url);

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Served as they are in the sources. */
const PAGE_FILES: ReadonlyMap<string, string> = new Map([
  ['/', 'index.html'],
  ['/page.css', 'page.css'],
  ['/icon.svg', 'icon.svg'],
  ['/room', 'room/room.html'],
  ['/room.css', 'room/room.css'],
]);
/** Of what the room page may not do without: LiveKit's SDK for browsers, one file that imports nothing. */
const LIVEKIT_CLIENT_PATH = '/livekit-client.mjs';
/** Built modules that the page may load, and nothing else below dist/. */
const BUILT_MODULE = /^\/(?:protocol|gateway\/page|gateway\/page\/room)\/[a-z0-9-]+\.js$/;

/** A development server of one's own is on this machine, on any port. */
const LOOPBACK_SOURCES = ['127.0.0.1', 'localhost'].flatMap((host) => [`ws://${host}:*`, `http://${host}:*`]);

/**
 * Answers with a file of the captions page or the room page; false when `path` is none. `liveKitUrl` is where the room page
 * may connect; empty for any port of this machine.
 */
export async function servePage(path: string, response: ServerResponse, liveKitUrl = ''): Promise<boolean> {
  const file = fileOf(path);
  if (file === undefined) return false;
  let content: Buffer;
  try {
    content = await readFile(fileURLToPath(file));
  } catch {
    return false;
  }
  response.writeHead(200, {
    'Content-Type': CONTENT_TYPES[extname(file.pathname)] ?? 'application/octet-stream',
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': contentSecurityPolicy(path === '/room' ? liveKitSources(liveKitUrl) : []),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
  response.end(content);
  return true;
}

const contentSecurityPolicy = (connectsTo: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
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

function fileOf(path: string): URL | undefined {
  if (path === LIVEKIT_CLIENT_PATH) return new URL(import.meta.resolve('livekit-client'));
  const name = PAGE_FILES.get(path);
  if (name !== undefined) return new URL(`gateway/page/${name}`, packageRoot);
  return BUILT_MODULE.test(path) ? new URL(`dist${path}`, packageRoot) : undefined;
}
