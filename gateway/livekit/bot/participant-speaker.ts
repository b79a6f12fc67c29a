import type { RemoteTrack } from '@livekit/rtc-node';
import { epochMs, type ParticipantIdentity, sampleIndex, type Speaker } from '../../../protocol/index.js';
import type { AsrEngine, AsrEvent } from '../../../asr/index.js';
import type { Logger } from '../../log.js';
import type { Room } from '../../rooms/room.js';
import { SpeakerPipeline } from '../../rooms/speaker-pipeline.js';
import { TrackAudio } from './track-audio.js';

/** Without sound for so long while the connection is lost, more than a breath is missing: that is reported. */
const MISSING_AFTER_MS = 2000;
/** The SDK notices that a server does not answer after three pings at the latest. Until then tracks give silence. */
const LOSS_NOTICED_WITHIN_MS = 20_000;
/** A muted track is read on for so long, so that what was said before the mute has arrived; then it costs nothing more. */
const MUTED_READ_MS = 1000;

export interface ParticipantSpeakerOptions {
  readonly room: Room;
  readonly engine: AsrEngine;
  readonly identity: ParticipantIdentity;
  readonly name: string;
  /** Tells the sound of a shared screen from its owner's voice. */
  readonly label?: string | undefined;
  readonly language: string;
  readonly vocabulary: readonly string[];
  readonly log: Logger;
  readonly observe: (event: AsrEvent) => void;
}

/**
 * One participant's voice, over however many tracks and connections it comes. `close` publishes the last final.
 * LiveKit gives frames no time stamp: positions count samples, and a pause between two tracks is none. What is said while the
 * connection to LiveKit is lost never arrives: it is a gap for everybody whose microphone was on.
 */
export class ParticipantSpeaker {
  readonly identity: ParticipantIdentity;
  readonly #options: ParticipantSpeakerOptions;
  readonly #pipeline: SpeakerPipeline;
  readonly #streamId: string;
  #name: string;
  #track: RemoteTrack | undefined;
  #trackSid: string | undefined;
  #audio: TrackAudio | undefined;
  #pushedSamples = 0;
  #muteTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  /** When there was sound last, by the room's clock. Tracks without packets give frames too, of zeros alone. */
  #soundAtMs: number | undefined;
  /** Since when there has been no sound because the connection was lost, by the room's clock; undefined while it is not lost. */
  #missingSinceMs: number | undefined;
  /** Since when there is no track, in monotonic milliseconds; undefined while there is one. */
  absentSinceMs: number | undefined;

  constructor(options: ParticipantSpeakerOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.#name = options.name;
    this.#streamId = `livekit:${options.identity}:${options.label ?? ''}`;
    const { room, engine, language, vocabulary, log, observe } = options;
    this.#pipeline = new SpeakerPipeline({
      room,
      engine,
      speaker: this.speaker,
      language,
      vocabulary,
      log,
      observe,
    });
    room.addSpeaker(this.#streamId);
  }

  get speaker(): Speaker {
    const { label } = this.#options;
    return { identity: this.identity, name: this.#name, ...(label === undefined ? {} : { label }) };
  }

  get isAttached(): boolean {
    return this.#track !== undefined;
  }

  /** From now on the voice comes from this track. */
  attach(track: RemoteTrack, state: { trackSid: string; isMuted: boolean }): void {
    if (this.#closing !== undefined) return;
    this.#stopReading();
    this.#track = track;
    this.#trackSid = state.trackSid;
    this.absentSinceMs = undefined;
    this.#tellSource();
    if (!state.isMuted) this.#startReading();
  }

  /** The track, or whichever there is, is gone. Another one may come. */
  detach(trackSid = this.#trackSid): void {
    if (this.#track === undefined || this.#trackSid !== trackSid) return;
    this.#stopReading();
    this.#track = undefined;
    this.#pipeline.pause();
    this.absentSinceMs = performance.now();
  }

  /** The connection to LiveKit is lost, and `connectionBack` has not been called. */
  get mayMiss(): boolean {
    return this.#missingSinceMs !== undefined;
  }

  connectionLost(): void {
    const isOn = this.#audio !== undefined && this.#muteTimer === undefined;
    if (!isOn || this.mayMiss) return;
    const nowMs = this.#options.room.clock.now();
    this.#missingSinceMs = Math.max(this.#soundAtMs ?? nowMs, nowMs - LOSS_NOTICED_WITHIN_MS);
  }

  connectionBack(): void {
    this.#reportMissing();
    this.#missingSinceMs = undefined;
  }

  mute(trackSid: string): void {
    if (this.#trackSid !== trackSid) return;
    this.#muteTimer ??= setTimeout(() => {
      this.#stopReading();
      this.#pipeline.pause();
    }, MUTED_READ_MS);
  }

  unmute(trackSid: string): void {
    if (this.#trackSid !== trackSid) return;
    clearTimeout(this.#muteTimer);
    this.#muteTimer = undefined;
    if (this.#audio === undefined) this.#startReading();
  }

  rename(name: string): void {
    this.#name = name;
    this.#tellSource();
  }

  setVocabulary(vocabulary: readonly string[]): void {
    this.#pipeline.setVocabulary(vocabulary);
  }

  /** Finishes what is being said; resolves when its final has been published. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  /** Ends at once; what is open is lost. */
  destroy(): void {
    this.#closing ??= Promise.resolve();
    this.#stopReading();
    this.#pipeline.destroy();
    this.#options.room.removeSpeaker(this.#streamId);
  }

  async #finish(): Promise<void> {
    this.#stopReading();
    try {
      await this.#pipeline.close();
    } finally {
      this.#options.room.removeSpeaker(this.#streamId);
    }
  }

  #tellSource(): void {
    const trackSid = this.#trackSid;
    this.#pipeline.setSource({ speaker: this.speaker, ...(trackSid === undefined ? {} : { trackSid }) });
  }

  #startReading(): void {
    if (this.#track === undefined) return;
    this.#audio = new TrackAudio(this.#track, (pcm) => this.#heard(pcm));
  }

  #stopReading(): void {
    clearTimeout(this.#muteTimer);
    this.#muteTimer = undefined;
    this.#audio?.close();
    this.#audio = undefined;
  }

  #heard(pcm: Int16Array): void {
    if (this.#closing !== undefined || pcm.length === 0) return;
    if (pcm.some((sample) => sample !== 0)) this.#soundHeard();
    this.#pipeline.push(pcm, sampleIndex(this.#pushedSamples));
    this.#pushedSamples += pcm.length;
  }

  #soundHeard(): void {
    const nowMs = this.#options.room.clock.now();
    this.#soundAtMs = nowMs;
    if (!this.mayMiss) return;
    // The media came through, or came back before the rest of the connection did.
    this.#reportMissing();
    this.#missingSinceMs = nowMs;
  }

  /** Up to now, where it is more than a breath. */
  #reportMissing(): void {
    const startMs = this.#missingSinceMs;
    const endMs = this.#options.room.clock.now();
    if (startMs === undefined || endMs - startMs < MISSING_AFTER_MS) return;
    this.#pipeline.pause();
    this.#pipeline.publishMissing({
      startMs: epochMs(Math.round(startMs)),
      endMs: epochMs(Math.round(endMs)),
    });
  }
}
