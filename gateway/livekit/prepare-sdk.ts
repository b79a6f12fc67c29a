import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setUnlessGiven } from '../config/environment.js';
import { type HandleBindings, watchHandles } from './native-handles.js';

interface Bindings extends HandleBindings {
  livekitInitialize: (event: (bytes: Uint8Array) => void, capturesLogs: boolean, version: string) => void;
}

let isPrepared = false;

/**
 * To be called before the first room; idempotent. Keeps account of what is held of the native library, and silences the logs of
 * @livekit/rtc-node: what matters of them reaches us as events and errors.
 *
 * - That of its JavaScript goes to standard output, which is for results, begins at level debug, and no public call changes that.
 * - That of its native libraries is worse: `FfiClient` asks for all of it, at every level, some 3,000 lines for each connection. Each
 *   is an event of its own, decoded here, given to every room's listener, and then thrown away. The Rust library's own logger
 *   then writes to standard error instead, which is for ours: `RUST_LOG` is `off` unless somebody looks for a fault there.
 */
export function prepareSdk(): void {
  if (isPrepared) return;
  isPrepared = true;
  const require = createRequire(import.meta.url);
  const entry = require.resolve('@livekit/rtc-node');
  try {
    const sdk = require(join(dirname(entry), 'log.cjs')) as { log?: { level: string } };
    if (sdk.log !== undefined) sdk.log.level = 'silent';
  } catch {
    // A later version keeps its log elsewhere: then it is loud.
  }
  const bindings = createRequire(entry)('@livekit/rtc-ffi-bindings') as Bindings;
  watchHandles(bindings);
  setUnlessGiven('RUST_LOG', 'off');
  const initialize = bindings.livekitInitialize;
  bindings.livekitInitialize = (event, _capturesLogs, version) => initialize(event, false, version);
}
