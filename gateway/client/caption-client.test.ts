import { beforeEach, describe, expect, it } from 'vitest';
import {
  applyMessage,
  type CaptionMessage,
  type CaptionState,
  encodeMessage,
  epochMs,
  roomName,
  snapshotMessages,
  startEpoch,
} from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { type ScriptedConnection, ScriptedGateway } from '../testing/scripted-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { type CaptionClient, connectCaptions } from './caption-client.js';
import { textWith } from '../testing/matchers.js';

const ROOM = roomName('council');
const EPOCH = epochMs(5000);

const status = (seq: number, reason: string): CaptionMessage => ({
  kind: 'status',
  room: ROOM,
  epochMs: EPOCH,
  seq,
  state: 'degraded',
  reason,
});

describe('connectCaptions', () => {
  const afterwards = cleanupsAfterEach();
  let gateway: ScriptedGateway;
  let viewer: CaptionClient;
  let disconnects: { code: number; isFinal: boolean }[];
  let room: CaptionState;

  beforeEach(async () => {
    gateway = await ScriptedGateway.start();
    afterwards(() => gateway.close());
    // Its own list: the client of the test before is disconnected about now.
    const told: typeof disconnects = [];
    disconnects = told;
    room = startEpoch(ROOM, EPOCH);
    viewer = connectCaptions({
      url: gateway.url,
      room: ROOM,
      changed: () => undefined,
      disconnected: ({ code, isFinal }) => told.push({ code, isFinal }),
    });
    afterwards(() => viewer.close());
  });

  const sendSnapshot = (connection: ScriptedConnection): void =>
    snapshotMessages(room).forEach((part) => connection.send(encodeMessage(part)));

  /** What the room says; `isLost` on its way. */
  function say(connection: ScriptedConnection, reason: string, isLost = false): void {
    const message = status(room.seq + 1, reason);
    room = applyMessage(room, message);
    if (!isLost) connection.send(encodeMessage(message));
  }

  const shows = (reason: string): Promise<void> =>
    waitUntil(() => (viewer.state.reason === reason ? undefined : `it shows "${viewer.state.reason}"`));

  it('is ready with the first snapshot, and follows', async () => {
    const connection = await gateway.connection(0);
    sendSnapshot(connection);
    await viewer.ready;
    say(connection, 'one');
    await shows('one');
    expect(viewer.resyncs).toBe(0);
  });

  it('asks for a snapshot when something is missing, and again when none comes', async () => {
    const connection = await gateway.connection(0);
    sendSnapshot(connection);
    await viewer.ready;
    say(connection, 'one', true);
    say(connection, 'two');
    await waitUntil(() => (connection.messages.length === 2 ? undefined : 'not asked twice'));
    expect(connection.messages[0]).toEqual({ v: 1, kind: 'resync', room: ROOM, lastSeq: 0 });
    sendSnapshot(connection);
    await shows('two');
    expect(viewer.resyncs).toBe(2);
    expect(viewer.state.needsResync).toBe(false);
  });

  it('does not ask when messages merely came in another order', async () => {
    const connection = await gateway.connection(0);
    sendSnapshot(connection);
    await viewer.ready;
    say(connection, 'one', true);
    say(connection, 'two');
    connection.send(encodeMessage(status(1, 'one')));
    await shows('two');
    expect(viewer.resyncs).toBe(0);
  });

  it('connects again and catches up', async () => {
    const first = await gateway.connection(0);
    sendSnapshot(first);
    await viewer.ready;
    first.socket.close(1001, 'shutting_down: bye');
    say(first, 'meanwhile', true);
    sendSnapshot(await gateway.connection(1));
    await shows('meanwhile');
    expect(disconnects).toEqual([{ code: 1001, isFinal: false }]);
  });

  it.each([4400, 4401, 4403])('gives up after a close with %i', async (code) => {
    const connection = await gateway.connection(0);
    connection.socket.close(code, 'forbidden: no');
    await expect(viewer.ready).rejects.toMatchObject({
      code: 'connection_closed',
      message: textWith('forbidden'),
    });
    expect(disconnects).toEqual([{ code, isFinal: true }]);
    expect(gateway.connections).toHaveLength(1);
  });

  it.each([
    ['of another version', { v: 2, kind: 'status' }],
    ['that is malformed', { v: 1, kind: 'status' }],
  ])('gives up, and does not fall over, when the gateway sends a message %s', async (_, message) => {
    const connection = await gateway.connection(0);
    connection.send(message);
    await expect(viewer.ready).rejects.toMatchObject({ code: 'connection_closed' });
    await waitUntil(() => (disconnects.length === 1 ? undefined : 'still connected'));
    expect(disconnects[0]).toMatchObject({ isFinal: true });
  });

  it('ignores kinds that it does not know', async () => {
    const connection = await gateway.connection(0);
    connection.send({ v: 1, kind: 'applause' });
    sendSnapshot(connection);
    await expect(viewer.ready).resolves.toBeUndefined();
  });
});
