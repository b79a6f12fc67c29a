import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  applyMessage,
  CaptionKey,
  type CaptionState,
  decodeMessage,
  encodeMessage,
  epochMs,
  initialState,
  MAX_MESSAGE_BYTES,
  participantIdentity,
  type ParticipantIdentity,
  resyncMessage,
  roomName,
} from '../../../protocol/index.js';
import { visible, type VisibleState } from '../../../protocol/testing/arbitrary-messages.js';
import type { LatencyObserver } from '../../latency/latency-observer.js';
import { RoomLatency } from '../../latency/room-latency.js';
import { Room } from '../../rooms/room.js';
import { RoomKey } from '../signing/room-key.js';
import { ScriptedOutlet } from '../testing/scripted-outlet.js';
import { ana, bo, type OpenedRoads, openRoads, ROOM, SpokenRoom, viewer } from '../testing/spoken-room.js';
import type { DataPacket } from '../room-outlet.js';

const JOINED_MS = 100_000;
const RESYNC = encodeMessage(resyncMessage(initialState(ROOM)));

const kindOf = ({ bytes }: DataPacket): string => decodeMessage(bytes)?.kind ?? 'unknown';
const reaches = ({ to }: DataPacket, who: ParticipantIdentity): boolean => to?.includes(who) ?? true;
/** What somebody sees who was given all packets that reach them. */
const seenBy = (who: ParticipantIdentity, packets: readonly DataPacket[]): CaptionState => {
  let state = initialState(ROOM);
  for (const packet of packets) {
    const message = reaches(packet, who) ? decodeMessage(packet.bytes) : undefined;
    if (message !== undefined) state = applyMessage(state, message);
  }
  return state;
};
const shown = (state: CaptionState): VisibleState => visible(state);
const textsSeen = (state: CaptionState): string[] =>
  visible(state).segments.map(({ words }) => words.map(({ text }) => text).join(' '));

