import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CaptionError } from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { ScriptedGateway } from '../testing/scripted-gateway.js';
import { CLOSE, closeWith } from './websocket-closing.js';

const anyText = fc.string({ unit: 'binary', maxLength: 300 });
const codes = fc.oneof(fc.constantFrom('unauthorised', 'language_unsupported', 'internal_error'), anyText);

describe('closeWith', () => {
  const afterwards = cleanupsAfterEach();
  let gateway: ScriptedGateway;

  beforeEach(async () => {
    gateway = await ScriptedGateway.start();
    afterwards(() => gateway.close());
  });

  /** A connection, as the peer and as the gateway have it. */
  async function connected(): Promise<{ peer: WebSocket; socket: WebSocket }> {
    const peer = new WebSocket(gateway.url.replace('http', 'ws'), { perMessageDeflate: false });
    peer.on('error', () => undefined);
    const index = gateway.connections.length;
    return { peer, socket: (await gateway.connection(index)).socket };
  }

  it('sends a valid close frame, with as much of the reason as fits, for any code and any text', async () => {
    await fc.assert(
      fc.asyncProperty(codes, anyText, async (code, message) => {
        const { peer, socket } = await connected();
        const closed = once(peer, 'close');
        closeWith(socket, new CaptionError(code, message));
        const [closeCode, reason] = (await closed) as [number, Buffer];
        expect(Object.values<number>(CLOSE)).toContain(closeCode);
        const whole = Buffer.from(`${code}: ${message}`);
        // No character has more than four bytes.
        expect(reason.length).toBeGreaterThanOrEqual(Math.min(whole.length, 120));
        expect(whole.subarray(0, reason.length).equals(reason)).toBe(true);
        expect(() => new TextDecoder('utf-8', { fatal: true }).decode(reason)).not.toThrow();
      }),
      { numRuns: 60 },
    );
  });

  it('reads on for the answer, and not for a flood', async () => {
    const { peer, socket } = await connected();
    let frames = 0;
    for (const frame of ['ping', 'pong', 'message'] as const) socket.on(frame, () => (frames += 1));
    const gone = once(socket, 'close');
    peer.pause();
    closeWith(socket, new CaptionError('messages_too_fast', 'Too many.'));
    for (let index = 0; index < 50_000; index++) {
      peer.pong();
      if (index % 500 === 0) await setImmediate();
    }
    await gone;
    expect(frames).toBeGreaterThanOrEqual(1000);
    // One read of the socket may hold some more.
    expect(frames).toBeLessThan(1000 + 65_536 / 6);
  });

  it('does not throw when the connection is closing or gone', async () => {
    const { peer, socket } = await connected();
    const error = new CaptionError('internal_error', 'x'.repeat(200));
    const gone = once(socket, 'close');
    closeWith(socket, error);
    closeWith(socket, error);
    peer.terminate();
    await gone;
    expect(() => closeWith(socket, error)).not.toThrow();
  });

  it('does not throw, and ends the connection, when the close frame cannot be sent', async () => {
    const { socket } = await connected();
    const gone = once(socket, 'close');
    socket.close = () => {
      throw new Error('a frame that the library refuses');
    };
    closeWith(socket, new CaptionError('internal_error', 'It failed.'));
    await gone;
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });
});
