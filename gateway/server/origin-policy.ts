import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { CaptionError } from '../../protocol/index.js';

/**
 * Keeps web pages of other sites out. Browsers let any page open a WebSocket to loopback, so without this check every
 * page that a participant visits could read the captions of a gateway on the same machine. Programs send no Origin.
 */
export class OriginPolicy {
  readonly #allowed: ReadonlySet<string>;
  readonly #isLoopbackOnly: boolean;

  /**
   * `allowed`: origins such as `https://visio.example`, as `allowedOrigins` reads them. With `isLoopbackOnly`, other host names are
   * refused (DNS rebinding).
   */
  constructor(options: { allowed: readonly string[]; isLoopbackOnly: boolean }) {
    this.#allowed = new Set(options.allowed);
    this.#isLoopbackOnly = options.isLoopbackOnly;
  }

  /** Throws CaptionError `origin_refused`. */
  check(request: IncomingMessage): void {
    const { host = '', origin: given } = request.headers;
    if (this.#isLoopbackOnly && !isLoopbackHost(host)) {
      throw new CaptionError('origin_refused', 'This gateway answers on loopback names only.');
    }
    if (given === undefined) return;
    const origin = originOf(given);
    if (origin !== undefined && this.#allowed.has(origin)) return;
    // TLS belongs to a proxy: which scheme the page came by is not known here.
    if (
      origin !== undefined &&
      ['http', 'https'].some((scheme) => originOf(`${scheme}://${host}`) === origin)
    )
      return;
    throw new CaptionError(
      'origin_refused',
      'Pages of this origin may not connect; see CAPTION_ALLOWED_ORIGINS.',
    );
  }
}

/**
 * Origins separated by commas, each as browsers write it: `https://VISIO.example:443/` is `https://visio.example`. Throws CaptionError
 * `config_invalid` for what is no origin, and would never match one.
 */
export function allowedOrigins(setting: string): readonly string[] {
  return setting
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const origin = originOf(entry);
      if (origin !== undefined) return origin;
      throw new CaptionError(
        'config_invalid',
        `CAPTION_ALLOWED_ORIGINS holds "${entry}", which is no origin; write scheme and host, with the port where it is not the usual one: https://visio.example or http://localhost:3000.`,
      );
    });
}

/** Undefined where `text` is more, less or something else than an origin of the web. */
function originOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isBare =
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === '';
  // The dot at the end of a full name is no part of it; a pattern is no name.
  if (!isBare || !/^https?:$/.test(url.protocol) || url.hostname.includes('*')) return undefined;
  url.hostname = url.hostname.replace(/\.$/, '');
  return url.origin;
}

/**
 * Where the gateway listens: without the brackets of an IPv6 address and the dot of a full name. Throws CaptionError `config_invalid`
 * for more than a name or address.
 */
export function bareHost(host: string): string {
  const bare = (/^\[(.*)\]$/.exec(host)?.[1] ?? host).replace(/(?<=.)\.$/, '');
  const isAddress = isIP(bare.replace(/%.*$/, '')) !== 0;
  if (isAddress || /^[^\s:/?#@[\]]*$/.test(bare)) return bare;
  throw new CaptionError(
    'config_invalid',
    `CAPTION_HOST is "${host}"; it must be a name or an address alone, such as 127.0.0.1 or ::1. The port is CAPTION_PORT.`,
  );
}

/** As URL parsers write them: `::ffff:127.0.0.1` is `[::ffff:7f00:1]`. */
const LOOPBACK_ADDRESS = /^(?:127\.[\d.]+|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]+\])$/;

/** For a name or address with or without a port; an IPv6 address with a port stands in brackets. */
export function isLoopbackHost(host: string): boolean {
  const address = `http://${isIP(host) === 6 ? `[${host}]` : host}`;
  if (/[/?#@\\]/.test(host) || !URL.canParse(address)) return false;
  const name = new URL(address).hostname.replace(/\.$/, '');
  return name === 'localhost' || LOOPBACK_ADDRESS.test(name);
}
