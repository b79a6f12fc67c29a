/** One HTTP GET with bounded redirects, whose failures say whether trying again makes sense. */
import type { Response } from 'undici';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { outboundFetch } from '../outbound-fetch.js';

const MAX_REDIRECTS = 5;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** Time-out, too early, too many requests: the server's own words for "later". */
const RETRYABLE_CLIENT_ERRORS: readonly number[] = [408, 425, 429];

export interface GetOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * The first response that is no redirect. Throws CaptionError `download_failed` when the server cannot be reached,
 * sends too many redirects or one from https to http; and the signal's reason.
 */
export async function getFollowingRedirects(options: GetOptions): Promise<Response> {
  let url = new URL(options.url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await get(url, options);
    const location = REDIRECTS.includes(response.status) ? response.headers.get('location') : null;
    if (location === null) return response;
    await response.body?.cancel();
    url = redirectTarget(location, url);
  }
  throw downloadFailed(`${options.url} redirects more than ${MAX_REDIRECTS} times.`, { retryable: false });
}

/** For a status that carries no usable content. */
export const badStatus = (url: string, status: number): CaptionError =>
  downloadFailed(`${url} answered with status ${status}.`, {
    retryable: status >= 500 || RETRYABLE_CLIENT_ERRORS.includes(status),
  });

export const downloadFailed = (
  message: string,
  options: { retryable: boolean; cause?: unknown },
): CaptionError => new CaptionError('download_failed', message, options);

async function get(url: URL, { headers, signal }: GetOptions): Promise<Response> {
  try {
    return await outboundFetch(url, { headers, signal, redirect: 'manual' });
  } catch (error) {
    signal.throwIfAborted();
    throw downloadFailed(`${url.href} cannot be reached: ${networkReason(error)}.`, {
      retryable: true,
      cause: error,
    });
  }
}

function redirectTarget(location: string, from: URL): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target === undefined || !['http:', 'https:'].includes(target.protocol)) {
    throw downloadFailed(`${from.href} redirects to "${location}", which is no web address.`, {
      retryable: false,
    });
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw downloadFailed(`${from.href} redirects to an unencrypted address (${target.href}).`, {
      retryable: false,
    });
  }
  return target;
}

/** `fetch` says "fetch failed" and keeps the reason in `cause`. */
export const networkReason = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return errorMessage(error);
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
};
