import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CaptionError, roomKeysIn, roomName } from '../../../protocol/index.js';
import type { LiveKitAdmin } from '../livekit-admin.js';
import { RoomKey } from './room-key.js';
import { RoomKeyRing, type RoomKeyRoad } from './room-key-ring.js';

const ROOM = roomName('council');
const SECRET = 'a secret of tests, of at least 32 characters';
const keyOf = (sid: string): string => new RoomKey({ room: ROOM, sid }, SECRET).publicKey;

/** A LiveKit server with one room, whose metadata an application writes too. */
class Server {
  sid = 'RM_1';
  metadata = '';
  writes = 0;
  failures = 0;
  /** What the application does between the gateway's reading and its writing. */
  beforeWrite: (() => void) | undefined;
  told: (metadata: string) => void = () => undefined;

  readonly admin: Pick<LiveKitAdmin, 'findRoom' | 'setRoomMetadata'> = {
    findRoom: () => {
      if (this.failures > 0) {
        this.failures -= 1;
        return Promise.reject(new CaptionError('livekit_unreachable', 'away', { retryable: true }));
      }
      const { sid, metadata } = this;
      return Promise.resolve({ sid, metadata } as Awaited<ReturnType<LiveKitAdmin['findRoom']>>);
    },
    setRoomMetadata: (_room, metadata) => {
      this.writes += 1;
      this.beforeWrite?.();
      this.beforeWrite = undefined;
      this.set(metadata);
      return Promise.resolve();
    },
  };

  set(metadata: string): void {
    this.metadata = metadata;
    this.told(metadata);
  }
}

describe('the keys of a bot', () => {
  let server: Server;
  let ring: RoomKeyRing;
  let warnings: string[];
  let changes: number;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    server = new Server();
    warnings = [];
    changes = 0;
  });
  afterEach(async () => {
    ring.close();
    await settle();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  function start(road: RoomKeyRoad = 'metadata'): void {
    ring = new RoomKeyRing({
      room: ROOM,
      apiSecret: SECRET,
      road,
      admin: server.admin,
      changed: () => (changes += 1),
      log: pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) }),
    });
    server.told = (metadata) => ring.metadataChanged(metadata);
    ring.connected(server.sid);
  }
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
  const named = (): readonly string[] => roomKeysIn(server.metadata);

  it('name the key in the metadata, beside what the application keeps there', async () => {
    server.metadata = '{"captions":{"language":"fr"},"theme":"dark"}';
    start();
    await settle();
    expect(JSON.parse(server.metadata)).toEqual({
      captions: { language: 'fr' },
      theme: 'dark',
      captionKeys: [keyOf('RM_1')],
    });
    expect(server.writes).toBe(1);
  });

  it('write nothing where the key is named already, as after another gateway of the deployment', async () => {
    server.metadata = JSON.stringify({ captionKeys: [keyOf('RM_1')] });
    start();
    await settle();
    expect(server.writes).toBe(0);
  });

  it('take the place of those of an earlier session that came with copied metadata', async () => {
    server.metadata = JSON.stringify({ captionKeys: [keyOf('RM_0')] });
    start();
    await settle();
    expect(named()).toEqual([keyOf('RM_1')]);
  });

  it('are named again when the application overwrites the metadata, and ever less often where it does so always', async () => {
    start();
    await settle();
    server.set('{"theme":"light"}');
    await vi.advanceTimersByTimeAsync(200);
    expect(JSON.parse(server.metadata)).toEqual({ theme: 'light', captionKeys: [keyOf('RM_1')] });
    server.told = (metadata) => {
      ring.metadataChanged(metadata);
      if (named().length > 0) queueMicrotask(() => server.set('{"theme":"stubborn"}'));
    };
    server.set('{"theme":"stubborn"}');
    const before = server.writes;
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(server.writes - before).toBeLessThan(60);
    expect(server.writes - before).toBeGreaterThan(8);
  });

  it('put back what the application wrote between reading and writing', async () => {
    server.metadata = '{"theme":"dark"}';
    server.beforeWrite = () => server.set('{"theme":"light","title":"Council"}');
    start();
    await vi.advanceTimersByTimeAsync(1000);
    expect(JSON.parse(server.metadata)).toEqual({
      theme: 'light',
      title: 'Council',
      captionKeys: [keyOf('RM_1')],
    });
  });

  it('leave alone what is no JSON object, and say so once', async () => {
    server.metadata = 'Council, room 4';
    start();
    await settle();
    server.set('Council, room 5');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.metadata).toBe('Council, room 5');
    expect(server.writes).toBe(0);
    expect(warnings).toHaveLength(1);
    server.set('{"title":"now it is JSON"}');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(named()).toEqual([keyOf('RM_1')]);
  });

  it('are never written where viewers ask over HTTPS only', async () => {
    start('https');
    await settle();
    server.set('{"theme":"light"}');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.writes).toBe(0);
    expect(ring.key?.publicKey).toBe(keyOf('RM_1'));
  });

  it('are new ones when LiveKit began the room anew while the connection was away', async () => {
    start();
    await settle();
    const before = changes;
    server.sid = 'RM_2';
    server.metadata = '';
    ring.connected('');
    await vi.advanceTimersByTimeAsync(1000);
    expect(ring.key?.publicKey).toBe(keyOf('RM_2'));
    expect(named()).toEqual([keyOf('RM_2')]);
    expect(changes).toBe(before + 1);
  });

  it('are written as soon as the server can be reached', async () => {
    server.failures = 3;
    start();
    await vi.advanceTimersByTimeAsync(5000);
    expect(named()).toEqual([keyOf('RM_1')]);
    expect(warnings).toEqual([]);
  });
});
