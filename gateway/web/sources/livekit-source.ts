/**
 * Captions in a LiveKit room, read with the application's own `Room`: our contract on the data channel; where nobody speaks it,
 * the text streams of LiveKit's agents; where there are none, legacy packets. What a better road has begun to tell is told by no
 * other one, so that nothing is shown twice. Whatever anybody in the room could have written is shown only if it is signed with the
 * room's key (docs/caption-authenticity.md). Of livekit-client only types are used: the application brings it.
 */
import type { RemoteParticipant, Room, TranscriptionSegment } from 'livekit-client';
import {
  CaptionFollower,
  CAPTIONS_TOPIC,
  type CaptionState,
  canVerify,
  decodeMessage,
  MessageVerifier,
  roomName,
} from '../../../protocol/index.js';
import type { CaptionListener, CaptionSource, UnverifiedCause } from './caption-source.js';
import { isRefusedUnencrypted } from './encryption.js';
import { RoomKeyRing, type RoomKeysOption } from './room-key-ring.js';
import { TextSegments } from './text-segments.js';
import { type StreamedText, TextStreamRoad } from './text-stream-road.js';

/** A gateway answers at once; what other roads told meanwhile is shown when it has not. */
const BETTER_ROAD_DEADLINE_MS = 2000;
/** A room's key may come a moment after the first captions, and another road may have them. */
const UNVERIFIED_AFTER_MS = 3000;

/** From the best one to the worst. */
export type LiveKitRoad = 'captions' | 'transcription' | 'legacy';
const ROADS: readonly LiveKitRoad[] = ['captions', 'transcription', 'legacy'];

export interface LiveKitSourceOptions {
  /**
   * Roads that may be read; default all. An application that reads `lk.transcription` itself leaves it out: LiveKit hands a text
   * stream to one reader.
   */
  readonly roads?: readonly LiveKitRoad[];
  /**
   * Public keys of the room, or how to learn them (`gatewayKeys`). Default: the room's metadata, where the gateway puts them and
   * participants cannot write.
   */
  readonly keys?: RoomKeysOption;
  /**
   * What to do with our contract's messages while no key is known. `show` believes everybody in the room. Default: they are
   * refused, and `linkChanged` tells so.
   */
  readonly unverified?: 'refuse' | 'show';
  /** Another road is read from now on. */
  readonly roadChanged?: (road: LiveKitRoad) => void;
}

const SILENT: CaptionListener = { changed: () => undefined, linkChanged: () => undefined };

/** The room may be joined before or after `start`; joining and leaving it is the application's. */
export class LiveKitSource implements CaptionSource {
  readonly #room: Room;
  readonly #options: LiveKitSourceOptions;
  #listener = SILENT;
  #road: LiveKitRoad | undefined;
  readonly #keys: RoomKeyRing;
  readonly #streams: TextStreamRoad;
  #verifier: MessageVerifier | undefined;
  #follower: CaptionFollower | undefined;
  #unverifiedTimer: ReturnType<typeof setTimeout> | undefined;
  #texts = new Map<LiveKitRoad, TextSegments>();
  #isWaiting = true;
  #waitTimer: ReturnType<typeof setTimeout> | undefined;
  #stopListening: (() => void)[] = [];

