import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { describeWithModel } from '../../asr/testing/real-model.js';
import {
  applyMessage,
  type CaptionMessage,
  type CaptionState,
  decodeMessage,
  encodeMessage,
  epochMs,
  initialState,
  participantIdentity,
  resyncMessage,
  type RoomName,
  roomName,
  segmentId,
  segmentsOf,
} from '../../protocol/index.js';
import { connectCaptions } from '../client/caption-client.js';
import type { Room } from '../rooms/room.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { RawPeer } from '../testing/raw-peer.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitFor, waitUntil } from '../testing/wait-until.js';
import { textMatching } from '../testing/matchers.js';

const speaker = { identity: participantIdentity('ana'), name: 'Ana' };

/** A viewer whose every step is the test's. */
class RawViewer {
  readonly socket: WebSocket;
  readonly messages: CaptionMessage[] = [];
  receivedBytes = 0;
  closed: { code: number; reason: string } | undefined;
  state: CaptionState;

  constructor(url: string, room: RoomName, options: { autoPong?: boolean } = {}) {
    this.state = initialState(room);
    this.socket = new WebSocket(
      `${url.replace(/^http/, 'ws')}/v1/captions?room=${encodeURIComponent(room)}`,
      [],
      options,
    );
    this.socket.on('message', (data) => {
      const bytes = data as Buffer;
      this.receivedBytes += bytes.length;
      const message = decodeMessage(bytes);
      if (message === undefined) return;
      this.messages.push(message);
      this.state = applyMessage(this.state, message);
    });
    this.socket.on('error', () => undefined);
    this.socket.once('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
  }

  get snapshots(): number {
    return this.messages.filter((message) => message.kind === 'snapshot' && message.part === 0).length;
  }

  /** Resolves after the first snapshot. */
  async joined(): Promise<this> {
    await waitUntil(() => (this.state.needsResync ? 'no snapshot' : undefined));
    return this;
  }

  resync(): void {
    this.socket.send(encodeMessage(resyncMessage(this.state)), { binary: false });
  }
}

/** About 12 kB: one more version of a segment that goes on and on. */
function publishMuch(room: Room): void {
  room.publishDelta({
    speaker,
    segment: segmentId('chatty'),
    keep: 0,
    words: Array.from({ length: 130 }, (_, index) => ({
      text: `word-${index}-${room.state.seq}`,
      startMs: epochMs(1_700_000_000_000),
      endMs: epochMs(1_700_000_000_000),
    })),
    stable: 0,
    isFinal: false,
    language: 'en',
  });
}

function publishFinal(room: Room, words: number): void {
  const epoch = epochMs(1_700_000_000_000);
  room.publishDelta({
    speaker,
    segment: segmentId(`final-${room.state.seq}`),
    keep: 0,
    words: Array.from({ length: words }, (_, index) => ({
      text: `word-${index}`,
      startMs: epoch,
      endMs: epoch,
    })),
    stable: words,
    isFinal: true,
    language: 'en',
  });
}

const eventLoopTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describeWithModel('a viewer on /v1/captions', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;
  let rooms = 0;

  beforeAll(async () => {
    gateway = await startTestGateway(model);
    afterAllTests(() => gateway.close());
  });

  const freshRoom = (): RoomName => roomName(`room ${++rooms} / é`);

  function view(room: RoomName, options: { autoPong?: boolean; url?: string } = {}): RawViewer {
    const viewer = new RawViewer(options.url ?? gateway.url, room, options);
    afterwards(() => viewer.socket.terminate());
    return viewer;
  }

  const serverRoom = (name: RoomName, of: TestGateway = gateway): Room => of.rooms.enter(name);

  async function metric(name: string, of: TestGateway = gateway): Promise<number> {
    const text = await (await fetch(`${of.url}/metrics`)).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
    return Number(line?.split(' ')[1] ?? '0');
  }

  it.each([
    ['without a room', '/v1/captions'],
    ['with an empty room', '/v1/captions?room='],
    ['with a room of 300 characters', `/v1/captions?room=${'x'.repeat(300)}`],
  ])('%s is refused', async (_, path) => {
    const peer = new RawPeer(`${gateway.url}${path}`);
    expect(await peer.closed()).toEqual({ code: 4400, reason: textMatching(/^room_missing: /) });
  });

  it('beyond the number of rooms is refused, and may watch a room that exists', async () => {
    const small = await startTestGateway(model, { settings: { CAPTION_MAX_ROOMS: 1 } });
    afterwards(() => small.close());
    const first = await view(roomName('a'), { url: small.url }).joined();
    const peer = new RawPeer(`${small.url}/v1/captions?room=b`);
    expect(await peer.closed()).toEqual({ code: 4503, reason: textMatching(/^too_many_rooms: /) });
    await view(roomName('a'), { url: small.url }).joined();
    expect(first.closed).toBeUndefined();
  });

  it.each([
    ['that is not JSON', 'hello?', 'message_not_json'],
    ['of another version', '{"v":2,"kind":"resync","room":"r","lastSeq":0}', 'version_unsupported'],
    ['without a field', '{"v":1,"kind":"resync","room":"r"}', 'message_malformed'],
    ['of 100 kB', 'x'.repeat(100_000), 'message_too_large'],
  ])('who sends a message %s is disconnected with the reason', async (_, text, code) => {
    const room = freshRoom();
    const other = await view(room).joined();
    const viewer = await view(room).joined();
    // Many at once: it is refused once.
    for (let index = 0; index < 50; index++) viewer.socket.send(text);
    const closed = await waitFor('a close', () => viewer.closed);
    expect(closed).toEqual({ code: 4400, reason: textMatching(new RegExp(`^${code}: `)) });
    const counted = (await (await fetch(`${gateway.url}/metrics`)).text()).match(
      new RegExp(`code="${code}"} (\\d+)`),
    )?.[1];
    expect(counted).toBe('1');
    publishFinal(serverRoom(room), 3);
    await waitUntil(() => (other.state.finals.length === 1 ? undefined : 'the other viewer is not served'));
  });

  it('may send kinds that are not known', async () => {
    const room = freshRoom();
    const viewer = await view(room).joined();
    viewer.socket.send('{"v":1,"kind":"applause"}');
    viewer.resync();
    await waitUntil(() => (viewer.snapshots === 2 ? undefined : 'no snapshot'));
    expect(viewer.closed).toBeUndefined();
  });

  it('who asks for snapshots without end gets few, and shows the newest state', async () => {
    const room = freshRoom();
    const viewer = await view(room).joined();
    const startedAtMs = performance.now();
    publishFinal(serverRoom(room), 3);
    for (let wanted = 2; wanted <= 5; wanted++) {
      for (let index = 0; index < 300; index++) viewer.resync();
      await waitUntil(() => (viewer.snapshots >= wanted ? undefined : `${viewer.snapshots} snapshots`));
    }
    const elapsedMs = performance.now() - startedAtMs;
    // One to begin with, then one each 250 ms.
    expect(viewer.snapshots).toBeLessThanOrEqual(2 + Math.ceil(elapsedMs / 250));
    expect(viewer.state.finals).toHaveLength(1);
    expect(viewer.state.seq).toBe(serverRoom(room).state.seq);
  });

  it('who sends messages without end is disconnected with the reason', async () => {
    const room = freshRoom();
    const other = await view(room).joined();
    const viewer = await view(room).joined();
    for (let index = 0; index < 5000; index++) viewer.resync();
    const closed = await waitFor('a close', () => viewer.closed);
    expect(closed).toEqual({ code: 4429, reason: textMatching(/^messages_too_fast: /) });
    expect(other.closed).toBeUndefined();
  });

  it('beyond the number of viewers of a room is refused, until one leaves', async () => {
    const small = await startTestGateway(model, { settings: { CAPTION_MAX_VIEWERS_PER_ROOM: 2 } });
    afterwards(() => small.close());
    const council = roomName('council');
    const first = await view(council, { url: small.url }).joined();
    await view(council, { url: small.url }).joined();
    const third = view(council, { url: small.url });
    expect(await waitFor('a close', () => third.closed)).toEqual({
      code: 4503,
      reason: textMatching(/^too_many_connections: /),
    });
    await view(roomName('elsewhere'), { url: small.url }).joined();
    first.socket.close();
    await waitUntil(() => (small.rooms.enter(council).viewerCount === 1 ? undefined : 'still there'));
    await view(council, { url: small.url }).joined();
  });

  it('with a hole asks for a snapshot and shows what all see', async () => {
    const room = freshRoom();
    let drops = 0;
    const healthy = connectCaptions({ url: gateway.url, room, changed: () => undefined });
    afterwards(() => healthy.close());
    await healthy.ready;
    // A viewer that loses every third message on its way.
    const lossy = await view(room).joined();
    lossy.socket.removeAllListeners('message');
    lossy.socket.on('message', (data) => {
      const message = decodeMessage(data as Buffer);
      if (message === undefined) return;
      if (message.kind !== 'snapshot' && ++drops % 3 === 0) return;
      lossy.state = applyMessage(lossy.state, message);
      if (lossy.state.needsResync) lossy.resync();
    });
    for (let index = 0; index < 20; index++) {
      publishFinal(serverRoom(room), 5);
      await eventLoopTurn();
    }
    const shown = (state: CaptionState): string =>
      segmentsOf(state)
        .map(({ segment }) => segment)
        .join(' ');
    await waitUntil(() => {
      if (lossy.state.needsResync) lossy.resync();
      return lossy.state.seq === healthy.state.seq && lossy.state.seq === serverRoom(room).state.seq
        ? undefined
        : 'not converged';
    });
    expect(drops).toBeGreaterThan(5);
    expect(shown(lossy.state)).toBe(shown(healthy.state));
    expect(shown(lossy.state)).toBe(shown(serverRoom(room).state));
  });

  it('who joins a room with a long history is shown all of it at once', async () => {
    const room = freshRoom();
    // More than what a viewer may have unsent: this is no viewer that does not read.
    for (let index = 0; index < 60; index++) publishFinal(serverRoom(room), 120);
    const snapshotBytes = serverRoom(room)
      .snapshotFor(serverRoom(room).historyStart)
      .reduce((sum, { length }) => sum + length, 0);
    expect(snapshotBytes).toBeGreaterThan(400_000);
    const skippedBefore = await metric('caption_viewer_skipped_messages_total');
    const viewer = await view(room).joined();
    expect(segmentsOf(viewer.state)).toEqual(segmentsOf(serverRoom(room).state));
    publishFinal(serverRoom(room), 120);
    await waitUntil(() => (viewer.state.seq === 61 ? undefined : 'the next final has not come'));
    expect(viewer.snapshots).toBe(1);
    expect(await metric('caption_viewer_skipped_messages_total')).toBe(skippedBefore);
  });

  describe('who does not read', () => {
    it('costs bounded memory and nobody else any time, and is given a snapshot when it reads again', async () => {
      const room = freshRoom();
      const stuck = await view(room).joined();
      const fast = connectCaptions({ url: gateway.url, room, changed: () => undefined });
      afterwards(() => fast.close());
      await fast.ready;
      stuck.socket.pause();
      const before = stuck.receivedBytes;
      let publishedBytes = 0;
      while (publishedBytes < 25_000_000) {
        for (let index = 0; index < 5; index++) publishMuch(serverRoom(room));
        publishedBytes += 5 * 12_000;
        // The others keep up while one does not read.
        await waitUntil(() =>
          fast.state.seq === serverRoom(room).state.seq ? undefined : 'the other viewer lags',
        );
      }
      expect(fast.resyncs).toBe(0);
      expect(await metric('caption_viewer_skipped_messages_total')).toBeGreaterThan(500);
      const snapshotsBefore = stuck.snapshots;
      stuck.socket.resume();
      await waitUntil(() =>
        stuck.state.seq === serverRoom(room).state.seq ? undefined : `at ${stuck.state.seq}`,
      );
      expect(segmentsOf(stuck.state)).toEqual(segmentsOf(serverRoom(room).state));
      expect(stuck.snapshots).toBeGreaterThan(snapshotsBefore);
      // What waited for it: 256 kB in the gateway, the rest in the buffers of the operating system.
      expect(stuck.receivedBytes - before).toBeLessThan(12_000_000);
      publishFinal(serverRoom(room), 2);
      await waitUntil(() =>
        stuck.state.seq === serverRoom(room).state.seq ? undefined : 'it is not served any more',
      );
      expect(stuck.closed).toBeUndefined();
    });

    it('for too long is disconnected with the reason', async () => {
      const strict = await startTestGateway(model, { timing: { maxViewerPauseMs: 300 } });
      afterwards(() => strict.close());
      const room = serverRoom(roomName('council'), strict);
      const stuck = await view(roomName('council'), { url: strict.url }).joined();
      const reading = await view(roomName('council'), { url: strict.url }).joined();
      stuck.socket.pause();
      let refused = 0;
      const count = async (): Promise<void> => {
        const text = await (await fetch(`${strict.url}/metrics`)).text();
        refused = Number(/code="viewer_too_slow"} (\d+)/.exec(text)?.[1] ?? '0');
      };
      while (refused === 0) {
        for (let index = 0; index < 20; index++) publishMuch(room);
        await waitUntil(() => (reading.state.seq === room.state.seq ? undefined : 'the other viewer lags'));
        await count();
      }
      expect(refused).toBe(1);
      stuck.socket.resume();
      const closed = await waitFor('a close', () => stuck.closed);
      expect(closed).toEqual({ code: 4408, reason: textMatching(/^viewer_too_slow: /) });
      await waitUntil(() => (room.viewerCount === 1 ? undefined : 'the viewer is still in the room'));
      expect(reading.closed).toBeUndefined();
    });
  });

