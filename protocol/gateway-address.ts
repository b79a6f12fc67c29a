/** Addresses at a gateway. The only place that builds them: a proxy may have the gateway below a path of its own. */

type Query = Readonly<Record<string, string>>;

/**
 * The address of `path`, such as `v1/rooms`, at the gateway whose address is `base` (`https://host`, `https://host/captions/`): the
 * path of the base is kept, its query and fragment are not. A base for WebSockets is one for HTTP, too.
 */
export function gatewayAddress(base: string, path: string, query: Query = {}): string {
  const asked = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const address = base
    .trim()
    .replace(/^ws(?=s?:)/i, 'http')
    .replace(/[?#].*$/s, '')
    .replace(/\/+$/, '');
  return `${address}/${path}${asked.length === 0 ? '' : `?${asked.join('&')}`}`;
}

/** The same with `ws:` for `http:` and `wss:` for `https:`. */
export const webSocketAddress = (base: string, path: string, query: Query = {}): string =>
  gatewayAddress(base, path, query).replace(/^http/i, 'ws');
