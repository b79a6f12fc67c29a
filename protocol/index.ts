export * from './caption.js';
export * from './errors.js';
export * from './units.js';
