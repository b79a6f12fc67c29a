/** Measurements on words: accuracy, latency, revisions. Pure; used by the demo, the bench and the tests. */
export * from './alignment.js';
export * from './caption-tracker.js';
export * from './statistics.js';
export * from './text-agreement.js';
export * from './word-latency.js';
export * from './words.js';
