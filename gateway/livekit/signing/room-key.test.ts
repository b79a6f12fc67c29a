import { describe, expect, it } from 'vitest';
import { CaptionKey, epochMs, encodeMessage, roomName } from '../../../protocol/index.js';
import { RoomKey } from './room-key.js';

const SESSION = { room: roomName('council'), sid: 'RM_abc' };
const SECRET = 'a secret of tests, of at least 32 characters';

const content = encodeMessage({
  kind: 'status',
  room: SESSION.room,
  epochMs: epochMs(1000),
  seq: 1,
  state: 'live',
  reason: '',
});
const proves = async (publicKey: string, bytes: Uint8Array): Promise<boolean | undefined> =>
  (await CaptionKey.read(publicKey))?.signedMessage(bytes);

describe('the key of a room', () => {
  it('is the same for every gateway of a deployment, and stays so from version to version', () => {
    const key = new RoomKey(SESSION, SECRET);
    expect(new RoomKey({ ...SESSION }, SECRET).publicKey).toBe(key.publicKey);
    // Gateways of two versions caption one room while a deployment is updated.
    expect(key.publicKey).toBe(
      'BKBy9nwZl588XVsbG4CHQl0p_s8cHeI7dnGNVTGhvlZLt6aNfdmfDrmfcbsyL8VAKvlCiug63rLOtNgGzgbthGc',
    );
  });

  it.each([
    ['another session of the room', { ...SESSION, sid: 'RM_def' }, SECRET],
    ['another room', { ...SESSION, room: roomName('board') }, SECRET],
    [
      'a room whose name and sid read the same in a row',
      { room: roomName('councilRM_'), sid: 'abc' },
      SECRET,
    ],
    ['another secret', SESSION, `${SECRET}.`],
  ])('is another one for %s', async (_title, session, secret) => {
    const key = new RoomKey(SESSION, SECRET);
    const other = new RoomKey(session, secret);
    expect(other.publicKey).not.toBe(key.publicKey);
    expect(await proves(key.publicKey, other.signMessage(content))).toBe(false);
  });

  it('signs messages as browsers verify them', async () => {
    const key = new RoomKey(SESSION, SECRET);
    expect(await proves(key.publicKey, key.signMessage(content))).toBe(true);
  });

  it('numbers text streams upwards, above those of bots before it', async () => {
    const key = new RoomKey(SESSION, SECRET);
    const stream = { room: SESSION.room, speaker: 'ana', segment: 's1', isFinal: false, text: 'Yes' };
    const before = Date.now();
    const signed = [key.signStream(stream), key.signStream(stream), key.signStream(stream)];
    const numbers = signed.map((attributes) => Number(attributes['caption-gateway.n']));
    expect(numbers[0]).toBeGreaterThanOrEqual(before);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    const verifier = await CaptionKey.read(key.publicKey);
    for (const [index, attributes] of signed.entries()) {
      const number = numbers[index] ?? 0;
      const signature = attributes['caption-gateway.sig'] ?? '';
      expect(await verifier?.signedStream({ ...stream, number }, signature)).toBe(true);
    }
  });
});
