/** What a recogniser child is started with so that it takes little memory. Figures: 40 people connected, default model. */

export const CHILD_NODE_OPTIONS = [
  // sherpa-onnx's native memory is freed by the garbage collector, which must be told when.
  '--expose-gc',
  // In MB. What a child makes anew is audio on its way and is of use for a moment. With V8's 16, 45 MB more of it waited to be
  // collected.
  '--max-semi-space-size=1',
] as const;

/**
 * For glibc; others ignore it. One arena: with one for each thread a child had 11 MB more, for no speed. States and tensors come and go
 * in mappings of their own: glibc else raises this threshold as it goes, and 20 MB of holes between them stayed.
 */
export const CHILD_ALLOCATOR = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072' } as const;
