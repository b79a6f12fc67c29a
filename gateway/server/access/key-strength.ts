import { CaptionError } from '../../../protocol/index.js';
import { DEVELOPMENT_KEY } from '../../livekit/server/livekit-server-config.js';
import { bareHost, isLoopbackHost } from '../origin-policy.js';

/** What LiveKit asks for: as many bytes as HS256 makes of it. */
const MIN_SECRET_CHARS = 32;
/** Of `livekit-server --dev`. */
const LIVEKIT_DEV = { key: 'devkey', secret: 'secret' };
const MAKE_ONE = 'Make one with `openssl rand -base64 33` and give it to LiveKit and to the gateway.';

/**
 * Whoever can reach the gateway from another machine must not be able to guess what signs the access tokens.
 * Throws CaptionError `config_invalid`.
 */
export function requireSafeKeys(settings: {
  readonly CAPTION_HOST: string;
  readonly LIVEKIT_API_KEY: string;
  readonly LIVEKIT_API_SECRET: string;
}): void {
  const { CAPTION_HOST: host, LIVEKIT_API_KEY: key, LIVEKIT_API_SECRET: secret } = settings;
  if (isLoopbackHost(bareHost(host))) return;
  if (key === '') {
    throw refused(
      host,
      'set LIVEKIT_API_KEY and LIVEKIT_API_SECRET, so that clients must bring access tokens.',
    );
  }
  if (secret === DEVELOPMENT_KEY.apiSecret || (key === LIVEKIT_DEV.key && secret === LIVEKIT_DEV.secret))
    throw refused(host, `LIVEKIT_API_SECRET is the one of development, which everybody knows. ${MAKE_ONE}`);
  if (secret.length < MIN_SECRET_CHARS) {
    throw refused(
      host,
      `LIVEKIT_API_SECRET has ${secret.length} characters, and fewer than ${MIN_SECRET_CHARS} can be guessed. ${MAKE_ONE}`,
    );
  }
}

const refused = (host: string, why: string): CaptionError =>
  new CaptionError('config_invalid', `CAPTION_HOST ${host} is not loopback: ${why}`);
