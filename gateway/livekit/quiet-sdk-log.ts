import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Silences the log of @livekit/rtc-node, idempotently: it goes to standard output, which is for results, begins at level debug,
 * and no public call changes that. What matters of it reaches us as events and errors.
 */
export function quietSdkLog(): void {
  const require = createRequire(import.meta.url);
  const file = join(dirname(require.resolve('@livekit/rtc-node')), 'log.cjs');
  try {
    const sdk = require(file) as { log?: { level: string } };
    if (sdk.log !== undefined) sdk.log.level = 'silent';
  } catch {
    // A later version keeps its log elsewhere: then it is loud.
  }
}
