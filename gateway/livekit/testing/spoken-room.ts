/** A gateway's room in which tests let people speak, word by word. */
import pino from 'pino';
import {
  epochMs,
  participantIdentity,
  type ParticipantIdentity,
  roomName,
  segmentId,
  type Speaker,
} from '../../../protocol/index.js';
import { Room } from '../../rooms/room.js';
import type { RoadsOut } from '../room-settings.js';
import type { CaptionRoads } from '../roads/caption-roads.js';
import { createCaptionRoads } from '../roads/create-caption-roads.js';
import type { RoadEvent, RoadName } from '../roads/road.js';
import type { RoomOutlet } from '../room-outlet.js';

export const ROOM = roomName('council');
export const ana = participantIdentity('ana');
export const bo = participantIdentity('bo');
export const viewer = participantIdentity('viewer');
export const silentLog = pino({ level: 'silent' });

export interface Revision {
  readonly speaker?: ParticipantIdentity;
  readonly trackSid?: string | undefined;
  /** All words of the segment, separated by spaces. */
  readonly text: string;
  /** How many leading words never change; default all. */
  readonly stable?: number;
  readonly isFinal?: boolean;
  /** When its first word began; every word takes 100 ms. Default 1,000. */
  readonly startMs?: number;
}

export class SpokenRoom {
  readonly room: Room;

  constructor(room: Room = new Room(ROOM, 5000)) {
    this.room = room;
  }

  /** The next revision of a segment. */
  revise(segment: string, revision: Revision): void {
    const { speaker = ana, text, isFinal = false, startMs = 1000 } = revision;
    const words = text.split(' ').filter((word) => word !== '');
    const trackSid = 'trackSid' in revision ? revision.trackSid : `TR_${speaker}`;
    const who: Speaker = { identity: speaker, name: speaker.toUpperCase() };
    this.room.publishDelta({
      speaker: who,
      ...(trackSid === undefined ? {} : { trackSid }),
      segment: segmentId(segment),
      keep: 0,
      words: words.map((word, index) => ({
        text: word,
        startMs: epochMs(startMs + index * 100),
        endMs: epochMs(startMs + index * 100 + 100),
      })),
      stable: isFinal ? words.length : (revision.stable ?? words.length),
      isFinal,
      language: 'en',
    });
  }

  finish(segment: string, revision: Omit<Revision, 'isFinal'>): void {
    this.revise(segment, { ...revision, isFinal: true });
  }
}

export const NO_ROADS: RoadsOut = { captions: false, transcription: false, legacy: 'off' };

export interface OpenedRoads {
  readonly roads: CaptionRoads;
  /** How often, as `road event`. */
  readonly counts: Map<string, number>;
  /** How much waits on each road that is open. */
  readonly waiting: () => ReadonlyMap<RoadName, number>;
}

/** Roads that view the room. Whoever calls it closes them. */
export function openRoads(
  room: Room,
  outlet: RoomOutlet,
  { withholdsLegacy = false, ...roadsOut }: Partial<RoadsOut> & { readonly withholdsLegacy?: boolean },
): OpenedRoads {
  const counts = new Map<string, number>();
  const reads = new Map<RoadName, () => number>();
  const roads = createCaptionRoads({
    outlet,
    room,
    settings: { roads: { ...NO_ROADS, ...roadsOut }, withholdsLegacy },
    log: silentLog,
    observer: {
      roadEvent(road: RoadName, event: RoadEvent) {
        const key = `${road} ${event}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      },
      roadOpened(road, read) {
        reads.set(road, read);
        return () => void reads.delete(road);
      },
    },
  });
  room.addViewer(roads);
  return { roads, counts, waiting: () => new Map([...reads].map(([road, read]) => [road, read()])) };
}
