import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptionKey } from './caption-key.js';
import { MAX_MESSAGE_BYTES } from './caption.js';
import { decodeMessage, encodeMessage } from './codec.js';
import { initialState } from './caption-state.js';
import { decodeBase64url, encodeBase64url } from './base64url.js';
import {
  appendSignature,
  MAX_SIGNABLE_BYTES,
  messageToSign,
  SIGNATURE_BYTES,
  type SignedStream,
  splitSignature,
  streamToSign,
} from './signature.js';
import { applyMessage } from './reducer.js';
import { snapshotMessages } from './snapshot.js';
import { splitDelta } from './split.js';
import {
  arbitraryDelta,
  arbitraryGap,
  arbitraryMeeting,
  arbitraryStatus,
} from './testing/arbitrary-messages.js';
import { decodeUtf8, encodeUtf8 } from './utf8.js';

const bytesOf = (size: number): fc.Arbitrary<Uint8Array<ArrayBuffer>> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => new Uint8Array(bytes));

/** What the gateway has to sign. */
const arbitraryContent = fc
  .oneof(
    arbitraryGap,
    arbitraryStatus,
    arbitraryDelta.map((delta) => splitDelta(delta)[0] ?? delta),
  )
  .map(encodeMessage);

/** A key pair of the platform's, as the gateway derives one. */
async function newKey(): Promise<{
  publicKey: string;
  sign: (data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
}> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const point = await crypto.subtle.exportKey('raw', pair.publicKey);
  return {
    publicKey: encodeBase64url(new Uint8Array(point)),
    sign: async (data) =>
      new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, data)),
  };
}

describe('a signature', () => {
  it('has golden bytes: the last field of the message, and what is signed in front of it', () => {
    const content = encodeMessage({
      kind: 'status',
      room: 'council' as never,
      epochMs: 1_700_000_000_000 as never,
      seq: 9,
      state: 'live',
      reason: '',
    });
    const signature = Uint8Array.from({ length: SIGNATURE_BYTES }, (_, index) => index * 4);
    expect(decodeUtf8(appendSignature(content, signature))).toBe(
      '{"v":1,"kind":"status","room":"council","epochMs":1700000000000,"seq":9,"state":"live","reason":"",' +
        '"sig":"AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4_A"}',
    );
    expect(decodeUtf8(messageToSign(content))).toBe(`caption-gateway/v1\n${decodeUtf8(content)}`);
  });

  it('comes off again, and viewers that do not know it read the message as it was', () => {
    fc.assert(
      fc.property(arbitraryContent, bytesOf(SIGNATURE_BYTES), (content, signature) => {
        const signed = appendSignature(content, signature);
        expect(signed.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
        expect(splitSignature(signed)).toEqual({ content, signature });
        expect(decodeMessage(signed)).toEqual(decodeMessage(content));
      }),
    );
  });

  it('is not found where there is none, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(encodeUtf8)), (bytes) => {
        expect(splitSignature(bytes)).toBeUndefined();
      }),
    );
    expect(splitSignature(encodeUtf8(`{"a":1,"sig":"${'='.repeat(86)}"}`))).toBeUndefined();
    expect(splitSignature(encodeUtf8(`{"a":1,"sig":"${'A'.repeat(85)}"}`))).toBeUndefined();
    expect(splitSignature(new Uint8Array(MAX_MESSAGE_BYTES + 1))).toBeUndefined();
  });

  it('has room in every message that the gateway makes', () => {
    fc.assert(
      fc.property(arbitraryDelta, (delta) => {
        for (const part of splitDelta(delta))
          expect(encodeMessage(part).length).toBeLessThanOrEqual(MAX_SIGNABLE_BYTES);
      }),
    );
    fc.assert(
      fc.property(arbitraryMeeting, ({ room, messages }) => {
        for (const part of snapshotMessages(messages.reduce(applyMessage, initialState(room))))
          expect(encodeMessage(part).length).toBeLessThanOrEqual(MAX_SIGNABLE_BYTES);
      }),
    );
  });

  it('proves a message: no other bytes, no other key', async () => {
    const { publicKey, sign } = await newKey();
    const key = await CaptionKey.read(publicKey);
    const other = await CaptionKey.read((await newKey()).publicKey);
    if (key === undefined || other === undefined) throw new Error('keys are read in Node');
    await fc.assert(
      fc.asyncProperty(
        arbitraryContent,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (content, at, flip) => {
          const signed = appendSignature(content, await sign(messageToSign(content)));
          expect(await key.signedMessage(signed)).toBe(true);
          expect(await other.signedMessage(signed)).toBe(false);
          expect(await key.signedMessage(content)).toBe(false);
          const forged = signed.slice();
          // In the message itself; of the signature's last character two bits mean nothing.
          const index = at % (content.length - 1);
          forged[index] = (forged[index] ?? 0) ^ flip;
          expect(await key.signedMessage(forged)).toBe(false);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('proves a text stream with all that is told of it', async () => {
    const { publicKey, sign } = await newKey();
    const key = await CaptionKey.read(publicKey);
    const stream: SignedStream = {
      room: 'council',
      speaker: 'ana',
      segment: 's1',
      isFinal: true,
      number: 7,
      text: 'Yes.',
    };
    const signature = encodeBase64url(await sign(streamToSign(stream)));
    expect(await key?.signedStream(stream, signature)).toBe(true);
    for (const changed of [
      { room: 'board' },
      { speaker: 'eve' },
      { segment: 's2' },
      { isFinal: false },
      { number: 8 },
      { text: 'No.' },
    ])
      expect(await key?.signedStream({ ...stream, ...changed }, signature), JSON.stringify(changed)).toBe(
        false,
      );
    expect(await key?.signedStream(stream, 'not base64url!')).toBe(false);
    expect(await key?.signedStream(stream, '')).toBe(false);
  });

  it('has a key that is one: whatever else the text is gives none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), bytesOf(65).map(encodeBase64url)), async (text) => {
        // A random point is on the curve about never.
        expect(await CaptionKey.read(text)).toBeUndefined();
      }),
    );
  });
});

describe('base64url', () => {
  it('comes back as it was, and is as Node writes it', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = encodeBase64url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(decodeBase64url(text)).toEqual(new Uint8Array(bytes));
      }),
    );
    for (const wrong of ['a', 'ab=', 'a+b/', 'ab c', 'é']) expect(decodeBase64url(wrong)).toBeUndefined();
  });
});