  it('who is gone without a word is noticed; the others stay', async () => {
    const watchful = await startTestGateway(model, { timing: { heartbeatIntervalMs: 150 } });
    afterwards(() => watchful.close());
    const room = serverRoom(roomName('council'), watchful);
    const alive = await view(roomName('council'), { url: watchful.url }).joined();
    let pings = 0;
    alive.socket.on('ping', () => (pings += 1));
    const dead = await view(roomName('council'), { url: watchful.url, autoPong: false }).joined();
    expect(await waitFor('a close', () => dead.closed)).toMatchObject({ code: 1006 });
    await waitUntil(() => (pings >= 5 ? undefined : 'the other viewer is not asked'));
    expect(alive.closed).toBeUndefined();
    expect(room.viewerCount).toBe(1);
  });

  it('follows its room again after its connection dropped', async () => {
    const room = freshRoom();
    const disconnects: number[] = [];
    const viewer = connectCaptions({
      url: gateway.url,
      room,
      changed: () => undefined,
      disconnected: ({ code, isFinal }) => disconnects.push(isFinal ? -1 : code),
    });
    afterwards(() => viewer.close());
    await viewer.ready;
    publishFinal(serverRoom(room), 1);
    await waitUntil(() => (viewer.state.finals.length === 1 ? undefined : 'no final'));
    viewer.dropConnection();
    publishFinal(serverRoom(room), 2);
    await waitUntil(() => (viewer.state.finals.length === 2 ? undefined : 'not there again'));
    expect(disconnects).toEqual([1006]);
  });
});
