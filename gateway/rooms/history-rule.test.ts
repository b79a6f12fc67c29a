/** The rule of who may see what was said before, over every way out of a room. */
import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import {
  decodeMessage,
  encodeMessage,
  epochMs,
  initialState,
  participantIdentity,
  type ParticipantIdentity,
  resyncMessage,
  segmentId,
} from '../../protocol/index.js';
import type { DataPacket, TextStream, TranscriptionPacket } from '../livekit/room-outlet.js';
import { ScriptedOutlet } from '../livekit/testing/scripted-outlet.js';
import { openRoads, ROOM, silentLog } from '../livekit/testing/spoken-room.js';
import { GatewayMetrics } from '../metrics/gateway-metrics.js';
import { ConnectionRights } from '../server/access/connection-rights.js';
import { RoomAccess } from '../server/access/room-access.js';
import { allowEverything, type Permissions } from '../server/authentication.js';
import { CaptionsEndpoint } from '../server/captions-endpoint.js';
import { segmentText } from '../transcript/document-formats.js';
import { TranscriptKeeper } from '../transcript/transcript-keeper.js';
import type { Room } from './room.js';
import { RoomRegistry } from './room-registry.js';

const RESYNC = encodeMessage(resyncMessage(initialState(ROOM)));
const MEETING_END_MS = 5000;
const PEOPLE = ['ana', 'bo', 'cy'].map((name) => participantIdentity(name));
type Who = 0 | 1 | 2;

/** Something that was said: which it is, and when it became nobody's business who came later. */
interface Said {
  endedAt: number;
  meetingEndedAt: number;
  deletedAt: number;
}

/** What one connection was sent, and when its owner came, counted in steps. */
interface Watching {
  readonly since: number;
  readonly read: Set<number>;
  /** What packets of our contract brought since they were last looked at. */
  readonly shown: Set<number>;
}

const numbersIn = (text: string): number[] =>
  [...text.matchAll(/\bw(\d+)\b/g)].map(([, digits]) => Number(digits));
const numbersOf = (bytes: Uint8Array): number[] => {
  const message = decodeMessage(bytes);
  const gaps = message?.kind === 'gap' ? [message] : message?.kind === 'snapshot' ? message.gaps : [];
  return [...numbersIn(new TextDecoder().decode(bytes)), ...gaps.map(({ startMs }) => Number(startMs))];
};

/** A WebSocket whose other side reads, or does not. */
class ScriptedSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly received: (bytes: Uint8Array) => void;

  constructor(received: (bytes: Uint8Array) => void) {
    super();
    this.received = received;
  }

  send(bytes: Uint8Array): void {
    this.received(bytes);
  }

  close(): void {
    this.readyState = 3;
    this.emit('close');
  }
}

/** Takes down who is in the room when something is handed over. */
class WatchedOutlet extends ScriptedOutlet {
  handedOver: (said: readonly number[], to?: readonly ParticipantIdentity[], isOfContract?: boolean) => void =
    () => undefined;

  override sendData(packet: DataPacket): Promise<void> {
    if (this.isConnected) this.handedOver(numbersOf(packet.bytes), packet.to, true);
    return super.sendData(packet);
  }

  override sendTextStream(stream: TextStream): Promise<void> {
    if (this.isConnected) this.handedOver(numbersIn(stream.text), stream.to);
    return super.sendTextStream(stream);
  }

  override sendTranscription(packet: TranscriptionPacket): Promise<void> {
    if (this.isConnected) this.handedOver(numbersIn(packet.text));
    return super.sendTranscription(packet);
  }
}

