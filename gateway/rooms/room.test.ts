import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  applyMessage,
  type CaptionMessage,
  type CaptionState,
  decodeMessage,
  epochMs,
  initialState,
  participantIdentity,
  roomName,
  segmentId,
  segmentsOf,
} from '../../protocol/index.js';
import type { DeltaDraft } from './delta-assembler.js';
import { RoomRegistry } from './room-registry.js';
import { Room, type RoomViewer } from './room.js';

const ROOM = roomName('council');
const ana = { identity: participantIdentity('ana'), name: 'Ana' };

/** A viewer with the protocol's reducer. */
class ReducerViewer implements RoomViewer {
  state: CaptionState = initialState(ROOM);
  readonly messages: CaptionMessage[] = [];

  sendSnapshot(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.send(part);
  }

  send(bytes: Uint8Array): void {
    const message = decodeMessage(bytes);
    if (message === undefined) return;
    this.messages.push(message);
    this.state = applyMessage(this.state, message);
  }

  get shown(): unknown {
    const { epochMs: epoch, seq, gaps, state, reason } = this.state;
    return { epoch, seq, gaps, state, reason, segments: segmentsOf(this.state) };
  }
}

const draft = (segment: string, texts: readonly string[], isFinal: boolean): DeltaDraft => ({
  speaker: ana,
  segment: segmentId(segment),
  keep: 0,
  words: texts.map((text) => ({ text, startMs: epochMs(1000), endMs: epochMs(2000) })),
  stable: isFinal ? texts.length : 0,
  isFinal,
  language: 'en',
});

const gap = { speaker: ana, startMs: epochMs(1), endMs: epochMs(2), reason: 'overloaded' } as const;

describe('Room', () => {
  it('shows late joiners what everybody sees, whenever they join', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constant('words' as const),
          texts: fc.array(fc.constantFrom('yes', 'no', 'é'), { maxLength: 30 }),
        }),
        fc.constant({ kind: 'final' as const }),
        fc.constant({ kind: 'gap' as const }),
        fc.constantFrom({ kind: 'degraded' as const }, { kind: 'live' as const }),
        fc.constant({ kind: 'join' as const }),
      ),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(steps, (actions) => {
        const room = new Room(ROOM, 5000);
        const viewers = [new ReducerViewer()];
        viewers.forEach((viewer) => room.addViewer(viewer));
        let segment = 1;
        for (const action of actions) {
          if (action.kind === 'words') room.publishDelta(draft(`s${segment}`, action.texts, false));
          else if (action.kind === 'final') room.publishDelta(draft(`s${segment++}`, ['done'], true));
          else if (action.kind === 'gap') room.publishGap(gap);
          else if (action.kind === 'join') {
            const joiner = new ReducerViewer();
            room.addViewer(joiner);
            viewers.push(joiner);
          } else
            room.setStatus('recognition', {
              state: action.kind,
              reason: action.kind === 'live' ? '' : 'Restarting.',
            });
          for (const viewer of viewers) {
            expect(viewer.shown).toEqual(viewers[0]?.shown);
            expect(viewer.state.needsResync).toBe(false);
          }
        }
        expect(viewers[0]?.state.seq).toBe(room.state.seq);
      }),
    );
  });

  it('tells a status once', () => {
    const room = new Room(ROOM, 5000);
    const viewer = new ReducerViewer();
    room.addViewer(viewer);
    room.setStatus('recognition', { state: 'live', reason: '' });
    room.setStatus('recognition', { state: 'degraded', reason: 'Restarting.' });
    room.setStatus('recognition', { state: 'degraded', reason: 'Restarting.' });
    room.setStatus('recognition', { state: 'live', reason: '' });
    const told = viewer.messages.flatMap((message) => (message.kind === 'status' ? [message.state] : []));
    expect(told).toEqual(['degraded', 'live']);
  });

  it('says nothing more to a viewer who left', () => {
    const room = new Room(ROOM, 5000);
    const viewer = new ReducerViewer();
    room.addViewer(viewer);
    room.removeViewer(viewer);
    room.publishGap(gap);
    expect(viewer.messages.map(({ kind }) => kind)).toEqual(['snapshot']);
    expect(room.viewerCount).toBe(0);
  });

  it('keeps what cannot be encoded away from everybody, and goes on', () => {
    const room = new Room(ROOM, 5000);
    const viewer = new ReducerViewer();
    room.addViewer(viewer);
    const unspeakable = { ...draft('s1', ['hi'], true), language: 'x'.repeat(40) };
    expect(() => room.publishDelta(unspeakable)).toThrow(
      expect.objectContaining({ code: 'message_malformed' }),
    );
    room.publishDelta(draft('s2', ['ho'], true));
    const joiner = new ReducerViewer();
    room.addViewer(joiner);
    expect(joiner.shown).toEqual(viewer.shown);
    expect(segmentsOf(joiner.state).map(({ segment }) => segment)).toEqual(['s2']);
  });

  it('gives every stream another prefix, also in a room opened anew', () => {
    const rooms = [new Room(ROOM, 5000), new Room(ROOM, 5001)];
    const prefixes = rooms.flatMap((room) => [room.newSegmentPrefix(), room.newSegmentPrefix()]);
    expect(new Set(prefixes).size).toBe(4);
  });
});

