import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type CaptionMessage,
  decodeMessage,
  encodeMessage,
  epochMs,
  roomName,
  snapshotMessages,
  startEpoch,
} from './index.js';
import { CaptionFollower } from './caption-follower.js';

const room = roomName('one');
const status = (seq: number): Uint8Array =>
  encodeMessage({ kind: 'status', room, epochMs: epochMs(1000), seq, state: 'live', reason: '' });
const snapshots = snapshotMessages(startEpoch(room, epochMs(1000))).map((message) => encodeMessage(message));

describe('following captions', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function follow(): { follower: CaptionFollower; asked: (CaptionMessage | undefined)[] } {
    const asked: (CaptionMessage | undefined)[] = [];
    const follower = new CaptionFollower({
      room,
      changed: () => undefined,
      ask: (bytes) => asked.push(decodeMessage(bytes)),
    });
    return { follower, asked };
  }

  it('repeats a request nobody answers less and less often, for ever', () => {
    const { follower, asked } = follow();
    follower.ask();
    const askedAfterS = (seconds: number): number => {
      vi.advanceTimersByTime(1000 * seconds);
      return asked.length;
    };
    expect([0, 1, 2, 4, 8, 10, 10].map(askedAfterS)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    follower.close('done');
    expect(askedAfterS(100)).toBe(7);
  });

  it('gives a hole a moment to close before it asks', () => {
    const { follower, asked } = follow();
    for (const snapshot of snapshots) follower.receive(snapshot);
    follower.receive(status(2));
    vi.advanceTimersByTime(100);
    follower.receive(status(1));
    vi.advanceTimersByTime(10_000);
    expect(asked).toEqual([]);
    expect(follower.state.seq).toBe(2);
  });

  it('asks once for a hole that stays, with what it has', () => {
    const { follower, asked } = follow();
    for (const snapshot of snapshots) follower.receive(snapshot);
    follower.receive(status(1));
    follower.receive(status(3));
    follower.receive(status(4));
    vi.advanceTimersByTime(500);
    expect(asked).toEqual([{ kind: 'resync', room, lastSeq: 1 }]);
    follower.close('done');
  });

  it('takes nothing in once closed', async () => {
    const { follower } = follow();
    const { state } = follower;
    follower.close('The room is gone.');
    follower.close('again');
    for (const snapshot of snapshots) follower.receive(snapshot);
    follower.ask();
    expect(follower.state).toBe(state);
    await expect(follower.ready).rejects.toThrow('The room is gone.');
  });
});
