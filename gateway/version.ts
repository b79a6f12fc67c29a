import { readFileSync } from 'node:fs';

/** The package's folder, from this file's place in the sources or in dist/. */
const packageRoot = new URL(import.meta.url.endsWith('.ts') ? '../' : '../../', import.meta.url);

const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
  version: string;
};

/** Of this package. */
export const VERSION = version;
