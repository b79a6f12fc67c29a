import {
  type RemoteParticipant,
  type RemoteTrack,
  type RemoteTrackPublication,
  TrackKind,
  TrackSource,
} from '@livekit/rtc-node';
import { shownName } from '../../../protocol/index.js';
import { isHuman } from './participant-kinds.js';
import { ParticipantSpeaker, type ParticipantSpeakerOptions } from './participant-speaker.js';
import { identityOf, isEncryptedTrack } from './rtc-room.js';
import { detached } from '../../../asr/detached.js';

/** A speaker without a track for so long is finished: by then it is another one who comes. */
const ABSENCE_LIMIT_MS = 30_000;
const SWEEP_INTERVAL_MS = 1000;
const SCREEN_LABEL = 'screen';
/** Of one kind of one participant: the one that is replaced and the one that replaces it. */
const MAX_TRACKS = 2;

export interface RoomSpeakersOptions extends Pick<
  ParticipantSpeakerOptions,
  'room' | 'engine' | 'language' | 'log' | 'observe'
> {
  readonly vocabulary: readonly string[];
  readonly captionsScreenShareAudio: boolean;
  /** A track that cannot be heard without a key. */
  readonly encryptedTrackFound: () => void;
  /** Somebody is heard for the first time. */
  readonly speakerAdded: (speaker: ParticipantSpeaker) => void;
}

/**
 * Who is captioned in one room: one speaker for each participant's microphone (and shared screen, if wanted), kept by
 * identity, so that a reconnect, a new track or a new connection of ours goes on with the same one.
 */
export class RoomSpeakers {
  readonly #options: RoomSpeakersOptions;
  readonly #speakers = new Map<string, ParticipantSpeaker>();
  readonly #sweepTimer: NodeJS.Timeout;
  #vocabulary: readonly string[];
  /** Tracks that were subscribed to, and their labels. */
  readonly #askedFor = new WeakMap<RemoteTrackPublication, string>();
  /** Whether tracks that are encrypted can be heard. */
  hasKey = false;

  constructor(options: RoomSpeakersOptions) {
    this.#options = options;
    this.#vocabulary = options.vocabulary;
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    this.#sweepTimer.unref();
  }

  get count(): number {
    let count = 0;
    for (const speaker of this.#speakers.values()) if (speaker.isAttached) count += 1;
    return count;
  }

  /** Asks for the track if it is one to caption. */
  published(publication: RemoteTrackPublication, participant: RemoteParticipant): void {
    const label = this.#labelOf(publication, participant);
    if (label === undefined) return;
    if (isEncryptedTrack(publication) && !this.hasKey) {
      this.#options.encryptedTrackFound();
      return;
    }
    if (!this.#askedFor.has(publication) && this.#tracksAskedFor(participant, label) >= MAX_TRACKS) {
      this.#options.log.debug({ trackSid: publication.sid }, 'one track too many of a participant');
      return;
    }
    this.#askedFor.set(publication, label);
    publication.setSubscribed(true);
  }

  #tracksAskedFor(participant: RemoteParticipant, label: string): number {
    let count = 0;
    for (const publication of participant.trackPublications.values())
      if (this.#askedFor.get(publication) === label) count += 1;
    return count;
  }

  subscribed(subscription: {
    track: RemoteTrack;
    publication: RemoteTrackPublication;
    participant: RemoteParticipant;
  }): void {
    const { track, publication, participant } = subscription;
    const label = this.#labelOf(publication, participant);
    if (label === undefined || publication.sid === undefined) return;
    const speaker = this.#speakerOf(participant, label);
    // Somebody who is back may have another name.
    speaker.rename(nameOf(participant));
    speaker.attach(track, {
      trackSid: publication.sid,
      isMuted: publication.muted === true,
    });
  }

  gone(publication: RemoteTrackPublication, identity: string): void {
    this.#askedFor.delete(publication);
    this.#each(identity, (speaker) => speaker.detach(publication.sid ?? ''));
  }

  /** What is said from now on may not arrive. */
  connectionLost(): void {
    for (const speaker of this.#speakers.values()) speaker.connectionLost();
  }

  /** The connection is lost for good, and all tracks with it: another connection follows. */
  connectionEnded(): void {
    this.connectionLost();
    for (const speaker of this.#speakers.values()) speaker.detach();
  }

  connectionBack(): void {
    for (const speaker of this.#speakers.values()) speaker.connectionBack();
  }

  muted(trackSid: string, identity: string): void {
    this.#each(identity, (speaker) => speaker.mute(trackSid));
  }

  unmuted(trackSid: string, identity: string): void {
    this.#each(identity, (speaker) => speaker.unmute(trackSid));
  }

  left(participant: RemoteParticipant): void {
    for (const publication of participant.trackPublications.values())
      this.gone(publication, participant.identity);
  }

  renamed(participant: RemoteParticipant): void {
    this.#each(participant.identity, (speaker) => speaker.rename(nameOf(participant)));
  }

  setVocabulary(vocabulary: readonly string[]): void {
    this.#vocabulary = vocabulary;
    for (const speaker of this.#speakers.values()) speaker.setVocabulary(vocabulary);
  }

  /** Finishes everybody; resolves when the last final has been published. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#sweepTimer);
    await Promise.all([...this.#speakers.values()].map((speaker) => speaker.close()));
  }

  /** Ends at once; what is open is lost. */
  destroy(): void {
    clearInterval(this.#sweepTimer);
    for (const speaker of this.#speakers.values()) speaker.destroy();
    this.#speakers.clear();
  }

  /** Empty for a voice, undefined for what is not captioned. */
  #labelOf(publication: RemoteTrackPublication, participant: RemoteParticipant): string | undefined {
    if (publication.kind !== TrackKind.KIND_AUDIO || !isHuman(participant)) return undefined;
    // Telephones and connectors publish without naming a source.
    const isVoice =
      publication.source === TrackSource.SOURCE_MICROPHONE ||
      publication.source === TrackSource.SOURCE_UNKNOWN;
    if (isVoice) return '';
    const isScreen = publication.source === TrackSource.SOURCE_SCREENSHARE_AUDIO;
    return isScreen && this.#options.captionsScreenShareAudio ? SCREEN_LABEL : undefined;
  }

  #speakerOf(participant: RemoteParticipant, label: string): ParticipantSpeaker {
    const key = `${label}/${participant.identity}`;
    const known = this.#speakers.get(key);
    if (known !== undefined) return known;
    const { room, engine, language, log, observe } = this.#options;
    const speaker = new ParticipantSpeaker({
      room,
      engine,
      language,
      log,
      observe,
      vocabulary: this.#vocabulary,
      identity: identityOf(participant),
      name: nameOf(participant),
      label: label === '' ? undefined : label,
    });
    this.#speakers.set(key, speaker);
    this.#options.speakerAdded(speaker);
    return speaker;
  }

  #each(identity: string, action: (speaker: ParticipantSpeaker) => void): void {
    for (const speaker of this.#speakers.values()) if (speaker.identity === identity) action(speaker);
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const [key, speaker] of this.#speakers) {
      // What is missing is reported when the connection is back.
      if (speaker.mayMiss || nowMs - (speaker.absentSinceMs ?? nowMs) < ABSENCE_LIMIT_MS) continue;
      this.#speakers.delete(key);
      detached('end of a speaker', speaker.close());
    }
  }
}

const nameOf = ({ name, identity }: RemoteParticipant): string => shownName(name ?? '', identity);
