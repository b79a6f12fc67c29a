import { wallClockMs } from '../../clock.js';
import { createECDH, createPrivateKey, hkdfSync, type KeyObject, sign } from 'node:crypto';
import {
  appendSignature,
  encodeBase64url,
  messageToSign,
  type RoomName,
  type SignedStream,
  STREAM_NUMBER_ATTRIBUTE,
  STREAM_SIGNATURE_ATTRIBUTE,
  streamToSign,
} from '../../../protocol/index.js';

const CURVE = 'prime256v1';
const SCALAR_BYTES = 32;
const COORDINATE_BYTES = 32;
/** A scalar of 256 random bits is outside of the curve's order once in 2^32 times; twice in a row never happens. */
const ATTEMPTS = 8;

/** One session of one LiveKit room: LiveKit gives a room a new sid whenever it begins anew. */
export interface RoomSession {
  readonly room: RoomName;
  readonly sid: string;
}

/**
 * The key with which the gateway signs what it says in one session of a room. It is derived from LiveKit's API secret, so that all
 * gateways of a deployment have the same one without keeping or exchanging it, and that the next session has another.
 */
export class RoomKey {
  readonly session: RoomSession;
  /** The public key, as `roomKeysIn` has it. */
  readonly publicKey: string;
  readonly #private: KeyObject;
  #number = 0;

  constructor(session: RoomSession, apiSecret: string) {
    this.session = session;
    const ecdh = createECDH(CURVE);
    const scalar = deriveScalar(session, apiSecret, (candidate) => ecdh.setPrivateKey(candidate));
    const point = ecdh.getPublicKey();
    this.publicKey = encodeBase64url(point);
    this.#private = createPrivateKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        d: encodeBase64url(scalar),
        x: encodeBase64url(point.subarray(1, 1 + COORDINATE_BYTES)),
        y: encodeBase64url(point.subarray(1 + COORDINATE_BYTES)),
      },
    });
  }

  /** The same message with its signature. `content` has at most `MAX_SIGNABLE_BYTES`. */
  signMessage(content: Uint8Array): Uint8Array {
    return appendSignature(content, this.#sign(messageToSign(content)));
  }

  /** The attributes that tell receivers that a text stream is the gateway's. To be made anew for each sending. */
  signStream(stream: Omit<SignedStream, 'number'>): Readonly<Record<string, string>> {
    // Another bot of the same room, after this one, goes on above it.
    this.#number = Math.max(this.#number + 1, Math.floor(wallClockMs()));
    return {
      [STREAM_NUMBER_ATTRIBUTE]: String(this.#number),
      [STREAM_SIGNATURE_ATTRIBUTE]: encodeBase64url(
        this.#sign(streamToSign({ ...stream, number: this.#number })),
      ),
    };
  }

  #sign(data: Uint8Array): Uint8Array {
    return sign('sha256', data, { key: this.#private, dsaEncoding: 'ieee-p1363' });
  }
}

function deriveScalar(
  { room, sid }: RoomSession,
  apiSecret: string,
  tryScalar: (scalar: Buffer) => void,
): Buffer {
  for (let attempt = 0; ; attempt += 1) {
    const info = JSON.stringify(['caption-gateway room key', room, sid, attempt]);
    const scalar = Buffer.from(hkdfSync('sha256', apiSecret, '', info, SCALAR_BYTES));
    try {
      tryScalar(scalar);
      return scalar;
    } catch (error) {
      if (attempt + 1 >= ATTEMPTS) throw error;
    }
  }
}
