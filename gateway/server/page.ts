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
};
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
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
  response.end(content);
  return true;
}

function fileOf(path: string): URL | undefined {
  if (path === '/') return new URL('gateway/page/index.html', packageRoot);
  if (path === '/page.css') return new URL('gateway/page/page.css', packageRoot);
  return BUILT_MODULE.test(path) ? new URL(`dist${path}`, packageRoot) : undefined;
}