describe('RoomRegistry', () => {
  let registry: RoomRegistry;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    registry = new RoomRegistry({ maxRooms: 2, retentionMs: 10_000, meetingEndMs: 60_000 });
  });
  afterEach(() => {
    registry.close();
    vi.useRealTimers();
  });

  it('gives everybody the same room of a name', () => {
    expect(registry.enter(ROOM)).toBe(registry.enter(ROOM));
    expect(registry.enter(roomName('other'))).not.toBe(registry.enter(ROOM));
  });

  it('refuses rooms beyond its bound, but none it has', () => {
    registry.enter(ROOM);
    registry.enter(roomName('b'));
    expect(() => registry.enter(roomName('c'))).toThrow(
      expect.objectContaining({ code: 'too_many_rooms', retryable: true }),
    );
    expect(registry.enter(ROOM).name).toBe(ROOM);
  });

  it('forgets an empty room without captions at once, one with captions after its retention', () => {
    registry.enter(roomName('silent'));
    const spoken = registry.enter(ROOM);
    spoken.publishDelta(draft('s1', ['hi'], true));
    vi.advanceTimersByTime(2000);
    expect(registry.rooms).toEqual([spoken]);
    vi.advanceTimersByTime(7000);
    expect(registry.rooms).toEqual([spoken]);
    vi.advanceTimersByTime(4000);
    expect(registry.rooms).toEqual([]);
  });

  it.each(['viewer', 'speaker'])(
    'keeps a room as long as a %s is there, and counts from when they leave',
    (who) => {
      const room = registry.enter(ROOM);
      const viewer = new ReducerViewer();
      room.publishDelta(draft('s1', ['hi'], true));
      if (who === 'viewer') room.addViewer(viewer);
      else room.addSpeaker('stream');
      vi.advanceTimersByTime(60_000);
      room.removeViewer(viewer);
      room.removeSpeaker('stream');
      vi.advanceTimersByTime(8000);
      expect(registry.rooms).toEqual([room]);
      vi.advanceTimersByTime(5000);
      expect(registry.rooms).toEqual([]);
    },
  );

  it('gives a room that is opened again a later epoch, so that viewers forget the former one', () => {
    const viewer = new ReducerViewer();
    const first = registry.enter(ROOM);
    first.addViewer(viewer);
    first.publishDelta(draft('s1', ['before'], true));
    first.removeViewer(viewer);
    vi.advanceTimersByTime(20_000);
    const second = registry.enter(ROOM);
    expect(second).not.toBe(first);
    expect(second.epochMs).toBeGreaterThan(first.epochMs);
    second.addViewer(viewer);
    second.publishDelta(draft('s1', ['after'], true));
    expect(segmentsOf(viewer.state).map(({ words }) => words[0]?.text)).toEqual(['after']);
  });

  it('never gives two rooms one epoch, however quickly they are opened', () => {
    const many = new RoomRegistry({ maxRooms: 100, retentionMs: 0, meetingEndMs: 60_000 });
    const epochs = Array.from({ length: 100 }, (_, index) => many.enter(roomName(`r${index}`)).epochMs);
    many.close();
    expect(new Set(epochs).size).toBe(100);
  });

  it('tells all rooms how recognition is doing, also those that open later', () => {
    const viewer = new ReducerViewer();
    registry.enter(ROOM).addViewer(viewer);
    const status = { state: 'degraded', reason: 'Restarting.', code: 'recognition_restarting' } as const;
    registry.publishStatus(status);
    expect(viewer.state).toMatchObject(status);
    const late = registry.enter(roomName('late'));
    expect(late.state).toMatchObject(status);
    const lateViewer = new ReducerViewer();
    lateViewer.state = initialState(late.name);
    late.addViewer(lateViewer);
    expect(lateViewer.state).toMatchObject(status);
    registry.publishStatus({ state: 'live', reason: '' });
    expect(registry.rooms.map(({ state }) => state.state)).toEqual(['live', 'live']);
    expect(viewer.state.code).toBeUndefined();
  });
});
