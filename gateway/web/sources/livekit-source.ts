/**
 * Captions in a LiveKit room, read with the application's own `Room`: our contract on the data channel; where nobody speaks it,
 * the text streams of LiveKit's agents; where there are none, legacy packets. What a better road has begun to tell is told by no
 * other one, so that nothing is shown twice. Of livekit-client only types are used: the application brings it.
 */
import type { RemoteParticipant, Room, TextStreamReader, TranscriptionSegment } from 'livekit-client';
import { CaptionFollower, CAPTIONS_TOPIC, type CaptionState, roomName } from '../../../protocol/index.js';
import type { CaptionListener, CaptionSource } from './caption-source.js';
import { TextSegments } from './text-segments.js';

const TRANSCRIPTION_TOPIC = 'lk.transcription';
/** A gateway answers at once; what other roads told meanwhile is shown when it has not. */
const BETTER_ROAD_DEADLINE_MS = 2000;

/** From the best one to the worst. */
export type LiveKitRoad = 'captions' | 'transcription' | 'legacy';
const ROADS: readonly LiveKitRoad[] = ['captions', 'transcription', 'legacy'];

export interface LiveKitSourceOptions {
  /**
   * Roads that may be read; default all. An application that reads `lk.transcription` itself leaves it out: LiveKit hands a text
   * stream to one reader.
   */
  readonly roads?: readonly LiveKitRoad[];
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
  #follower: CaptionFollower | undefined;
  #texts = new Map<LiveKitRoad, TextSegments>();
  #isWaiting = true;
  #waitTimer: ReturnType<typeof setTimeout> | undefined;
  #stopListening: (() => void)[] = [];

  constructor(room: Room, options: LiveKitSourceOptions = {}) {
    this.#room = room;
    this.#options = options;
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
    const back = (): void => {
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
    this.#stopListening.push(() => {
      room.off('connected', joined).off('reconnected', back).off('disconnected', left);
      room.off('reconnecting', lost).off('signalReconnecting', lost);
    });
    if (this.#reads('captions')) this.#listenToContract();
    if (this.#reads('transcription')) this.#listenToTextStreams();
    if (this.#reads('legacy')) this.#listenToLegacyPackets();
  }

  #reads(road: LiveKitRoad): boolean {
    return this.#options.roads?.includes(road) ?? true;
  }

  #listenToContract(): void {
    const received = (
      ...[bytes, sender, , topic]: [Uint8Array, RemoteParticipant?, unknown?, string?]
    ): void => {
      // Captioners are hidden or agents: what other people send in their place is none of theirs.
      if (topic === CAPTIONS_TOPIC && (sender === undefined || sender.isAgent))
        this.#follower?.receive(bytes);
    };
    this.#room.on('dataReceived', received);
    this.#stopListening.push(() => this.#room.off('dataReceived', received));
  }

  #listenToTextStreams(): void {
    try {
      this.#room.registerTextStreamHandler(TRANSCRIPTION_TOPIC, (reader, { identity }) => {
        // One that breaks off was never a caption.
        this.#readStream(reader, identity).catch(() => undefined);
      });
    } catch {
      // The application reads them itself, and LiveKit gives each to one reader: the other roads are left.
      return;
    }
    this.#stopListening.push(() => this.#room.unregisterTextStreamHandler(TRANSCRIPTION_TOPIC));
  }

  /** Agents write a segment as one stream while it is spoken, or as a stream for each of its states. */
  async #readStream(reader: TextStreamReader, identity: string): Promise<void> {
    const segment = reader.info.attributes?.['lk.segment_id'] ?? reader.info.id;
    const tell = (text: string, isFinal: boolean): void =>
      this.#tell('transcription', { segment, identity, text, isFinal, language: '' });
    let text = '';
    for await (const part of reader) {
      text += part;
      tell(text, false);
    }
    // The end of a stream may say more than its beginning.
    if (reader.info.attributes?.['lk.transcription_final'] === 'true') tell(text, true);
  }

  #listenToLegacyPackets(): void {
    const transcribed = (segments: TranscriptionSegment[], participant?: { identity: string }): void => {
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
    this.#isWaiting = ROADS.filter((road) => this.#reads(road)).length > 1;
    if (this.#isWaiting) this.#waitTimer = setTimeout(() => this.#waitedEnough(), BETTER_ROAD_DEADLINE_MS);
    if (!this.#reads('captions')) return;
    this.#follower = new CaptionFollower({
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
    this.#follower.ask();
  }

  #tell(
    road: 'transcription' | 'legacy',
    text: { segment: string; identity: string; text: string; isFinal: boolean; language: string },
  ): void {
    const name = this.#room.getParticipantByIdentity(text.identity)?.name ?? '';
    this.#texts.get(road)?.tell({ ...text, name });
  }

  #changed(road: LiveKitRoad, state: CaptionState): void {
    if (road === 'captions') this.#isWaiting = false;
    if (this.#isWaiting || this.#isWorse(road)) return;
    if (road !== this.#road) {
      this.#road = road;
      this.#listener.linkChanged({ kind: 'connected' });
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
    this.#follower?.close('The room was left.');
    this.#follower = undefined;
    for (const texts of this.#texts.values()) texts.close();
    this.#texts = new Map();
    this.#road = undefined;
  }
}
