import { afterEach, describe, expect, it } from 'vitest';
import { CaptionError, participantIdentity, roomName } from '../../protocol/index.js';
import { ConnectionBounds, type ConnectionClient } from './connection-bounds.js';

const client = (identity: string | undefined, room = 'council'): ConnectionClient => ({
  owner: identity === undefined ? undefined : { identity: participantIdentity(identity), name: '' },
  address: '127.0.0.1',
  room: roomName(room),
});

describe('connections', () => {
  const bounds = new ConnectionBounds({ perIdentity: 2, perRoom: 5 });
  let leaving: (() => void)[] = [];
  afterEach(() => {
    for (const leave of leaving) leave();
    leaving = [];
  });

  /** Undefined, or why not. */
  function enter(identity: string | undefined, room?: string): string | undefined {
    try {
      leaving.push(bounds.enter(client(identity, room)));
      return undefined;
    } catch (error) {
      return error instanceof CaptionError && error.retryable ? error.code : String(error);
    }
  }

  it('of one identity in one room are bounded, and nobody else has fewer by it', () => {
    expect([enter('ana'), enter('ana'), enter('ana')]).toEqual([
      undefined,
      undefined,
      'too_many_connections',
    ]);
    expect([enter('ana', 'elsewhere'), enter('bob')]).toEqual([undefined, undefined]);
  });

  it('of one room are bounded', () => {
    expect(['a', 'b', 'c', 'd', 'e', 'f'].map((identity) => enter(identity))).toEqual([
      ...Array<undefined>(5).fill(undefined),
      'too_many_connections',
    ]);
  });

  it('that end make room, once each', () => {
    enter('ana');
    enter('ana');
    leaving[0]?.();
    leaving[0]?.();
    expect([enter('ana'), enter('ana')]).toEqual([undefined, 'too_many_connections']);
  });

  it('of programs without a token are not those of one identity', () => {
    expect(Array.from({ length: 5 }, () => enter(undefined))).toEqual(Array(5).fill(undefined));
  });

  it('that are opened again and again are refused for a while', () => {
    for (let index = 0; index < 1000; index++) bounds.enter(client(undefined, 'quiet'))();
    const outcomes = new Set<string | undefined>();
    for (let index = 0; index < 100; index++) {
      outcomes.add(enter('restless', 'quiet'));
      leaving.pop()?.();
    }
    expect([...outcomes]).toEqual([undefined, 'too_many_connections']);
  });
});