  constructor(room: Room, options: LiveKitSourceOptions = {}) {
    this.#room = room;
    this.#options = options;
    this.#keys = new RoomKeyRing(room, options.keys, (keys) => {
      if (this.#verifier !== undefined) this.#verifier.keys = keys;
      // What could not be verified before is there to be asked for.
      this.#follower?.ask();
    });
    this.#streams = new TextStreamRoad({
      room,
      keys: () => this.#keys.keys,
      tell: (text) => this.#tell('transcription', { ...text, language: '' }),
    });
  }

  start(listener: CaptionListener): void {
    this.close();
    this.#listener = listener;
    this.#listen();
    const state: string = this.#room.state;
    if (state === 'connected') this.#joined();
    else listener.linkChanged({ kind: 'connecting' });
  }

  /** LiveKit's SDK connects again by itself. */
  retryNow(): void {
    this.#follower?.ask();
  }

  close(): void {
    this.#listener = SILENT;
    for (const stop of this.#stopListening.splice(0)) stop();
    this.#forgetRoom();
  }

  #listen(): void {
    const room = this.#room;
    const joined = (): void => this.#joined();
    const lost = (): void => this.#listener.linkChanged({ kind: 'lost' });
    const metadataChanged = (): void => this.#keys.refresh();
    const back = (): void => {
      // LiveKit may have begun the room anew.
      this.#keys.refresh();
      this.#listener.linkChanged({ kind: this.#road === undefined ? 'uncaptioned' : 'connected' });
      this.#follower?.ask();
    };
    const left = (): void => {
      this.#forgetRoom();
      // The SDK has given up, or was told to leave; the application may join again.
      this.#listener.linkChanged({ kind: 'refused', cause: 'room_left', reason: '' });
    };
    room.on('connected', joined).on('reconnected', back).on('disconnected', left);
    room.on('reconnecting', lost).on('signalReconnecting', lost);
    if (this.#options.keys === undefined) room.on('roomMetadataChanged', metadataChanged);
    this.#stopListening.push(() => {
      room.off('connected', joined).off('reconnected', back).off('disconnected', left);
      room.off('reconnecting', lost).off('signalReconnecting', lost);
      room.off('roomMetadataChanged', metadataChanged);
    });
    if (this.#reads('captions')) this.#listenToContract();
    if (this.#reads('legacy')) this.#listenToLegacyPackets();
  }

  #reads(road: LiveKitRoad): boolean {
    return this.#options.roads?.includes(road) ?? true;
  }

  #listenToContract(): void {
    const received = (
      ...[bytes, sender, , topic, encryptionType]: [
        Uint8Array,
        RemoteParticipant?,
        unknown?,
        string?,
        number?,
      ]
    ): void => {
      if (topic !== CAPTIONS_TOPIC) return;
      // Captioners are hidden or agents. LiveKit tells of others late, and of hidden ones never: their signature decides.
      if (sender !== undefined && !sender.isAgent) return;
      if (isRefusedUnencrypted(this.#room, encryptionType) && saysWords(bytes)) return;
      this.#verifier?.receive(bytes);
    };
    this.#room.on('dataReceived', received);
    this.#stopListening.push(() => this.#room.off('dataReceived', received));
  }

  #listenToLegacyPackets(): void {
    const transcribed = (segments: TranscriptionSegment[], participant?: { identity: string }): void => {
      // LiveKit's server forwards these packets from agents only; they are never encrypted.
      if (isRefusedUnencrypted(this.#room, undefined)) return;
      for (const { id, text, final, language } of segments)
        this.#tell('legacy', {
          segment: id,
          identity: participant?.identity ?? '',
          text,
          isFinal: final,
          language,
        });
    };
    this.#room.on('transcriptionReceived', transcribed);
    this.#stopListening.push(() => this.#room.off('transcriptionReceived', transcribed));
  }

  #joined(): void {
    this.#forgetRoom();
    const name = roomName(this.#room.name);
    for (const road of ['transcription', 'legacy'] as const)
      this.#texts.set(road, new TextSegments(name, (state) => this.#changed(road, state)));
    this.#listener.linkChanged({ kind: 'uncaptioned' });
    this.#keys.refresh();
    if (this.#reads('transcription')) this.#streams.start();
    this.#isWaiting = ROADS.filter((road) => this.#reads(road)).length > 1;
    if (this.#isWaiting) this.#waitTimer = setTimeout(() => this.#waitedEnough(), BETTER_ROAD_DEADLINE_MS);
    if (!this.#reads('captions')) return;
    const follower = new CaptionFollower({
      room: name,
      changed: (state) => {
        if (state.epochMs !== 0) this.#changed('captions', state);
      },
      ask: (bytes) => {
        // Without a connection it is asked again.
        this.#room.localParticipant
          .publishData(bytes, { reliable: true, topic: CAPTIONS_TOPIC })
          .catch(() => undefined);
      },
    });
    this.#follower = follower;
    this.#verifier = new MessageVerifier({
      isNews: (bytes) => follower.isNews(bytes),
      accept: (bytes) => follower.receive(bytes),
      refuse: (bytes) => {
        const isKeyless = this.#keys.keys.length === 0;
        if (isKeyless && this.#options.unverified === 'show') follower.receive(bytes);
        else this.#couldNotVerify();
      },
      dropped: () => follower.ask(),
    });
    follower.ask();
  }

  /** Says so where it stays like that, and no other road has captions. */
  #couldNotVerify(): void {
    this.#keys.needed();
    this.#unverifiedTimer ??= setTimeout(() => {
      this.#unverifiedTimer = undefined;
      if (this.#road === undefined) this.#listener.linkChanged({ kind: 'unverified', cause: this.#cause() });
    }, UNVERIFIED_AFTER_MS);
  }

  #cause(): UnverifiedCause {
    if (!canVerify()) return 'insecure_page';
    return this.#keys.keys.length === 0 ? 'no_key' : 'not_signed';
  }

  #tell(road: 'transcription' | 'legacy', text: StreamedText & { readonly language: string }): void {
    const name = this.#room.getParticipantByIdentity(text.identity)?.name ?? '';
    this.#texts.get(road)?.tell({ ...text, name });
  }

  #changed(road: LiveKitRoad, state: CaptionState): void {
    if (road === 'captions') this.#isWaiting = false;
    if (this.#isWaiting || this.#isWorse(road)) return;
    if (road !== this.#road) {
      this.#road = road;
      this.#listener.linkChanged({ kind: 'connected' });
      if (road === 'captions') this.#streams.stop();
      this.#options.roadChanged?.(road);
    }
    this.#listener.changed(state);
  }

  /** Than the one that is read. */
  #isWorse(road: LiveKitRoad): boolean {
    return this.#road !== undefined && ROADS.indexOf(road) > ROADS.indexOf(this.#road);
  }

  /** No gateway captions this room with our contract: what other agents have told by now is shown. */
  #waitedEnough(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    for (const [road, { state }] of this.#texts) if (state.seq > 0) this.#changed(road, state);
  }

  #forgetRoom(): void {
    clearTimeout(this.#waitTimer);
    clearTimeout(this.#unverifiedTimer);
    this.#unverifiedTimer = undefined;
    this.#streams.stop();
    this.#keys.close();
    this.#verifier?.close();
    this.#verifier = undefined;
    this.#follower?.close('The room was left.');
    this.#follower = undefined;
    for (const texts of this.#texts.values()) texts.close();
    this.#texts = new Map();
    this.#road = undefined;
  }
}

/** Whether a message puts words into anybody's mouth. What cannot be read is not let pass. */
function saysWords(bytes: Uint8Array): boolean {
  try {
    const message = decodeMessage(bytes);
    if (message?.kind === 'snapshot') return message.segments.length + message.gaps.length > 0;
    return message?.kind !== 'status';
  } catch {
    return true;
  }
}