describe('the data channel', () => {
  let outlet: ScriptedOutlet;
  let spoken: SpokenRoom;
  let opened: OpenedRoads | undefined;

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'],
      now: JOINED_MS,
    });
    outlet = new ScriptedOutlet();
    spoken = new SpokenRoom();
    opened = undefined;
  });
  afterEach(async () => {
    opened?.roads.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const open = (): OpenedRoads => (opened = openRoads(spoken.room, outlet, { captions: true }));
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
  const expectSeen = (who: ParticipantIdentity): void =>
    expect(shown(seenBy(who, outlet.dataPackets))).toEqual(shown(spoken.room.state));

  it('tells everybody what was said before it began, and every message since, in order', async () => {
    spoken.finish('s1', { text: 'before we began' });
    open();
    spoken.revise('s2', { text: 'and now' });
    spoken.finish('s2', { text: 'and now this.' });
    await settle();
    expect(outlet.dataPackets.map(kindOf)).toEqual(['snapshot', 'delta', 'delta']);
    expect(outlet.dataPackets.every(({ to, topic }) => to === undefined && topic === 'captions')).toBe(true);
    expectSeen(viewer);
  });

  it('sends a snapshot to those who join late, and to nobody else', async () => {
    const { roads } = open();
    spoken.finish('s1', { text: 'said before' });
    await settle();
    const before = outlet.dataPackets.length;
    roads.participantJoined(bo);
    await settle();
    expect(outlet.dataPackets.slice(before).map(({ to }) => to)).toEqual([[bo]]);
    expect(shown(seenBy(bo, outlet.dataPackets.slice(before)))).toEqual(shown(spoken.room.state));
  });

  it('takes note of what a viewer reports to have shown, of this epoch and this room', async () => {
    const acknowledged: boolean[] = [];
    const ignored = (): void => undefined;
    const observer: LatencyObserver = {
      word: (_room, { isAcknowledged }) => acknowledged.push(isAcknowledged),
      final: ignored,
      firstPartial: ignored,
      revised: ignored,
      gap: ignored,
    };
    const latency = new RoomLatency({ room: ROOM, observer, now: () => performance.now() });
    spoken = new SpokenRoom(new Room(ROOM, 5000, latency));
    const { roads } = open();
    const moments = { endSample: 0, arrivedAtMs: 0, gatedAtMs: 0, fedAtMs: 0, decodedAtMs: 0, decodeMs: 0 };
    const say = (seq: number): void => {
      latency.published(seq, performance.now());
      latency.words([
        { seq, spokenAtMs: 0, moments: { ...moments, segmentedAtMs: 0 }, publishedAtMs: performance.now() },
      ]);
    };
    const report = (seq: number, epoch = 5000, room = ROOM): void =>
      roads.received(bo, encodeMessage({ kind: 'shown', room, epochMs: epochMs(epoch), seq }));
    latency.published(1, performance.now());
    report(1);
    say(2);
    report(2, 4999);
    report(2, 5000, roomName('another'));
    expect(acknowledged).toEqual([]);
    report(2);
    expect(acknowledged).toEqual([true]);
    await settle();
  });

  it('tells how much waits, until it is closed', async () => {
    const { roads, waiting } = open();
    await settle();
    outlet.isQuick = false;
    for (const segment of ['s1', 's2', 's3']) spoken.finish(segment, { text: 'said' });
    // One is on its way.
    expect(waiting().get('captions')).toBe(2);
    roads.close();
    expect(waiting().size).toBe(0);
  });

  it('serves those who join together with one snapshot, and names at most 50 in a packet', async () => {
    const { roads } = open();
    await settle();
    outlet.isQuick = false;
    spoken.finish('s1', { text: 'said before' });
    const many = Array.from({ length: 120 }, (_, index) => participantIdentity(`p${index}`));
    for (const identity of many) roads.participantJoined(identity);
    roads.participantLeft(many[0]!);
    outlet.becomeQuick();
    await settle();
    const snapshots = outlet.dataPackets.filter(({ to }) => to !== undefined);
    expect(snapshots.map(({ to }) => to?.length)).toEqual([50, 50, 19]);
    expect(snapshots.flatMap(({ to }) => to)).toEqual(many.slice(1));
  });

  it('names nobody by leaving the list empty, which would be everybody', async () => {
    const { roads } = open();
    await settle();
    outlet.isQuick = false;
    spoken.finish('s1', { text: 'said before' });
    roads.participantJoined(bo);
    roads.participantLeft(bo);
    outlet.becomeQuick();
    await settle();
    expect(outlet.dataPackets.map(kindOf)).toEqual(['snapshot', 'delta']);
  });

  it('shows those who join late nothing older, where the room keeps its history to itself', async () => {
    spoken.room.showsHistory = false;
    const { roads } = open();
    roads.participantJoined(ana);
    spoken.finish('s1', { text: 'confidential' });
    roads.participantJoined(bo);
    spoken.finish('s2', { text: 'welcome' });
    await settle();
    expect(textsSeen(seenBy(ana, outlet.dataPackets))).toEqual(['confidential', 'welcome']);
    roads.received(bo, RESYNC);
    await settle();
    const toBo = outlet.dataPackets.filter(({ to }) => to?.includes(bo) === true);
    expect(toBo).toHaveLength(2);
    expect(textsSeen(seenBy(bo, toBo))).toEqual(['welcome']);
    // After a reconnect everybody still sees what is theirs.
    roads.reconnected();
    await settle();
    for (const { bytes, to } of outlet.dataPackets.slice(-2)) {
      const isForBo = to?.includes(bo) === true;
      expect(new TextDecoder().decode(bytes).includes('confidential')).toBe(!isForBo);
    }
  });

  it('groups those who may see the same, where the room keeps its history to itself', async () => {
    spoken.room.showsHistory = false;
    const { roads } = open();
    for (const name of ['p1', 'p2', 'p3']) roads.participantJoined(participantIdentity(name));
    spoken.finish('s1', { text: 'for these three' });
    await settle();
    const before = outlet.dataPackets.length;
    roads.reconnected();
    await settle();
    expect(outlet.dataPackets.slice(before).map(({ to }) => to)).toEqual([['p1', 'p2', 'p3']]);
  });

  it('answers who asks, alone and at most every 250 ms', async () => {
    const { roads, counts } = open();
    await settle();
    const answers = (): number => outlet.dataPackets.filter(({ to }) => to?.includes(bo) === true).length;
    for (let asked = 0; asked < 10; asked += 1) roads.received(bo, RESYNC);
    await settle();
    expect(answers()).toBe(1);
    await vi.advanceTimersByTimeAsync(249);
    expect(answers()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(answers()).toBe(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(answers()).toBe(2);
    roads.received(bo, RESYNC);
    await settle();
    expect(answers()).toBe(3);
    expect(counts.get('captions resync')).toBe(11);
  });

  it('answers those of whom LiveKit has not told when it does not say who asks, at most once a second', async () => {
    const { roads } = open();
    await settle();
    outlet.unannounced = [bo];
    for (let asked = 0; asked < 5; asked += 1) roads.received(undefined, RESYNC);
    await settle();
    expect(outlet.dataPackets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(900);
    expect(outlet.dataPackets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(100);
    expect(outlet.dataPackets.map(({ to }) => to)).toEqual([undefined, [bo], [bo]]);
  });

  it('answers nobody when LiveKit does not say who asks, and its server not who is there', async () => {
    const { roads } = open();
    await settle();
    outlet.unannounced = undefined;
    roads.received(undefined, RESYNC);
    await vi.advanceTimersByTimeAsync(2000);
    expect(outlet.dataPackets).toHaveLength(1);
  });

  it('names those who may read where somebody may not, and does not answer who may not', async () => {
    const { roads } = open();
    await settle();
    outlet.audience = [ana, viewer];
    spoken.finish('s1', { text: 'not for bo' });
    roads.received(bo, RESYNC);
    roads.received(viewer, RESYNC);
    roads.participantJoined(bo);
    roads.reconnected();
    await vi.advanceTimersByTimeAsync(1000);
    spoken.finish('s2', { text: 'nor this' });
    await settle();
    const [, ...since] = outlet.dataPackets;
    expect(since.length).toBeGreaterThanOrEqual(2);
    expect(since.some((packet) => reaches(packet, bo))).toBe(false);
    expectSeen(viewer);
  });

  it('sends nothing, rather than something to everybody, where nobody may read', async () => {
    outlet.audience = [];
    const { roads } = open();
    spoken.finish('s1', { text: 'for nobody' });
    roads.reconnected();
    await settle();
    expect(outlet.dataPackets).toEqual([]);
  });

  it('signs messages and snapshots with the key of the room, each once, within the size of a message', async () => {
    outlet.key = new RoomKey({ room: ROOM, sid: 'RM_1' }, 'a secret');
    const signMessage = vi.spyOn(outlet.key, 'signMessage');
    outlet.audience = Array.from({ length: 120 }, (_, index) => participantIdentity(`p${index}`));
    open();
    spoken.finish('s1', { text: 'word '.repeat(4000).trim() });
    await settle();
    const distinct = new Set(outlet.dataPackets.map(({ bytes }) => new TextDecoder().decode(bytes)));
    expect(outlet.dataPackets).toHaveLength(distinct.size * 3);
    expect(signMessage).toHaveBeenCalledTimes(distinct.size);
    const key = await CaptionKey.read(outlet.key.publicKey);
    for (const { bytes } of outlet.dataPackets) {
      expect(bytes.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
      expect(await key?.signedMessage(bytes)).toBe(true);
    }
    expectSeen(participantIdentity('p119'));
  });

  it('ignores what is not a request for this room, and counts what is not of the contract', async () => {
    const { roads, counts } = open();
    await settle();
    roads.received(bo, encodeMessage({ kind: 'resync', room: roomName('elsewhere'), lastSeq: 0 }));
    roads.received(bo, spoken.room.snapshotFor(spoken.room.historyStart)[0]!);
    roads.received(bo, new TextEncoder().encode('{"v":1,"kind":"poem"}'));
    expect(counts.get('captions undecodable')).toBeUndefined();
    roads.received(bo, new Uint8Array([0xff, 0, 1]));
    roads.received(bo, new Uint8Array(20_000));
    await vi.advanceTimersByTimeAsync(2000);
    expect(outlet.dataPackets).toHaveLength(1);
    expect(counts.get('captions undecodable')).toBe(2);
  });

  it('sends one snapshot instead of all that waits when the network is slower than speech', async () => {
    const { counts } = open();
    await settle();
    outlet.isQuick = false;
    for (let sentence = 0; sentence < 600; sentence += 1)
      spoken.finish(`s${sentence}`, { text: 'on and on it goes' });
    const pendingAtOnce = outlet.pending.length;
    outlet.becomeQuick();
    await settle();
    expect(pendingAtOnce).toBe(1);
    expect(counts.get('captions dropped')).toBeGreaterThan(200);
    expect(outlet.dataPackets.length).toBeLessThan(120);
    expectSeen(viewer);
  });

  it('sends nothing to a room without readers, and all of it to the first who comes', async () => {
    outlet.readerCount = 0;
    const { roads } = open();
    spoken.finish('s1', { text: 'said on the telephone' });
    await settle();
    expect(outlet.delivered).toEqual([]);
    outlet.readerCount = 1;
    roads.participantJoined(viewer);
    await settle();
    spoken.finish('s2', { text: 'and goes on' });
    await settle();
    expect(outlet.dataPackets.map(kindOf)).toEqual(['snapshot', 'delta']);
    expectSeen(viewer);
  });

  it('believes who asks that somebody reads, before LiveKit tells of them', async () => {
    outlet.readerCount = 0;
    const { roads } = open();
    outlet.unannounced = [viewer];
    spoken.finish('s1', { text: 'said before' });
    roads.received(undefined, RESYNC);
    spoken.finish('s2', { text: 'and now' });
    await settle();
    expectSeen(viewer);
    await vi.advanceTimersByTimeAsync(5000);
    const before = outlet.dataPackets.length;
    spoken.finish('s3', { text: 'gone again' });
    await settle();
    expect(outlet.dataPackets).toHaveLength(before);
  });

  it('takes somebody who is back within a minute for there all along, where the room keeps its history to itself', async () => {
    spoken.room.showsHistory = false;
    const { roads } = open();
    roads.participantJoined(bo);
    spoken.finish('s1', { text: 'for bo too', startMs: JOINED_MS - 50_000 });
    roads.participantLeft(bo);
    await vi.advanceTimersByTimeAsync(30_000);
    roads.participantJoined(bo);
    await settle();
    expect(textsSeen(seenBy(bo, outlet.dataPackets.slice(-1)))).toEqual(['for bo too']);
    roads.participantLeft(bo);
    await vi.advanceTimersByTimeAsync(61_000);
    roads.participantJoined(bo);
    await settle();
    expect(textsSeen(seenBy(bo, outlet.dataPackets.slice(-1)))).toEqual([]);
  });

  it('brings everybody up to date after a connection was lost, whatever got lost with it', async () => {
    const { roads } = open();
    spoken.finish('s1', { text: 'one' });
    await settle();
    outlet.isQuick = false;
    spoken.finish('s2', { text: 'two' });
    outlet.disconnect();
    spoken.finish('s3', { text: 'three' });
    await vi.advanceTimersByTimeAsync(60_000);
    expectNothingSince(outlet, 2);
    outlet.isQuick = true;
    outlet.reconnect();
    roads.reconnected();
    spoken.finish('s4', { text: 'four' });
    await settle();
    expectSeen(viewer);
    expect(shown(seenBy(viewer, outlet.dataPackets.slice(2)))).toEqual(shown(spoken.room.state));
  });

  it('makes up for one message that is refused for ever with a snapshot', async () => {
    open();
    await settle();
    outlet.isQuick = false;
    spoken.finish('s1', { text: 'one' });
    outlet.failOne({ error: new Error('never') });
    await settle();
    outlet.becomeQuick();
    await settle();
    expect(outlet.dataPackets.map(kindOf)).toEqual(['snapshot', 'snapshot']);
    expectSeen(viewer);
  });

  it('sends large snapshots in parts that belong together', async () => {
    for (let sentence = 0; sentence < 50; sentence += 1)
      spoken.finish(`s${sentence}`, { text: 'a rather long sentence of nine words or ten' });
    open();
    await settle();
    expect(outlet.dataPackets.length).toBeGreaterThan(1);
    expectSeen(viewer);
    expect(seenBy(viewer, outlet.dataPackets).epochMs).toBe(epochMs(5000));
  });

  it('resolves flushed when the last message was taken, and sends nothing after close', async () => {
    outlet.isQuick = false;
    const { roads } = open();
    spoken.finish('s1', { text: 'one' });
    spoken.finish('s1b', { text: 'two' });
    let isFlushed = false;
    void roads.flushed().then(() => (isFlushed = true));
    for (let taken = 0; taken < 2; taken += 1) {
      await settle();
      outlet.takeOne();
    }
    await settle();
    expect(isFlushed).toBe(false);
    outlet.takeOne();
    await settle();
    expect(isFlushed).toBe(true);
    roads.close();
    roads.close();
    spoken.finish('s2', { text: 'two' });
    roads.participantJoined(bo);
    roads.received(bo, RESYNC);
    roads.reconnected();
    await settle();
    expect(outlet.pending).toEqual([]);
    await roads.flushed();
  });
});

function expectNothingSince(outlet: ScriptedOutlet, count: number): void {
  expect(outlet.delivered).toHaveLength(count);
}
