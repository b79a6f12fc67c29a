import { roomKeysOf } from '../../../protocol/index.js';

const DEADLINE_MS = 10_000;

/**
 * For `LiveKitSourceOptions.keys`: asks a gateway over HTTPS, so that nobody in between, LiveKit's server neither, can give another
 * key. `token`: an access token with which the captions of the room may be seen.
 */
export const gatewayKeys =
  (gateway: string, token: () => string | Promise<string>) =>
  async (room: string): Promise<readonly string[]> => {
    // The gateway may be beneath a path of another server.
    const base = gateway.endsWith('/') ? gateway : `${gateway}/`;
    const response = await fetch(new URL(`v1/rooms/${encodeURIComponent(room)}/key`, base), {
      headers: { Authorization: `Bearer ${await token()}` },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    if (!response.ok) throw new Error(`The gateway gave no key: HTTP status ${response.status}.`);
    const answer: unknown = await response.json();
    return typeof answer === 'object' && answer !== null && 'keys' in answer ? roomKeysOf(answer.keys) : [];
  };
