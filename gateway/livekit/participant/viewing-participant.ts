/** Somebody who reads along in a room of LiveKit, on all three roads that captions take. */
import { detached } from '../../../asr/detached.js';
import { RoomEvent } from '@livekit/rtc-node';
import {
  CaptionFollower,
  type CaptionMessage,
  CAPTIONS_TOPIC,
  type CaptionState,
  type ParticipantIdentity,
} from '../../../protocol/index.js';
import { VerifiedCaptions } from './verified-captions.js';
import { type JoinedRoom, type JoinOptions, joinRoom } from './joined-room.js';
import { listenToTranscriptions, type ReceivedTranscription } from './legacy-transcriptions.js';

/** Topic of LiveKit's own text streams of captions. */
const TRANSCRIPTION_TOPIC = 'lk.transcription';
/** Kept of each of the two LiveKit roads; above it the oldest go. */
const MAX_KEPT = 20_000;

export interface ReceivedTextStream {
  /** Whom the stream appears to come from; empty where LiveKit does not tell. */
  readonly speaker: string;
  readonly text: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Monotonic, when its last part was there. */
  readonly receivedAtMs: number;
}

export interface ViewOptions extends JoinOptions {
  /** Who is asked for snapshots. Default: everybody in the room; those who do not caption ignore it. */
  readonly captioner?: ParticipantIdentity | undefined;
  /** Tells the gateway what is shown, so that it can measure the way here. Default false. */
  readonly reports?: boolean | undefined;
  /**
   * What to do with captions that no gateway has signed. Default: they are refused. `show` is for captioners of tests, which do not
   * sign: then anybody in the room can write captions.
   */
  readonly unverified?: 'refuse' | 'show' | undefined;
  /** After each message of the contract that changed something. */
  readonly changed?: ((state: CaptionState, message: CaptionMessage) => void) | undefined;
  /** After each text stream. */
  readonly textStreamed?: ((stream: ReceivedTextStream) => void) | undefined;
  /** After each legacy packet. */
  readonly transcribed?: ((transcription: ReceivedTranscription) => void) | undefined;
}

export interface ViewingParticipant {
  readonly identity: ParticipantIdentity;
  /** What the contract's reducer shows. */
  readonly state: CaptionState;
  /** Messages that were left aside because no key of the room's had signed them. */
  readonly refused: number;
  /** Messages of the contract, sizes included, in order of arrival. */
  readonly received: { readonly messages: number; readonly bytes: number; readonly undecodable: number };
  /** Snapshots asked for. */
  readonly resyncs: number;
  /** Resolves when the first snapshot has been applied; rejects with CaptionError `connection_closed` when none ever will. */
  readonly ready: Promise<void>;
  /** In order of their ends. */
  readonly textStreams: readonly ReceivedTextStream[];
  readonly transcriptions: readonly ReceivedTranscription[];
  /** Resolves when it is out of the room, by `leave` or because the server said so. */
  readonly left: Promise<void>;
  /**
   * Asks for a snapshot and resolves when it is there: everything the room had said by now has been applied then. Rejects
   * with CaptionError `connection_closed` when none comes within the deadline (default 10 s), or the room is left.
   */
  settled(deadlineMs?: number): Promise<void>;
  /** Sends bytes on the topic of our contract, to everybody or to some: for tests of what others make of them. */
  sendCaptionData(bytes: Uint8Array, to?: readonly ParticipantIdentity[]): Promise<void>;
  /** Idempotent. */
  leave(): Promise<void>;
}

/** Joins and reads along. Whoever calls it calls `leave`. Throws what `joinRoom` throws. */
export async function joinAsViewer(options: ViewOptions): Promise<ViewingParticipant> {
  const textStreams: ReceivedTextStream[] = [];
  const transcriptions: ReceivedTranscription[] = [];
  let joined: JoinedRoom | undefined;
  let captions: VerifiedCaptions | undefined;
  let refused = 0;
  const send = async (bytes: Uint8Array, to: readonly ParticipantIdentity[] = []): Promise<void> => {
    await joined?.room.localParticipant?.publishData(bytes, {
      reliable: true,
      topic: CAPTIONS_TOPIC,
      destination_identities: [...to],
    });
  };
  const sendToCaptioner = (bytes: Uint8Array): void =>
    void send(bytes, options.captioner === undefined ? [] : [options.captioner]).catch(() => undefined);
  const follower = new CaptionFollower({
    room: options.room,
    changed: options.changed ?? (() => undefined),
    // Without a connection it is asked again.
    ask: sendToCaptioner,
    report: options.reports === true ? sendToCaptioner : undefined,
  });
  try {
    joined = await joinRoom({ ...options, autoSubscribe: false }, (room) => {
      captions = new VerifiedCaptions({
        room,
        name: options.room,
        apiSecret: options.server.apiSecret,
        unverified: options.unverified ?? 'refuse',
        received: (bytes) => follower.receive(bytes),
        refused: () => (refused += 1),
        missed: () => follower.ask(),
      });
      room.on(RoomEvent.Reconnected, () => follower.ask());
      room.registerTextStreamHandler(TRANSCRIPTION_TOPIC, (reader, { identity }) => {
        const read = async (): Promise<void> => {
          const text = await reader.readAll();
          const attributes = reader.info.attributes ?? {};
          const stream = { speaker: identity, text, attributes, receivedAtMs: performance.now() };
          keep(textStreams, stream);
          options.textStreamed?.(stream);
        };
        // One that breaks off was never a caption.
        read().catch(() => undefined);
      });
    });
  } catch (error) {
    follower.close('The room could not be joined.');
    throw error;
  }
  const { handle, left } = joined;
  const inRoom = joined;
  const stopListening = listenToTranscriptions(handle, (transcription) => {
    keep(transcriptions, transcription);
    options.transcribed?.(transcription);
  });
  await captions?.joined();
  detached(
    'leaving a room',
    left.then(() => {
      stopListening();
      captions?.close();
      follower.close('The participant left the room.');
    }),
  );
  follower.ask();
  return {
    identity: options.identity,
    get state() {
      return follower.state;
    },
    get received() {
      return follower.received;
    },
    get refused() {
      return refused;
    },
    get resyncs() {
      return follower.resyncs;
    },
    ready: follower.ready,
    textStreams,
    transcriptions,
    left,
    settled: (deadlineMs = 10_000) => follower.settled(deadlineMs),
    sendCaptionData: send,
    leave: () => inRoom.leave(),
  };
}

function keep<T>(kept: T[], added: T): void {
  kept.push(added);
  if (kept.length > MAX_KEPT) kept.shift();
}
