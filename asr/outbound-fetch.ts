/**
 * HTTP requests to others: the one place that knows of proxies. Node's own `fetch` has none, and the package it is made of has
 * them as part of its own `fetch` only.
 */
import { Agent, Dispatcher, fetch, ProxyAgent, type RequestInit, type Response } from 'undici';
import { CaptionError } from '../protocol/index.js';
import { NoProxy } from './no-proxy.js';

export type { Response as OutboundResponse } from 'undici';

/** Addresses of proxies, and what is reached without; empty for none. */
export interface ProxySettings {
  /** For http addresses. */
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
}

const NO_PROXIES: ProxySettings = { httpProxy: '', httpsProxy: '', noProxy: '' };

/** Sends each request its way, also where a redirect leads to another address. */
class Routes extends Dispatcher {
  readonly #direct = new Agent();
  readonly #http: Dispatcher;
  readonly #https: Dispatcher;
  readonly #noProxy: NoProxy;

  constructor({ httpProxy, httpsProxy, noProxy }: ProxySettings) {
    super();
    this.#http = this.#by(httpProxy, 'HTTP_PROXY');
    this.#https = this.#by(httpsProxy, 'HTTPS_PROXY');
    this.#noProxy = new NoProxy(noProxy);
  }

  override dispatch(...[options, handler]: Parameters<Dispatcher['dispatch']>): boolean {
    const address = new URL(String(options.origin));
    const proxied = address.protocol === 'https:' ? this.#https : this.#http;
    return (this.#noProxy.includes(address) ? this.#direct : proxied).dispatch(options, handler);
  }

  #by(proxy: string, name: string): Dispatcher {
    if (proxy === '') return this.#direct;
    const address = proxy.includes('://') ? proxy : `http://${proxy}`;
    const url = URL.canParse(address) ? new URL(address) : undefined;
    // The address may hold a password: it is not quoted.
    if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
      throw new CaptionError(
        'config_invalid',
        `${name} must be the address of an HTTP proxy, such as http://proxy.example:3128.`,
      );
    }
    const { username, password, origin } = url;
    const user = Buffer.from(`${plain(username)}:${plain(password)}`);
    return new ProxyAgent({
      uri: origin,
      // Plain http is passed on by the proxy; many refuse tunnels to other ports than 443.
      proxyTunnel: false,
      ...(username === '' ? {} : { token: `Basic ${user.toString('base64')}` }),
    });
  }
}

/** A password may hold a bare per cent sign. */
function plain(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

let routes: Routes | undefined;

/** From now on requests go through these proxies. Throws CaptionError `config_invalid`. */
export function useProxies(settings: ProxySettings): void {
  routes = new Routes(settings);
}

/** `fetch`, through the proxies of `useProxies`; without it, directly. */
export function outboundFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  routes ??= new Routes(NO_PROXIES);
  return fetch(url, { ...init, dispatcher: routes });
}
