import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{protocol,asr,gateway,bench,fixtures}/**/*.test.ts'],
    // Real servers, children and models: generous limits for slow machines, and few files at once on few cores.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    // Real servers and browsers on a shared machine: CI looks twice, and the report names what needed it.
    retry: process.env['CI'] === undefined ? 0 : 1,
  },
});
