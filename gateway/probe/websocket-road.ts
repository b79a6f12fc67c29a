import { AccessToken } from 'livekit-server-sdk';
import { CaptionError, gatewayAddress, participantIdentity, type RoomName } from '../../protocol/index.js';
import { connectCaptions } from '../client/caption-client.js';
import { connectIngest } from '../client/ingest-client.js';
import { PROBE_SPEAKER, PROBE_VIEWER, type ProbeRoad } from './probe-road.js';

const OPEN_DEADLINE_MS = 10_000;
const TOKEN_TTL_S = 30 * 24 * 3600;

export interface WebSocketRoadOptions {
  /** Of the gateway, `http://…`. */
  readonly url: string;
  readonly room: RoomName;
  /** Empty where the gateway has no keys. */
  readonly apiKey: string;
  readonly apiSecret: string;
}

/** In by `/v1/ingest`, out by `/v1/captions`. */
export function webSocketRoad(options: WebSocketRoadOptions): ProbeRoad {
  const { url, room } = options;
  return {
    kind: 'websocket',
    room,
    async open({ watch }) {
      await requireGateway(url);
      const speaker = await tokenFor(options, PROBE_SPEAKER);
      const viewer = await tokenFor(options, PROBE_VIEWER);
      let isAlive = true;
      let refusal: string | undefined;
      const captions = connectCaptions({
        url,
        room,
        reports: true,
        changed: watch,
        disconnected: ({ reason }) => {
          isAlive = false;
          refusal ??= reason;
        },
        ...(viewer === undefined ? {} : { token: viewer }),
      });
      const ingest = connectIngest({
        url,
        room,
        speaker: { identity: participantIdentity(PROBE_SPEAKER), name: 'Probe' },
        ...(speaker === undefined ? {} : { token: speaker }),
      });
      const close = (): Promise<void> => {
        captions.close();
        ingest.close();
        return Promise.resolve();
      };
      try {
        await withinDeadline(Promise.all([captions.ready, ingest.ready]));
      } catch (error) {
        await close();
        if (error instanceof CaptionError) throw error;
        throw new CaptionError(
          'gateway_unreachable',
          `The gateway at ${url} does not answer: ${refusal ?? 'nothing came'}.`,
        );
      }
      return {
        get isAlive() {
          return isAlive;
        },
        get state() {
          return captions.state;
        },
        send: (frame) => ingest.send(frame),
        mute: () => ingest.mute(),
        unmute: () => ingest.unmute(),
        close,
      };
    },
  };
}

/** Both clients would try again for long, and nobody would know why. */
async function requireGateway(url: string): Promise<void> {
  try {
    await fetch(gatewayAddress(url, 'healthz'), { signal: AbortSignal.timeout(OPEN_DEADLINE_MS) });
  } catch (error) {
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : 'no answer in time';
    throw new CaptionError('gateway_unreachable', `No gateway answers at ${url}: ${reason}`, {
      retryable: true,
      cause: error,
    });
  }
}

function tokenFor(
  { apiKey, apiSecret, room }: WebSocketRoadOptions,
  identity: string,
): Promise<string | undefined> {
  if (apiKey === '') return Promise.resolve(undefined);
  const token = new AccessToken(apiKey, apiSecret, { identity, name: identity, ttl: TOKEN_TTL_S });
  token.addGrant({ room, roomJoin: true, canPublish: identity === PROBE_SPEAKER, canSubscribe: true });
  return token.toJwt();
}

async function withinDeadline(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('late')), OPEN_DEADLINE_MS);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
