import type { IncomingMessage } from 'node:http';
import { CaptionError } from '../../protocol/index.js';

/**
 * Keeps web pages of other sites out. Browsers let any page open a WebSocket to loopback, so without this check every
 * page that a participant visits could read the captions of a gateway on the same machine. Programs send no Origin.
 */
export class OriginPolicy {
  readonly #allowed: ReadonlySet<string>;
  readonly #isLoopbackOnly: boolean;

  /** `allowed`: origins such as `https://visio.example`. With `isLoopbackOnly`, other host names are refused (DNS rebinding). */
  constructor(options: { allowed: readonly string[]; isLoopbackOnly: boolean }) {
    this.#allowed = new Set(
      options.allowed.filter((origin) => origin !== '').map((origin) => origin.toLowerCase()),
    );
    this.#isLoopbackOnly = options.isLoopbackOnly;
  }

  /** Throws CaptionError `origin_refused`. */
  check(request: IncomingMessage): void {
    const host = request.headers.host?.toLowerCase() ?? '';
    if (this.#isLoopbackOnly && !isLoopbackHost(host)) {
      throw new CaptionError('origin_refused', 'This gateway answers on loopback names only.');
    }
    const origin = request.headers.origin?.toLowerCase();
    if (origin === undefined || this.#allowed.has(origin)) return;
    if (origin === `http://${host}` || origin === `https://${host}`) return;
    throw new CaptionError(
      'origin_refused',
      'Pages of this origin may not connect; see CAPTION_ALLOWED_ORIGINS.',
    );
  }
}

/** For a name or address with or without a port; an IPv6 address with a port stands in brackets. */
export function isLoopbackHost(host: string): boolean {
  if (host === '::1') return true;
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}
