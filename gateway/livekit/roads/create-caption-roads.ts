import type { Logger } from '../../log.js';
import type { Room } from '../../rooms/room.js';
import { segmentIn } from '../../rooms/room-history.js';
import type { RoomOutlet } from '../room-outlet.js';
import type { LegacyManner, RoadsOut, RoomSettings } from '../room-settings.js';
import { CaptionChannel } from './caption-channel.js';
import type { CaptionRoads } from './caption-roads.js';
import { LegacyPieces } from './legacy-pieces.js';
import { LegacySegments } from './legacy-segments.js';
import { Readers } from './readers.js';
import type { RoadContext, RoadName, RoadObserver, SegmentRoad } from './road.js';
import { TranscriptionStreams } from './transcription-streams.js';

export interface CaptionRoadsOptions {
  readonly outlet: RoomOutlet;
  readonly room: Room;
  readonly settings: Pick<RoomSettings, 'roads' | 'withholdsLegacy'>;
  readonly log: Logger;
  readonly observer?: RoadObserver;
}

/** The roads that the room's settings name. To be added to the room as a viewer by the caller, who closes them. */
export function createCaptionRoads(options: CaptionRoadsOptions): CaptionRoads {
  const { outlet, room, settings, log, observer } = options;
  const readers = new Readers(outlet, room);
  const contextOf = (road: RoadName): RoadContext => ({
    outlet,
    room,
    readers,
    log: log.child({ road }),
    withholdsLegacy: settings.withholdsLegacy,
    observe: (event) => observer?.roadEvent(road, event),
  });
  const channel = settings.roads.captions ? new CaptionChannel(contextOf('captions')) : undefined;
  const segmentRoads = [
    ...transcriptionRoads(settings.roads.transcription, contextOf('transcription')),
    ...legacyRoads(settings.roads.legacy, contextOf('legacy')),
  ];
  const stopWatching = [
    ...(channel === undefined ? [] : [observer?.roadOpened('captions', () => channel.waiting)]),
    ...segmentRoads.map((road) => observer?.roadOpened(road.name, () => road.waiting)),
  ];
  return {
    sendSnapshot() {
      channel?.tellAll();
      for (const road of segmentRoads) road.begin();
    },
    send(bytes, message) {
      channel?.tell(bytes);
      const segment = message.kind === 'delta' ? segmentIn(room.state, message.segment) : undefined;
      if (segment !== undefined) for (const road of segmentRoads) road.tell(segment);
    },
    participantPresent(identity) {
      readers.joined(identity);
    },
    participantJoined(identity) {
      readers.joined(identity);
      channel?.joined(identity);
      for (const road of segmentRoads) road.joined(identity);
    },
    participantLeft(identity) {
      readers.left(identity);
      channel?.left(identity);
      for (const road of segmentRoads) road.left(identity);
    },
    received(from, bytes) {
      channel?.received(from, bytes);
    },
    reconnected() {
      readers.reconnected();
      channel?.tellAll();
      for (const road of segmentRoads) road.reconnected();
    },
    async flushed() {
      await Promise.all([channel?.flushed(), ...segmentRoads.map((road) => road.flushed())]);
    },
    close() {
      for (const stop of stopWatching.splice(0)) stop?.();
      channel?.close();
      readers.close();
      for (const road of segmentRoads) road.close();
    },
  };
}

const transcriptionRoads = (wanted: RoadsOut['transcription'], context: RoadContext): SegmentRoad[] =>
  wanted === false
    ? []
    : [new TranscriptionStreams(context, { showsProvisionalWords: wanted !== 'settled' })];

function legacyRoads(manner: LegacyManner, context: RoadContext): SegmentRoad[] {
  switch (manner) {
    case 'visio':
      return [new LegacyPieces(context)];
    case 'agents':
      return [new LegacySegments(context)];
    case 'off':
      return [];
  }
}
