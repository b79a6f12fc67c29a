import type { RoomName } from '../../protocol/index.js';
import type { Room } from '../rooms/room.js';
import type { Permissions } from './authentication.js';

/** Nobody picks from more; who knows the name of a room can type it. */
const MAX_LISTED_ROOMS = 200;

/** A room in which somebody is who speaks or writes, as far as choosing one goes. */
export interface ListedRoom {
  readonly room: RoomName;
  /** Voices that reach this gateway, talking or not. */
  readonly speakers: number;
  /** Since when somebody has been there to speak or to write; ISO 8601. */
  readonly startedAt: string;
}

export interface RoomList {
  /** Those that began last come first. */
  readonly rooms: readonly ListedRoom[];
  /** Rooms that are live besides. */
  readonly omitted: number;
}

/** The rooms that are live, of those whose captions may be seen with these permissions. */
export function listRooms(rooms: readonly Room[], permissions: Permissions): RoomList {
  const live = rooms.flatMap((room) => {
    const { name, liveSinceMs } = room;
    if (liveSinceMs === undefined || !permissions.mayView(name)) return [];
    return [{ room: name, speakers: room.sources.length, liveSinceMs }];
  });
  live.sort((a, b) => b.liveSinceMs - a.liveSinceMs);
  const listed = live.slice(0, MAX_LISTED_ROOMS);
  return {
    rooms: listed.map(({ room, speakers, liveSinceMs }) => ({
      room,
      speakers,
      startedAt: new Date(liveSinceMs).toISOString(),
    })),
    omitted: live.length - listed.length,
  };
}