/** A room with all its ways out, and beside it, counted in steps, what may be seen by whom. */
class WatchedRoom {
  readonly room: Room;
  readonly #showsHistory: boolean;
  readonly #registry: RoomRegistry;
  readonly #keeper = new TranscriptKeeper({ maxMeetingBytes: 1e6, maxBytes: 1e6, log: silentLog });
  readonly #endpoint: CaptionsEndpoint;
  readonly #outlet = new WatchedOutlet();
  readonly #roads;
  readonly #sockets = new Map<Who, { readonly socket: ScriptedSocket; readonly watching: Watching }>();
  readonly #participants = new Map<Who, Watching>();
  /** Of everybody who has an identity and is here, or was a minute ago. */
  readonly #cameAt = new Map<Who, { since: number; connections: number; leftAtMs: number }>();
  readonly #said = new Map<number, Said>();
  readonly #watching: Watching[] = [];
  #attendees = new Set<Who>();
  #lastAttendees = new Set<Who>();
  #isMeeting = false;
  #open: number | undefined;
  #step = 0;

  constructor(options: { showsHistory: boolean; legacy: 'visio' | 'agents' }) {
    this.#showsHistory = options.showsHistory;
    this.#registry = new RoomRegistry({
      maxRooms: 1,
      retentionMs: 1e9,
      meetingEndMs: MEETING_END_MS,
      opened: (room) => this.#keeper.roomOpened(room),
      closed: (room) => this.#keeper.roomClosed(room),
    });
    this.#endpoint = new CaptionsEndpoint({
      rooms: this.#registry,
      metrics,
      maxPauseMs: 1e9,
      openRights: (connection) =>
        new ConnectionRights({ ...connection, authenticator: allowEverything, access: new RoomAccess() }),
      maxViewersPerIdentity: 100,
      maxViewersPerRoom: 100,
    });
    this.room = this.#registry.enter(ROOM);
    this.room.showsHistory = options.showsHistory;
    this.#outlet.handedOver = (said, to, isOfContract = false) => {
      for (const [who, { read, shown }] of this.#participants) {
        if (to?.includes(PEOPLE[who]!) === false) continue;
        for (const number of said) read.add(number);
        if (isOfContract) for (const number of said) shown.add(number);
      }
    };
    this.#roads = openRoads(this.room, this.#outlet, {
      captions: true,
      transcription: true,
      legacy: options.legacy,
    }).roads;
  }

  async take(step: Step): Promise<void> {
    this.#step += 1;
    switch (step.kind) {
      case 'say':
        this.#begin();
        this.#publish(true);
        break;
      case 'begin':
        this.#begin();
        break;
      case 'gap':
        this.#speak();
        this.#said.set(this.#step, { endedAt: this.#step, meetingEndedAt: Infinity, deletedAt: Infinity });
        this.room.publishGap({
          speaker: { identity: participantIdentity('dan'), name: 'Dan' },
          startMs: epochMs(this.#step),
          endMs: epochMs(this.#step + 1),
          reason: 'overloaded',
        });
        break;
      case 'watch':
        this.#watch(step.who, step.hasToken);
        break;
      case 'drop':
        this.#sockets.get(step.who)?.socket.close();
        break;
      case 'resync':
        this.#sockets.get(step.who)?.socket.emit('message', Buffer.from(RESYNC));
        if (this.#participants.has(step.who)) this.#roads.received(PEOPLE[step.who], RESYNC);
        break;
      case 'resync of somebody':
        this.#roads.received(undefined, RESYNC);
        break;
      case 'read slowly': {
        const socket = this.#sockets.get(step.who)?.socket;
        if (socket !== undefined) socket.bufferedAmount = socket.bufferedAmount === 0 ? 1e9 : 0;
        break;
      }
      case 'join':
        this.#join(step.who);
        break;
      case 'leave':
        this.#leave(step.who);
        break;
      case 'network':
        this.#network(step.does);
        break;
      case 'delete':
        for (const said of this.#said.values())
          if (said.endedAt < this.#step) said.deletedAt = Math.min(said.deletedAt, this.#step);
        await this.#keeper.forget(ROOM);
        break;
      case 'everybody leaves':
        await this.#endMeeting();
        break;
      case 'wait':
        await vi.advanceTimersByTimeAsync(step.ms);
        break;
      case 'transcript':
        await this.#readTranscript(step.who);
    }
    await vi.advanceTimersByTimeAsync(0);
  }

  /** What was sent that must not have been. */
  get leaks(): string[] {
    return this.#watching.flatMap(({ since, read }) =>
      [...read]
        .filter((number) => !this.#maySee(number, since))
        .map((number) => `w${number} to who came at ${since}`),
    );
  }

  /** Those who ask again are shown all that is theirs, and so is everybody after the connection of the room was away. */
  async expectWhole(): Promise<void> {
    this.#network('returns');
    await vi.advanceTimersByTimeAsync(1000);
    for (const { shown } of this.#watching) shown.clear();
    for (const { socket } of this.#sockets.values()) {
      socket.bufferedAmount = 0;
      socket.emit('message', Buffer.from(RESYNC));
    }
    this.#network('fails');
    this.#network('returns');
    await vi.advanceTimersByTimeAsync(1000);
    const theirs = ({ since }: Watching): number[] =>
      [...this.#said].flatMap(([number, { deletedAt }]) =>
        deletedAt === Infinity && this.#maySee(number, since) ? [number] : [],
      );
    const here = [
      ...[...this.#sockets.values()].map(({ watching }) => watching),
      ...this.#participants.values(),
    ];
    for (const watching of here)
      expect([...watching.shown].toSorted((a, b) => a - b)).toEqual(theirs(watching));
  }

  async close(): Promise<void> {
    for (const { socket } of this.#sockets.values()) socket.close();
    this.#roads.close();
    this.#endpoint.close();
    this.#registry.close();
    await this.#keeper.close();
  }

  #maySee(number: number, since: number): boolean {
    const said = this.#said.get(number);
    if (said === undefined) return false;
    const isOfFormer = said.meetingEndedAt < since || said.deletedAt < since;
    return !isOfFormer && (this.#showsHistory || said.endedAt > since);
  }

  #speak(): void {
    this.room.addSpeaker('dan');
    if (this.#isMeeting) return;
    this.#isMeeting = true;
    this.#attendees = new Set(
      [...this.#cameAt].flatMap(([who, { connections }]) => (connections > 0 ? [who] : [])),
    );
  }

  #begin(): void {
    this.#speak();
    if (this.#open !== undefined) this.#publish(true);
    this.#open = this.#step;
    this.#said.set(this.#step, { endedAt: Infinity, meetingEndedAt: Infinity, deletedAt: Infinity });
    this.#publish(false);
  }

  #publish(isFinal: boolean): void {
    const number = this.#open ?? 0;
    this.room.publishDelta({
      speaker: { identity: participantIdentity('dan'), name: 'Dan' },
      trackSid: 'TR_dan',
      segment: segmentId(`s${number}`),
      keep: 0,
      words: [{ text: `w${number}`, startMs: epochMs(number), endMs: epochMs(number) }],
      stable: 1,
      isFinal,
      language: 'en',
    });
    if (!isFinal) return;
    const said = this.#said.get(number);
    if (said !== undefined) said.endedAt = this.#step;
    this.#open = undefined;
  }

  async #endMeeting(): Promise<void> {
    this.room.removeSpeaker('dan');
    await vi.advanceTimersByTimeAsync(MEETING_END_MS + 2000);
    if (!this.#isMeeting) return;
    this.#isMeeting = false;
    this.#open = undefined;
    this.#lastAttendees = this.#attendees;
    for (const said of this.#said.values()) said.meetingEndedAt = Math.min(said.meetingEndedAt, this.#step);
  }

  #came(who: Who, isKnown: boolean): Watching {
    const before = this.#cameAt.get(who);
    const isBack = before !== undefined && (before.connections > 0 || Date.now() - before.leftAtMs <= 60_000);
    const since = isKnown && isBack ? before.since : this.#step;
    if (isKnown) {
      this.#cameAt.set(who, { since, connections: (before?.connections ?? 0) + 1, leftAtMs: 0 });
      this.#attendees.add(who);
    }
    const watching = { since, read: new Set<number>(), shown: new Set<number>() };
    this.#watching.push(watching);
    return watching;
  }

  #went(who: Who): void {
    const came = this.#cameAt.get(who);
    if (came === undefined) return;
    came.connections -= 1;
    came.leftAtMs = Date.now();
  }

  #watch(who: Who, hasToken: boolean): void {
    if (this.#sockets.has(who)) return;
    const watching = this.#came(who, hasToken);
    const socket = new ScriptedSocket((bytes) => {
      for (const number of numbersOf(bytes)) {
        watching.read.add(number);
        watching.shown.add(number);
      }
    });
    this.#sockets.set(who, { socket, watching });
    socket.once('close', () => {
      this.#sockets.delete(who);
      if (hasToken) this.#went(who);
    });
    const permissions: Permissions = {
      ...EVERYTHING,
      ...(hasToken ? { owner: { identity: PEOPLE[who]!, name: '' } } : {}),
    };
    this.#endpoint.open({ socket: socket as unknown as WebSocket, permissions, room: ROOM, address: '' });
  }

  #join(who: Who): void {
    if (this.#participants.has(who) || !this.#outlet.isConnected) return;
    this.#participants.set(who, this.#came(who, true));
    this.#roads.participantJoined(PEOPLE[who]!);
  }

  #leave(who: Who): void {
    if (!this.#participants.delete(who)) return;
    this.#went(who);
    this.#roads.participantLeft(PEOPLE[who]!);
  }

  #network(does: 'fails' | 'returns' | 'is slow'): void {
    this.#outlet.isQuick = does !== 'is slow';
    if (does === 'fails') {
      if (this.#outlet.isConnected) this.#outlet.disconnect();
      return;
    }
    if (this.#outlet.isQuick) this.#outlet.becomeQuick();
    if (this.#outlet.isConnected) return;
    this.#outlet.reconnect();
    this.#roads.reconnected();
  }

  async #readTranscript(who: Who): Promise<void> {
    const transcript = await this.#keeper.readLatest(ROOM, ({ attendees }) => attendees.has(PEOPLE[who]!));
    const read = (transcript?.entries ?? []).map((entry) =>
      entry.kind === 'gap' ? Number(entry.startMs) : Number(segmentText(entry).slice(1)),
    );
    const wasThere = this.#lastAttendees.has(who);
    for (const number of read) {
      const said = this.#said.get(number);
      expect(this.#showsHistory && said?.deletedAt === Infinity).toBe(true);
      expect(said?.meetingEndedAt === Infinity || wasThere, `w${number} read by who was not there`).toBe(
        true,
      );
    }
  }
}

const EVERYTHING = await allowEverything.authenticate(undefined as never);

const metrics = new GatewayMetrics();

const who = fc.constantFrom<Who>(0, 1, 2);
const simple = fc.constantFrom(
  { kind: 'say' as const },
  { kind: 'say' as const },
  { kind: 'begin' as const },
  { kind: 'gap' as const },
  { kind: 'everybody leaves' as const },
  { kind: 'delete' as const },
  { kind: 'resync of somebody' as const },
);
const step = fc.oneof(
  { arbitrary: simple, weight: 3 },
  fc.record({ kind: fc.constant('watch' as const), who, hasToken: fc.boolean() }),
  fc.record({
    kind: fc.constantFrom('drop' as const, 'resync' as const, 'read slowly' as const, 'transcript' as const),
    who,
  }),
  fc.record({ kind: fc.constantFrom('join' as const, 'join' as const, 'leave' as const), who }),
  fc.record({
    kind: fc.constant('network' as const),
    does: fc.constantFrom('fails' as const, 'returns' as const, 'is slow' as const),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(300, 1200, 30_000, 70_000) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

describe('what a room said before', () => {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    { showsHistory: true, legacy: 'visio' },
    { showsHistory: true, legacy: 'agents' },
    { showsHistory: false, legacy: 'visio' },
    { showsHistory: false, legacy: 'agents' },
  ] as const)(
    'is sent to nobody who may not see it, on no road, and wholly to those who may: %o',
    async (options) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const watched = new WatchedRoom(options);
          try {
            for (const next of steps) await watched.take(next);
            await watched.expectWhole();
            expect(watched.leaks).toEqual([]);
          } finally {
            await watched.close();
          }
        }),
        { numRuns: 250 },
      );
    },
  );
});
