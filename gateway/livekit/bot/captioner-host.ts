import type { AsrEngine, AsrEvent } from '../../../asr/index.js';
import type { RoomName } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import type { LanguageChooser } from '../../rooms/caption-language.js';
import type { Room } from '../../rooms/room.js';
import type { RoomRegistry } from '../../rooms/room-registry.js';
import type { RoomAccess } from '../../server/access/room-access.js';
import type { CaptionerEnd } from '../captioner-end.js';
import type { CaptionRoads } from '../roads/caption-roads.js';
import type { RoomOutlet } from '../room-outlet.js';
import type { LiveKitAdmin } from '../livekit-admin.js';
import type { RoomSettings } from '../room-settings.js';
import type { RoomKeyRing } from '../signing/room-key-ring.js';

/** What the key of an encrypted room is, or why there is none. */
export type EncryptionKeyAnswer =
  | { readonly key: string }
  /** `mayPass`: it is worth asking again. */
  | { readonly reason: string; readonly mayPass: boolean };

/** How long the captioner waits. Not settings: only tests want other values. In milliseconds. */
export interface CaptionerTiming {
  /** After the last human left: a page that is loaded again comes back. */
  readonly leaveGraceMs: number;
  /** A room in which there never was anybody. */
  readonly nobodyCameMs: number;
  /** Between two attempts to connect, doubled each time up to the maximum, with jitter. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** Between two questions for the key of an encrypted room; they begin as attempts to connect do. */
  readonly maxKeyRetryMs: number;
  /** The SDK tries to mend a connection for so long, then a new one is made: its attempts can hang. */
  readonly mendMs: number;
  /** A connection that does not come back for so long is given up: the watcher looks after the room. */
  readonly giveUpMs: number;
}

export const DEFAULT_CAPTIONER_TIMING: CaptionerTiming = {
  leaveGraceMs: 3000,
  nobodyCameMs: 60_000,
  retryMs: 250,
  maxRetryMs: 5000,
  maxKeyRetryMs: 15_000,
  mendMs: 10_000,
  giveUpMs: 120_000,
};

/** Counts what happens. Every call is cheap. */
export interface CaptionerObserver {
  joined(): void;
  reconnected(): void;
  /** Somebody removed the bot; what was said before is finished still, which takes a while, and then it has `ended`. */
  removed(): void;
  ended(end: CaptionerEnd): void;
}

/** What all captioners of a process share. */
export interface CaptionerHost {
  readonly engine: AsrEngine;
  readonly chooseLanguage: LanguageChooser;
  readonly rooms: RoomRegistry;
  readonly log: Logger;
  /** Learns what the server takes away from people in the room, and gives back. */
  readonly access: RoomAccess;
  readonly observer: CaptionerObserver;
  readonly observeAsr: (event: AsrEvent) => void;
  readonly createRoads: (options: {
    outlet: RoomOutlet;
    room: Room;
    settings: RoomSettings;
    log: Logger;
  }) => CaptionRoads;
  /** Never throws: `problems` says, for people, what was wrong and is not used. */
  readonly roomSettings: (sources: { dispatchMetadata: string; roomMetadata: string }) => {
    readonly settings: RoomSettings;
    readonly problems: readonly string[];
  };
  /** Never rejects. */
  readonly encryptionKey: (room: RoomName) => Promise<EncryptionKeyAnswer>;
  /** Whether the STUN and TURN servers that LiveKit names are asked. */
  readonly asksIceServers: boolean;
  /** The keys with which what is said in a room is signed. Whoever asks for them closes them. */
  readonly createKeys: (room: RoomName, changed: () => void) => RoomKeyRing;
  /** Everybody in a room, hidden ones too. Throws what LiveKitAdmin does. */
  readonly listParticipants: LiveKitAdmin['listParticipants'];
  /** A token of our own, for connections after the first. */
  readonly mintToken: (room: RoomName) => Promise<string>;
  /** Somebody asks whether this process is alive. */
  readonly probed: (room: RoomName, bytes: Uint8Array) => void;
  readonly timing: CaptionerTiming;
}
