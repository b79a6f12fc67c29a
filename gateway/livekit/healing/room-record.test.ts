import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CaptionError, roomName } from '../../../protocol/index.js';
import type { CaptionerEnd } from '../captioner-end.js';
import { RoomRecord, type KnownLiveness } from './room-record.js';

const FAILED: CaptionerEnd = { kind: 'failed', error: new CaptionError('internal_error', 'of the test') };
const allAlive: KnownLiveness = { isDead: () => false, hasAnswered: () => true };
const deadWithoutAWord: KnownLiveness = { isDead: () => true, hasAnswered: () => false };
const deadAfterAnswers: KnownLiveness = { isDead: () => true, hasAnswered: () => true };

describe('what is remembered of a room', () => {
  let record: RoomRecord;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    record = new RoomRecord(roomName('council'), 'RM_1');
  });
  afterEach(() => void vi.useRealTimers());

  /** How long the room is let alone, in seconds. */
  const heldForS = (): number => {
    for (let seconds = 0; seconds <= 100; seconds += 1) {
      if (record.isDue(allAlive)) return seconds;
      vi.advanceTimersByTime(1000);
    }
    return Infinity;
  };

  it('is due at once, and let alone longer and longer while captioners fail', () => {
    expect(heldForS()).toBe(0);
    const holds = Array.from({ length: 7 }, () => {
      record.captionerEnded(FAILED);
      return heldForS();
    });
    expect(holds).toEqual([2, 4, 8, 16, 32, 60, 60]);
  });

  it('forgets failures when a captioner has lasted for a minute', () => {
    for (let count = 0; count < 5; count += 1) record.captionerEnded(FAILED);
    record.captionedHere();
    vi.advanceTimersByTime(61_000);
    record.captionedHere();
    record.captionerEnded(FAILED);
    expect(heldForS()).toBe(2);
  });

  it('is due rarely while another gateway captions it, and at once when that one is dead', () => {
    record.captionedElsewhere('other', 4000);
    expect(record.isDue(allAlive)).toBe(false);
    expect(record.isDue(deadAfterAnswers)).toBe(true);
    vi.advanceTimersByTime(5001);
    expect(record.isDue(allAlive)).toBe(true);
  });

  it('believes for a minute that who took it over lives, unless that one answered and fell silent', () => {
    record.captionerEnded({ kind: 'superseded' });
    expect(record.isDead('other', deadWithoutAWord)).toBe(false);
    expect(record.isDead('other', deadAfterAnswers)).toBe(true);
    vi.advanceTimersByTime(60_001);
    expect(record.isDead('other', deadWithoutAWord)).toBe(true);
  });

  it('knows when it was captioned last, unless nobody was there to speak', () => {
    expect(record.lastCaptionedMs).toBeUndefined();
    record.captionedHere();
    const sinceMs = Date.now();
    vi.advanceTimersByTime(3000);
    record.captionerEnded(FAILED);
    // It failed some time ago: nobody knows when exactly.
    expect(record.lastCaptionedMs).toBe(sinceMs);
    record.captionerEnded({ kind: 'superseded' });
    expect(record.lastCaptionedMs).toBe(sinceMs + 3000);
    record.captionedElsewhere(undefined, 1000);
    record.nobodyThere();
    expect(record.lastCaptionedMs).toBeUndefined();
    for (const kind of ['everybody_left', 'removed', 'room_closed'] as const) {
      record.captionedHere();
      record.captionerEnded({ kind });
      expect(record.lastCaptionedMs).toBeUndefined();
    }
  });
});
