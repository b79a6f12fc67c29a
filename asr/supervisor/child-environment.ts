import { CHILD_ALLOCATOR } from './child-memory.js';

/**
 * What a child may know of this process's environment. It runs native code on everybody's audio and on model files: the secrets of the
 * gateway are none of its business, whatever they are called.
 */
const NAMES: ReadonlySet<string> = new Set([
  ...['PATH', 'HOME', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR', 'TMP', 'TEMP', 'SystemRoot', 'windir'],
  // Where an operator puts another allocator, or libraries, for all processes.
  ...['LD_LIBRARY_PATH', 'LD_PRELOAD', 'DYLD_LIBRARY_PATH', 'GLIBC_TUNABLES'],
  ...['NODE_OPTIONS', 'NODE_ENV', 'NODE_ICU_DATA', 'NODE_V8_COVERAGE', 'UV_THREADPOOL_SIZE'],
]);
/** Of locales, the allocator, onnxruntime and the libraries of threads below it. */
const PREFIXES = ['LC_', 'MALLOC_', 'ORT_', 'OMP_', 'GOMP_', 'KMP_'] as const;

const isForChildren = (name: string): boolean =>
  NAMES.has(name) || PREFIXES.some((prefix) => name.startsWith(prefix));

/** The environment of a recogniser child, from that of this process, which has the last word on the allocator. */
export const childEnvironment = (given: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...CHILD_ALLOCATOR,
  ...Object.fromEntries(Object.entries(given).filter(([name]) => isForChildren(name))),
});
