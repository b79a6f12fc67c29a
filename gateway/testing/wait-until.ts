/** Longer than anything should take on a slow machine. */
const DEADLINE_MS = 20_000;
const POLL_INTERVAL_MS = 5;

/**
 * Polls until `reason` has none left to wait. The last reason is the failure's text, so let it say what is missing.
 */
export async function waitUntil(
  reason: () => Promise<string | undefined> | string | undefined,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const givesUpAtMs = performance.now() + deadlineMs;
  for (;;) {
    const missing = await reason();
    if (missing === undefined) return;
    if (performance.now() > givesUpAtMs) throw new Error(`waited ${deadlineMs} ms in vain: ${missing}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

/** Resolves with the first value that `read` gives, as `waitUntil` does. */
export async function waitFor<T>(what: string, read: () => T | undefined): Promise<T> {
  let value: T | undefined;
  await waitUntil(() => ((value = read()) === undefined ? what : undefined));
  if (value === undefined) throw new Error(what);
  return value;
}
