import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CaptionError } from '../../../protocol/index.js';
import { away } from '../testing/scripted-outlet.js';
import { silentLog } from '../testing/spoken-room.js';
import type { RoadEvent } from './road.js';
import { type LaneQueue, SendLane } from './send-lane.js';

class PlainQueue implements LaneQueue<string> {
  items: string[] = [];
  readonly lostItems: string[] = [];

  get size(): number {
    return this.items.length;
  }

  take(): string | undefined {
    return this.items.shift();
  }

  putBack(item: string): void {
    this.items.unshift(item);
  }

  lost(item: string): void {
    this.lostItems.push(item);
  }

  unread(): void {
    this.items = ['unread'];
  }

  clear(): void {
    this.items = [];
  }
}

describe('SendLane', () => {
  let queue: PlainQueue;
  let sent: string[];
  let events: RoadEvent[];
  let restedTimes: number;
  let answer: (item: string) => Promise<void>;
  let connection: { isConnected: boolean; connected: () => Promise<void> };
  let isWanted: boolean;
  let lane: SendLane<string>;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    queue = new PlainQueue();
    sent = [];
    events = [];
    restedTimes = 0;
    isWanted = true;
    answer = () => Promise.resolve();
    connection = { isConnected: true, connected: () => Promise.resolve() };
    lane = new SendLane({
      queue,
      send: (item) => {
        sent.push(item);
        return answer(item);
      },
      outlet: connection,
      isWanted: () => isWanted,
      observe: (event) => events.push(event),
      log: silentLog,
      rested: () => (restedTimes += 1),
    });
  });
  afterEach(() => {
    lane.close();
    vi.useRealTimers();
  });

  const put = (...items: string[]): void => {
    queue.items.push(...items);
    lane.wake();
  };

  it('sends at once, and the next only when the one before was taken', async () => {
    const taken: (() => void)[] = [];
    answer = () => new Promise((resolve) => taken.push(resolve));
    put('a', 'b');
    expect(sent).toEqual(['a']);
    lane.wake();
    await vi.advanceTimersByTimeAsync(100);
    expect(sent).toEqual(['a']);
    taken[0]!();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual(['a', 'b']);
    expect(restedTimes).toBe(0);
    taken[1]!();
    await lane.rest();
    expect(restedTimes).toBe(1);
    expect(events).toEqual(['sent', 'sent']);
  });

  it('takes up what is added just as it comes to rest', async () => {
    put('a');
    const resting = lane.rest();
    await resting.then(() => put('b'));
    await lane.rest();
    put('c');
    await lane.rest();
    expect(sent).toEqual(['a', 'b', 'c']);
  });

  it('waits for the connection and then sends the same again', async () => {
    let comeBack: (() => void) | undefined;
    connection.connected = () => new Promise((resolve) => (comeBack = resolve));
    answer = () => {
      connection.isConnected = false;
      return Promise.reject(away());
    };
    put('a', 'b');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual(['a']);
    answer = () => Promise.resolve();
    connection.isConnected = true;
    comeBack?.();
    await lane.rest();
    expect(sent).toEqual(['a', 'a', 'b']);
    expect(queue.lostItems).toEqual([]);
  });

  it('drops what waits, and rests, when the connection never comes back', async () => {
    connection.isConnected = false;
    connection.connected = () => Promise.reject(away());
    put('a', 'b');
    await lane.rest();
    expect(sent).toEqual([]);
    expect(queue.size).toBe(0);
  });

  it('does not spin on a connection that is announced and away again', async () => {
    connection.isConnected = false;
    let asked = 0;
    connection.connected = () => {
      asked += 1;
      return Promise.resolve();
    };
    put('a');
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThan(50);
    connection.isConnected = true;
    await vi.advanceTimersByTimeAsync(1000);
    expect(sent).toEqual(['a']);
  });

  it('tries again, ever more slowly, what is refused on a connection that is there, then gives it up', async () => {
    answer = (item) => (item === 'bad' ? Promise.reject(away()) : Promise.resolve());
    put('bad', 'good');
    await vi.advanceTimersByTimeAsync(200);
    expect(sent.length).toBeLessThan(5);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(queue.lostItems).toEqual(['bad']);
    expect(sent.filter((item) => item === 'bad')).toHaveLength(7);
    expect(sent.at(-1)).toBe('good');
    expect(events.filter((event) => event === 'lost')).toHaveLength(1);
  });

  it('gives up at once what can never be sent', async () => {
    answer = (item) =>
      item === 'bad' ? Promise.reject(new CaptionError('any', 'not retryable')) : Promise.resolve();
    put('bad', 'good');
    await lane.rest();
    expect(sent).toEqual(['bad', 'good']);
    expect(queue.lostItems).toEqual(['bad']);
  });

  it('survives a sender that throws', async () => {
    answer = () => {
      throw new Error('not a promise at all');
    };
    put('a');
    await lane.rest();
    expect(queue.lostItems).toEqual(['a']);
  });

  it('sends again what LiveKit does not answer', async () => {
    answer = () => new Promise(() => undefined);
    put('a');
    await vi.advanceTimersByTimeAsync(9999);
    expect(sent).toEqual(['a']);
    answer = () => Promise.resolve();
    await vi.advanceTimersByTimeAsync(1000);
    expect(sent).toEqual(['a', 'a']);
    expect(events).toEqual(['late', 'resent', 'sent']);
  });

  it('leaves it to the queue what becomes of things that nobody is there to read', async () => {
    isWanted = false;
    put('a');
    await lane.rest();
    expect(sent).toEqual([]);
    isWanted = true;
    lane.wake();
    await lane.rest();
    expect(sent).toEqual(['unread']);
  });

  it('asks before every sending whether it is still wanted', async () => {
    answer = () => {
      isWanted = false;
      return Promise.resolve();
    };
    put('a', 'b');
    await lane.rest();
    expect(sent).toEqual(['a']);
  });

  it('sends nothing after close, and whoever waits for rest goes on', async () => {
    let settle: (() => void) | undefined;
    answer = () => new Promise((resolve) => (settle = resolve));
    put('a', 'b');
    const resting = lane.rest();
    lane.close();
    lane.close();
    await resting;
    settle?.();
    put('c');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual(['a']);
    expect(restedTimes).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is closed in the middle of a pause', async () => {
    answer = () => Promise.reject(away());
    put('a');
    await vi.advanceTimersByTimeAsync(10);
    lane.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual(['a']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
