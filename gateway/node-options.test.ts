import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/**
 * In MB. What the gateway makes anew is of use for a moment. With V8's 16 it used 25 MB more, and no less CPU; it has to be told before
 * V8 starts.
 */
const OPTION = '--max-semi-space-size=2';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

it('has a small young generation however the gateway is started', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const starts = Object.values(scripts).filter((script) => script.includes('gateway/main.js'));
  expect(starts.length).toBeGreaterThan(0);
  for (const script of starts) expect(script).toContain(`node ${OPTION} dist/gateway/main.js`);
  expect(read('gateway/main.ts').split('\n')[0]).toBe(`#!/usr/bin/env -S node ${OPTION}`);
  expect(read('Dockerfile')).toContain(`ENTRYPOINT ["node", "${OPTION}", "dist/gateway/main.js"]`);
  expect(read('bench/gateway-process.ts')).toContain(`['${OPTION}']`);
});
