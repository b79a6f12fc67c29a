import { decodeBase64url } from './base64url.js';
import { messageToSign, type SignedStream, splitSignature, streamToSign } from './signature.js';

/** The part of WebCrypto that is used; Node and browsers have it as a global, and it is not in TypeScript's ES2023. */
interface Subtle {
  importKey(
    format: 'raw',
    point: Uint8Array<ArrayBuffer>,
    algorithm: { name: 'ECDSA'; namedCurve: 'P-256' },
    isExtractable: false,
    usages: ['verify'],
  ): Promise<PlatformKey>;
  verify(
    algorithm: { name: 'ECDSA'; hash: 'SHA-256' },
    key: PlatformKey,
    signature: Uint8Array<ArrayBuffer>,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}
interface PlatformKey {
  readonly type: string;
}
declare const crypto: { readonly subtle?: Subtle } | undefined;

const subtle = (): Subtle | undefined => (typeof crypto === 'undefined' ? undefined : crypto.subtle);

/** False on pages that were not loaded over HTTPS, where browsers offer no cryptography: nothing can be verified there. */
export const canVerify = (): boolean => subtle() !== undefined;

/** A public key of a room: tells what the gateway wrote from what others did. */
export class CaptionKey {
  readonly #key: PlatformKey;

  private constructor(key: PlatformKey) {
    this.#key = key;
  }

  /** `text`: as in `roomKeysIn`. Undefined where it is no key, or where this page cannot verify. */
  static async read(text: string): Promise<CaptionKey | undefined> {
    const point = decodeBase64url(text);
    const platform = subtle();
    if (point === undefined || platform === undefined) return undefined;
    try {
      const key = await platform.importKey('raw', point, { name: 'ECDSA', namedCurve: 'P-256' }, false, [
        'verify',
      ]);
      return new CaptionKey(key);
    } catch {
      return undefined;
    }
  }

  /** Whether the owner of this key signed the message. Never rejects. */
  async signedMessage(bytes: Uint8Array): Promise<boolean> {
    const signed = splitSignature(bytes);
    return signed !== undefined && this.#verifies(signed.signature, messageToSign(signed.content));
  }

  /** The same for a text stream and the value of its attribute. */
  async signedStream(stream: SignedStream, signatureText: string): Promise<boolean> {
    const signature = decodeBase64url(signatureText);
    return signature !== undefined && this.#verifies(signature, streamToSign(stream));
  }

  async #verifies(signature: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>): Promise<boolean> {
    try {
      return (
        (await subtle()?.verify({ name: 'ECDSA', hash: 'SHA-256' }, this.#key, signature, data)) ?? false
      );
    } catch {
      return false;
    }
  }
}
