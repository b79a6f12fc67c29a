import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** One entry of NO_PROXY: `example.org` and `.example.org` with what is below, `192.0.2.7`, `10.0.0.0/8`, each with `:port` or without. */
interface Exception {
  readonly host: string;
  /** Empty for all. */
  readonly port: string;
}

/** Which addresses are reached without a proxy, by a list as curl and others read it in NO_PROXY. */
export class NoProxy {
  readonly #exceptions: readonly Exception[];

  constructor(list: string) {
    this.#exceptions = list
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry !== '')
      .map(parseException);
  }

  includes({ protocol, hostname, port }: URL): boolean {
    const host = withoutBrackets(hostname.toLowerCase()).replace(/\.$/, '');
    const usedPort = port === '' ? DEFAULT_PORTS[protocol] : port;
    return this.#exceptions.some(
      (exception) => (exception.port === '' || exception.port === usedPort) && matches(exception.host, host),
    );
  }
}

function parseException(entry: string): Exception {
  // Some write whole addresses into the list.
  const bare = entry.replace(/^https?:\/\//, '').replace(/\/$/, '');
  const [, address = '', port = ''] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(bare) ?? ['', bare, ''];
  const host = withoutBrackets(address)
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
  // As URLs have it.
  return { host: /^[ -~]*$/.test(host) ? host : domainToASCII(host), port };
}

const withoutBrackets = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

function matches(pattern: string, host: string): boolean {
  if (pattern === '*' || pattern === host) return true;
  const [network = '', prefix] = pattern.split('/');
  if (isIP(host) === 0) return prefix === undefined && host.endsWith(`.${pattern}`);
  if (isIP(network) === 0 || isIP(network) !== isIP(host)) return false;
  const longest = isIP(network) === 4 ? 32 : 128;
  const bits = prefix === undefined ? longest : Number(prefix);
  if (!Number.isInteger(bits) || bits < 0 || bits > longest) return false;
  const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
  const addresses = new BlockList();
  addresses.addSubnet(network, bits, family);
  return addresses.check(host, family);
}
