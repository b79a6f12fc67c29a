/** Somebody who talks in a room of LiveKit: speech from memory, published as a browser publishes a microphone. */
import {
  AudioFrame,
  AudioSource,
  LocalAudioTrack,
  type LocalParticipant,
  type LocalTrackPublication,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import {
  type ParticipantIdentity,
  SAMPLE_RATE_HZ,
  msToSamples,
  samplesToMs,
} from '../../../protocol/index.js';
import { connectError } from '../bot/connect-error.js';
import { type JoinedRoom, type JoinOptions, joinRoom } from './joined-room.js';
import { setTrackMuted } from '../sdk-internals.js';
import { detached } from '../../../asr/detached.js';

/** What the SDK holds beyond what was sent: more is latency, less are gaps when the event loop is late. */
const SOURCE_QUEUE_MS = 100;
/** The SDK takes no frame longer than its queue. */
const MAX_FRAME_SAMPLES = msToSamples(SOURCE_QUEUE_MS);
/** Above so much audio that was written and not yet taken the newest is dropped, as by a microphone nobody reads. */
const DEFAULT_MAX_PENDING_MS = 2000;

export type PublishedSource = 'microphone' | 'screen_share_audio';

const TRACK_SOURCES: Readonly<Record<PublishedSource, TrackSource>> = {
  microphone: TrackSource.SOURCE_MICROPHONE,
  screen_share_audio: TrackSource.SOURCE_SCREENSHARE_AUDIO,
};

export interface PublishOptions extends JoinOptions {
  /** Default `microphone`. */
  readonly source?: PublishedSource | undefined;
  /** Audio that may wait to be sent, above which the newest is dropped. Default 2 s: a microphone does not wait. */
  readonly maxPendingMs?: number | undefined;
  /** Begins muted. Default false. */
  readonly muted?: boolean | undefined;
}

export interface PublishingParticipant {
  readonly identity: ParticipantIdentity;
  /** Of the track that is published now. */
  readonly trackSid: string | undefined;
  /** Samples that were dropped because they came faster than they could be sent. */
  readonly droppedSamples: number;
  /** Resolves when it is out of the room, by `leave` or because the server said so. */
  readonly left: Promise<void>;
  /**
   * Says PCM16, 16 kHz, mono; the caller paces it. Resolves when the SDK has taken it. Nobody hears what is written while
   * muted, unpublished, abandoned or out of the room. Never rejects.
   */
  write(pcm: Int16Array): Promise<void>;
  mute(): void;
  unmute(): void;
  /** The track goes, the participant stays. Nothing happens without a track, or out of the room. */
  unpublish(): Promise<void>;
  /** A track anew, with a sid of its own. Nothing happens while there is one, or out of the room. */
  publish(): Promise<void>;
  /** Falls silent without muting, unpublishing or leaving, as a machine that freezes. `leave` still works. */
  abandon(): void;
  /** Idempotent. */
  leave(): Promise<void>;
}

/** Joins and publishes. Whoever calls it calls `leave`. Throws what `joinRoom` throws. */
export async function joinAsPublisher(options: PublishOptions): Promise<PublishingParticipant> {
  const joined = await joinRoom({ ...options, autoSubscribe: false }, () => undefined);
  const participant = new Publisher(joined, options);
  try {
    await participant.publish();
    if (options.muted === true) participant.mute();
    return participant;
  } catch (error) {
    await participant.leave();
    options.signal?.throwIfAborted();
    throw connectError(options.server.url, error);
  }
}

class Publisher implements PublishingParticipant {
  readonly identity: ParticipantIdentity;
  readonly #joined: JoinedRoom;
  readonly #source: PublishedSource;
  readonly #maxPendingMs: number;
  readonly #audio = new AudioSource(SAMPLE_RATE_HZ, 1, SOURCE_QUEUE_MS);
  #track: LocalAudioTrack | undefined;
  #publication: LocalTrackPublication | undefined;
  #isAbandoned = false;
  #droppedSamples = 0;
  #pendingSamples = 0;
  #lastWrite: Promise<void> = Promise.resolve();
  #leaving: Promise<void> | undefined;

  constructor(joined: JoinedRoom, options: PublishOptions) {
    this.identity = options.identity;
    this.#joined = joined;
    this.#source = options.source ?? 'microphone';
    this.#maxPendingMs = options.maxPendingMs ?? DEFAULT_MAX_PENDING_MS;
    // Also when the server ended it: the source holds native memory.
    detached(
      'leaving a room',
      joined.left.then(() => this.leave()),
    );
  }

  get trackSid(): string | undefined {
    return this.#publication?.sid;
  }

  get droppedSamples(): number {
    return this.#droppedSamples;
  }

  get left(): Promise<void> {
    return this.#joined.left;
  }

  write(pcm: Int16Array): Promise<void> {
    if (this.#isAbandoned || this.#leaving !== undefined || this.#track === undefined)
      return Promise.resolve();
    if (samplesToMs(this.#pendingSamples) > this.#maxPendingMs) {
      this.#droppedSamples += pcm.length;
      return this.#lastWrite;
    }
    this.#pendingSamples += pcm.length;
    // One after the other: the SDK promises no order to frames that wait together.
    this.#lastWrite = this.#lastWrite
      .then(() => this.#capture(pcm))
      // The source was closed meanwhile, or the room is gone: nobody hears it.
      .catch(() => undefined)
      .finally(() => (this.#pendingSamples -= pcm.length));
    return this.#lastWrite;
  }

  mute(): void {
    this.#setMuted(true);
  }

  unmute(): void {
    this.#setMuted(false);
  }

  async unpublish(): Promise<void> {
    const { trackSid } = this;
    const track = this.#track;
    this.#publication = undefined;
    this.#track = undefined;
    if (trackSid === undefined) return;
    await this.#inRoom((local) => local.unpublishTrack(trackSid, false));
    await track?.close(false);
  }

  async publish(): Promise<void> {
    if (this.#track !== undefined) return;
    await this.#inRoom(async (local) => {
      const track = LocalAudioTrack.createAudioTrack(this.#source, this.#audio);
      this.#track = track;
      // DTX and RED stay at their defaults, on, as in browsers.
      const options = new TrackPublishOptions({ source: TRACK_SOURCES[this.#source] });
      this.#publication = await local.publishTrack(track, options);
    });
  }

  abandon(): void {
    this.#isAbandoned = true;
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #capture(pcm: Int16Array): Promise<void> {
    for (let first = 0; first < pcm.length; first += MAX_FRAME_SAMPLES) {
      // A copy: the SDK sends the whole buffer that an array is a part of.
      const frame = pcm.slice(first, first + MAX_FRAME_SAMPLES);
      await this.#audio.captureFrame(new AudioFrame(frame, SAMPLE_RATE_HZ, 1, frame.length));
    }
  }

  #setMuted(mute: boolean): void {
    const trackHandle = this.#track?.ffi_handle.handle;
    if (trackHandle === undefined) return;
    setTrackMuted(trackHandle, mute);
  }

  /** What is under way when the room is left rejects in the SDK: nobody is there any more to see it done. */
  async #inRoom(action: (local: LocalParticipant) => Promise<void>): Promise<void> {
    const local = this.#joined.room.localParticipant;
    if (this.#leaving !== undefined || local === undefined) return;
    try {
      await action(local);
    } catch (error) {
      if (this.#joined.room.isConnected) throw error;
    }
  }

  async #leave(): Promise<void> {
    await this.#joined.leave();
    await this.#audio.close();
    await this.#track?.close(false);
    this.#track = undefined;
  }
}
