import { CaptionError, errorMessage } from '../../../protocol/index.js';

/** What a failed connection means, from the SDK's text: it gives no codes. */
export function connectError(url: string, error: unknown): CaptionError {
  const why = errorMessage(error);
  if (/401|403|unauthori[sz]ed|invalid (api key|token)|permission/i.test(why)) {
    return new CaptionError(
      'livekit_unauthorised',
      `LiveKit at ${url} refuses our token: ${why}. Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET, and both clocks.`,
      { cause: error },
    );
  }
  if (/invalid url|url parse|unsupported (url )?scheme|relative url/i.test(why)) {
    return new CaptionError(
      'livekit_url_invalid',
      `LIVEKIT_URL ${url} is no address of a LiveKit server: ${why}. It looks like wss://livekit.example.`,
      { cause: error },
    );
  }
  return new CaptionError('livekit_unreachable', `LiveKit at ${url} cannot be reached: ${why}.`, {
    retryable: true,
    cause: error,
  });
}
