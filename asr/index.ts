/** Speech recognition: PCM in, caption segments out. Knows no rooms. */
export * from './engine.js';
export { type AudioFrame, toPcm16 } from './audio/audio-frame.js';
export { PcmSlab } from './audio/pcm-slab.js';
export { createResampler, type Resampler } from './audio/resampler.js';
export { mixToMono, readWavFile, toSixteenKilohertz, type WavAudio } from './audio/wav-file.js';
export type { EngineChoice } from './child/messages.js';
export { builtModule } from './built-module.js';
export { ChildEngine, defaultChildren, type ChildEngineOptions, type EngineBacklog } from './child-engine.js';
export * from './models/index.js';
export { monotonicNow } from './monotonic-clock.js';
export * from './scoring/index.js';
export type { WordMoments } from './stream/word-moments.js';
export type { PoolHealthState } from './supervisor/pool-health.js';
export type { PoolObserver } from './supervisor/pool-observer.js';
export type { ChildDown } from './supervisor/supervised-child.js';
export { decodeText, readTextFile } from './text-file.js';
export { parseVocabulary } from './text/vocabulary.js';
export type { UnfavouredPhrases } from './vocabulary-check.js';
