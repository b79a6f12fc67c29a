import { fileURLToPath } from 'node:url';

/** `dist/`, seen from the sources (a test runs this file itself) and from `dist/asr/`. */
const dist = new URL(import.meta.url.endsWith('.ts') ? '../dist/' : '../', import.meta.url);

/** Absolute path of a built file, for instance `asr/child/main.js`: child processes run built files, also in tests. */
export const builtModule = (path: string): string => fileURLToPath(new URL(path, dist));
