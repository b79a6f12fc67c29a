import { fileURLToPath } from 'node:url';

/** Both builds write here; `gateway/server/page.ts` serves it. */
export const WEB_OUT_DIR = fileURLToPath(new URL('../../dist/web/', import.meta.url));
