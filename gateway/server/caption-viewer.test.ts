import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  applyMessage,
  type CaptionError,
  decodeMessage,
  epochMs,
  initialState,
  participantIdentity,
  roomName,
  segmentId,
  segmentsOf,
} from '../../protocol/index.js';
import { Room } from '../rooms/room.js';
import { RateLimit } from '../bounds/rate-limit.js';
import { CaptionViewer, type ViewerSocket } from './caption-viewer.js';
import { SnapshotRounds } from './snapshot-rounds.js';

const ROOM = roomName('council');

/** A network that takes what it is told to take. */
class SlowSocket implements ViewerSocket {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  largestBufferedBytes = 0;
  state = initialState(ROOM);
  readonly #queue: Uint8Array[] = [];

  send(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.bufferedAmount += bytes.length;
    this.largestBufferedBytes = Math.max(this.largestBufferedBytes, this.bufferedAmount);
  }

  /** The viewer reads everything. */
  drain(): void {
    for (const bytes of this.#queue.splice(0)) {
      const message = decodeMessage(bytes);
      if (message !== undefined) this.state = applyMessage(this.state, message);
    }
    this.bufferedAmount = 0;
  }
}

describe('CaptionViewer', () => {
  let room: Room;
  let socket: SlowSocket;
  let viewer: CaptionViewer;
  let counts: { skipped: number; resynced: number };
  let gaveUp: CaptionError[];

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'],
    });
    room = new Room(ROOM, 5000);
    socket = new SlowSocket();
    counts = { skipped: 0, resynced: 0 };
    gaveUp = [];
    const rounds = new SnapshotRounds();
    const limit = new RateLimit({ burst: 10, perSecond: 10 });
    viewer = new CaptionViewer({
      socket,
      room,
      since: room.historyStart,
      maxPauseMs: 10_000,
      askForSnapshot: (send) => rounds.ask(limit, send),
      skipped: () => (counts.skipped += 1),
      resynced: () => (counts.resynced += 1),
      gaveUp: (error) => gaveUp.push(error),
    });
  });
  afterEach(() => {
    viewer.close();
    vi.useRealTimers();
  });

  /** A final of about `words` times 60 bytes. */
  function sayFinal(words: number): void {
    const epoch = epochMs(1_700_000_000_000);
    room.publishDelta({
      speaker: { identity: participantIdentity('ana'), name: 'Ana' },
      segment: segmentId(`s${room.state.seq}`),
      keep: 0,
      words: Array.from({ length: words }, (_, index) => ({
        text: `w${index}`,
        startMs: epoch,
        endMs: epoch,
      })),
      stable: words,
      isFinal: true,
      language: 'en',
    });
  }

  const expectUpToDate = (): void => {
    socket.drain();
    expect(segmentsOf(socket.state)).toEqual(segmentsOf(room.state));
    expect(socket.state.needsResync).toBe(false);
  };

  it('is sent everything while it reads', () => {
    room.addViewer(viewer);
    for (let index = 0; index < 200; index++) {
      sayFinal(150);
      socket.drain();
    }
    expectUpToDate();
    expect(counts).toEqual({ skipped: 0, resynced: 0 });
  });

  it('is sent a history that is larger than what may wait, at once and whole', () => {
    for (let index = 0; index < 60; index++) sayFinal(150);
    room.addViewer(viewer);
    expect(socket.bufferedAmount).toBeGreaterThan(300 * 1024);
    expectUpToDate();
    sayFinal(10);
    expectUpToDate();
    expect(counts).toEqual({ skipped: 0, resynced: 0 });
  });

  it('costs bounded memory while it does not read, and is given a snapshot when it reads again', () => {
    room.addViewer(viewer);
    for (let index = 0; index < 2000; index++) sayFinal(150);
    expect(socket.largestBufferedBytes).toBeLessThan(300 * 1024);
    expect(counts.skipped).toBeGreaterThan(1000);
    socket.drain();
    vi.advanceTimersByTime(300);
    expect(counts.resynced).toBe(1);
    expectUpToDate();
    // The snapshot alone is more than may wait; it must not be taken for another stall.
    vi.advanceTimersByTime(5000);
    expect(counts.resynced).toBe(1);
    sayFinal(10);
    expectUpToDate();
    expect(gaveUp).toEqual([]);
  });

  it('is given up once when it does not read for too long', () => {
    room.addViewer(viewer);
    for (let index = 0; index < 2000; index++) sayFinal(150);
    vi.advanceTimersByTime(60_000);
    expect(gaveUp.map(({ code, retryable }) => [code, retryable])).toEqual([['viewer_too_slow', true]]);
  });

  it('is answered at a bounded rate, whatever it asks', () => {
    room.addViewer(viewer);
    for (let ms = 0; ms < 1000; ms++) {
      viewer.resync();
      vi.advanceTimersByTime(1);
    }
    expect(counts.resynced).toBeGreaterThanOrEqual(3);
    expect(counts.resynced).toBeLessThanOrEqual(5);
  });

  it('is sent nothing after its connection ended', () => {
    room.addViewer(viewer);
    socket.drain();
    viewer.resync();
    socket.readyState = 3;
    viewer.close();
    sayFinal(1);
    vi.advanceTimersByTime(1000);
    expect(socket.bufferedAmount).toBe(0);
    expect(counts.resynced).toBe(0);
  });
});
