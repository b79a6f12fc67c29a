import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  type CaptionState,
  type CaptionStatus,
  encodeMessage,
  epochMs,
  roomName,
  snapshotMessages,
  startEpoch,
} from '../../../protocol/index.js';
import { MAX_EPOCH_AHEAD_MS } from '../../../protocol/reducer.js';
import { ScriptedGateway } from '../../testing/scripted-gateway.js';
import { waitFor } from '../../testing/wait-until.js';
import { WebSocketSource } from './websocket-source.js';

const room = roomName('council');

describe('captions from a gateway', () => {
  let gateway: ScriptedGateway;
  let source: WebSocketSource;

  beforeEach(async () => {
    // Node has had its own, as browsers have, only since version 22.
    vi.stubGlobal('WebSocket', WebSocket);
    gateway = await ScriptedGateway.start();
  });
  afterEach(() => {
    source.close();
    vi.unstubAllGlobals();
    gateway.close();
  });

  it('of an epoch that lies more than a day ahead change nothing, and what is said afterwards still shows', async () => {
    let state: CaptionState | undefined;
    source = new WebSocketSource({ gateway: gateway.url, room, token: undefined });
    source.start({ changed: (next) => (state = next), linkChanged: () => undefined });
    const connection = await waitFor('no connection', () => gateway.connections[0]);
    const epoch = epochMs(Date.now());
    const status = (reason: string, seq: number, at = epoch): CaptionStatus => ({
      kind: 'status',
      room,
      epochMs: at,
      seq,
      state: 'degraded',
      reason,
    });
    for (const message of snapshotMessages(startEpoch(room, epoch))) connection.send(encodeMessage(message));
    connection.send(encodeMessage(status('forged', 1, epochMs(Date.now() + MAX_EPOCH_AHEAD_MS + 60_000))));
    connection.send(encodeMessage(status('real', 1)));
    await expect.poll(() => state?.reason).toBe('real');
    expect(state).toMatchObject({ epochMs: epoch, seq: 1, needsResync: false });
  });
});
