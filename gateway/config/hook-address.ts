import { CaptionError } from '../../protocol/index.js';
import { isLoopbackHost } from '../server/origin-policy.js';

/**
 * The address of an application's hook, which is sent names of rooms, or answers with secrets. Throws CaptionError `config_invalid`
 * for one over a network in the clear, or with a user and password, which would end up in logs; the text never quotes it.
 */
export function parseHookAddress(setting: string, address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isPrivate = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname));
  if (url !== undefined && isPrivate && url.username === '' && url.password === '') return url;
  throw new CaptionError(
    'config_invalid',
    `${setting} must be an https address (http on this machine only), without user and password.`,
  );
}
