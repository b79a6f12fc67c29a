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
  '.svg': 'image/svg+xml',
};
/** Served as they are in the sources. */
const PAGE_FILES: ReadonlyMap<string, string> = new Map([
  ['/', 'index.html'],
  ['/page.css', 'page.css'],
  ['/icon.svg', 'icon.svg'],
]);
/** Built modules that the page may load, and nothing else below dist/. */
const BUILT_MODULE = /^\/(?:protocol|gateway\/page)\/[a-z0-9-]+\.js$/;

/** Answers with a file of the captions page; false when `path` is none. */
export async function servePage(path: string, response: ServerResponse): Promise<boolean> {
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
    'Content-Security-Policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
  response.end(content);
  return true;
}

function fileOf(path: string): URL | undefined {
  const name = PAGE_FILES.get(path);
  if (name !== undefined) return new URL(`gateway/page/${name}`, packageRoot);
  return BUILT_MODULE.test(path) ? new URL(`dist${path}`, packageRoot) : undefined;
}
