import type {} from '@livekit/rtc-node';
import { freeHandles } from './native-handles.js';

/**
 * Frees the SDK's native library for good, where it was loaded: until then its threads keep the process from ending. After the
 * last room was left.
 */
export async function disposeSdk(): Promise<void> {
  if (globalThis._ffiClientInstance === undefined) return;
  const { dispose } = await import('@livekit/rtc-node');
  freeHandles();
  await dispose();
}
