import { describe, expect, it } from 'vitest';
import { participantIdentity, roomName } from '../../../protocol/index.js';
import { type LiveKitRights, RoomAccess, type RoomAction, type TokenInUse } from './room-access.js';

const council = roomName('council');
const ana = participantIdentity('ana');
const bo = participantIdentity('bo');
const NOW_MS = 1_700_000_000_500;
const ALL: LiveKitRights = { maySubscribe: true, maySpeak: true };
const ACTIONS: readonly RoomAction[] = ['view', 'speak', 'write', 'administer'];

function accessAt(options: { maxEntries?: number } = {}): {
  access: RoomAccess;
  later: (ms: number) => void;
} {
  let nowMs = NOW_MS;
  return { access: new RoomAccess({ ...options, now: () => nowMs }), later: (ms) => (nowMs += ms) };
}

/** What a token is refused for; by default Ana's, made an hour before. */
function refused(access: RoomAccess, changes: Partial<TokenInUse> = {}): readonly RoomAction[] {
  const token = { room: council, identity: ana, issuedAtMs: NOW_MS - 3_600_000, rights: ALL, ...changes };
  return ACTIONS.filter((action) => {
    try {
      access.check(token, action);
      return false;
    } catch (error) {
      expect(error).toMatchObject({ code: 'access_withdrawn', retryable: false });
      return true;
    }
  });
}

describe('who was removed from a LiveKit room', () => {
  it('may do nothing more in it, and everything elsewhere; others are not concerned', () => {
    const { access } = accessAt();
    access.removed(council, ana);
    expect(refused(access)).toEqual(ACTIONS);
    expect(refused(access, { room: roomName('other') })).toEqual([]);
    expect(refused(access, { identity: bo })).toEqual([]);
    expect(refused(access, { identity: undefined })).toEqual([]);
  });

  it('may again with a token made afterwards, though not with one made in the same second before', () => {
    const { access } = accessAt();
    access.removed(council, ana);
    // Tokens count whole seconds, rounded down: 500 ms before it this one may have been made.
    expect(refused(access, { issuedAtMs: NOW_MS - 500 })).toEqual(ACTIONS);
    expect(refused(access, { issuedAtMs: NOW_MS + 500 })).toEqual([]);
  });

  it('may not with a token that does not say when it was made', () => {
    const { access } = accessAt();
    access.removed(council, ana);
    expect(refused(access, { issuedAtMs: undefined })).toEqual(ACTIONS);
  });

  it('may again when LiveKit lets them in again', () => {
    const { access } = accessAt();
    access.removed(council, ana);
    access.admitted(council, ana, ALL);
    expect(refused(access)).toEqual([]);
  });
});

describe('who loses a permission', () => {
  it('to subscribe sees and writes no captions, and may speak', () => {
    const { access } = accessAt();
    access.admitted(council, ana, { ...ALL, maySubscribe: false });
    expect(refused(access)).toEqual(['view', 'write']);
  });

  it('to speak may watch only', () => {
    const { access } = accessAt();
    access.admitted(council, ana, { ...ALL, maySpeak: false });
    expect(refused(access)).toEqual(['speak', 'write']);
  });

  it('keeps what the token gives without it: a captioner who never had a microphone goes on writing', () => {
    const { access } = accessAt();
    access.admitted(council, ana, { ...ALL, maySpeak: false });
    expect(refused(access, { rights: { maySubscribe: true, maySpeak: false } })).toEqual([]);
  });

  it('has lost it since the first time, however often LiveKit says so', () => {
    const { access, later } = accessAt();
    access.admitted(council, ana, { ...ALL, maySubscribe: false });
    later(10_000);
    access.admitted(council, ana, { maySubscribe: false, maySpeak: false });
    expect(refused(access, { issuedAtMs: NOW_MS + 500 })).toEqual(['speak', 'write']);
  });

  it('has it again when it is given back', () => {
    const { access } = accessAt();
    access.admitted(council, ana, { maySubscribe: false, maySpeak: false });
    access.admitted(council, ana, ALL);
    expect(refused(access)).toEqual([]);
  });
});

describe('a room that LiveKit deleted', () => {
  it('is closed to everybody with a token from before, except to administrators', () => {
    const { access } = accessAt();
    access.roomDeleted(council);
    for (const identity of [ana, bo, undefined])
      expect(refused(access, { identity })).toEqual(['view', 'speak', 'write']);
    expect(refused(access, { issuedAtMs: NOW_MS + 500 })).toEqual([]);
    expect(refused(access, { room: roomName('other') })).toEqual([]);
  });

  it('is open again to whoever joins it anew', () => {
    const { access, later } = accessAt();
    access.admitted(council, ana, ALL);
    access.roomDeleted(council);
    expect(refused(access)).toEqual(['view', 'speak', 'write']);
    later(1000);
    access.admitted(council, ana, ALL);
    expect(refused(access)).toEqual([]);
    expect(refused(access, { identity: bo })).toEqual(['view', 'speak', 'write']);
  });
});

describe('those who watch', () => {
  it('are told of each withdrawal until they stop', () => {
    const { access } = accessAt();
    const told: string[] = [];
    const stop = access.watch((room) => told.push(room));
    access.admitted(council, ana, ALL);
    access.removed(council, ana);
    access.roomDeleted(roomName('other'));
    // It is taken away once, however often LiveKit says so.
    access.admitted(roomName('third'), ana, { ...ALL, maySpeak: false });
    access.admitted(roomName('third'), ana, { ...ALL, maySpeak: false });
    stop();
    access.removed(council, bo);
    expect(told).toEqual(['council', 'other', 'third']);
  });
});

it('is bounded: the newest withdrawals are kept', () => {
  const { access } = accessAt({ maxEntries: 2 });
  for (const name of ['ana', 'bo', 'carol']) access.removed(council, participantIdentity(name));
  expect(refused(access)).toEqual([]);
  expect(refused(access, { identity: bo })).toEqual(ACTIONS);
  expect(refused(access, { identity: participantIdentity('carol') })).toEqual(ACTIONS);
});
