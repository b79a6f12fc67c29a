/**
 * One room of LiveKit being captioned, from the first connection to the end:
 *
 *   connecting ──► live ──(everybody left, removed, superseded, room closed, stopped)──► finishing ──► ended
 *       ▲  │        │ ▲
 *       │  └─(failed for good)──────────────────────────────────────────────────────────────────────► ended
 *       └──(lost; encrypted tracks found)──┘ └── the SDK's own resume and reconnect stay within `live`
 *
 * Speakers, their captions and the roads outlive connections: what is said goes on, what is told waits.
 */
import type { RemoteParticipant } from '@livekit/rtc-node';
import {
  CaptionError,
  CAPTIONS_TOPIC,
  epochMs,
  errorMessage,
  type RoomName,
} from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import { machineClockMs } from '../../clock.js';
import { pause } from '../../pause.js';
import type { Room } from '../../rooms/room.js';
import { speakerKey } from '../../transcript/transcript-entry.js';
import { VocabularyChanges } from '../../rooms/vocabulary-changes.js';
import type { Captioner, CaptionerRequest } from '../captioner.js';
import { type CaptionerEnd, failedWith } from '../captioner-end.js';
import type { CaptionRoads } from '../roads/caption-roads.js';
import { PROBE_TOPIC } from '../healing/probe.js';
import { isSigned, type RoomSettings } from '../room-settings.js';
import type { RoomKeyRing } from '../signing/room-key-ring.js';
import type { CaptionerHost } from './captioner-host.js';
import { type ConnectionEnd, ConnectionWatch } from './connection-watch.js';
import { meaningOf } from './disconnect-reasons.js';
import { isHuman, isReader } from './participant-kinds.js';
import type { ParticipantSpeaker } from './participant-speaker.js';
import { languageOf } from './room-language.js';
import { RoomRights } from './room-rights.js';
import { RoomSpeakers } from './room-speakers.js';
import { identityOf, RtcRoom, type RtcRoomListener } from './rtc-room.js';
import { SwitchedOutlet } from './switched-outlet.js';

import { detached } from '../../../asr/detached.js';

/** Holds the room open while there are no speakers. */
const CAPTIONER_PLACE = 'livekit:captioner';

export class RoomCaptioner implements Captioner {
  readonly room: RoomName;
  readonly ended: Promise<CaptionerEnd>;
  readonly #request: CaptionerRequest;
  readonly #host: CaptionerHost;
  readonly #log: Logger;
  readonly #keys: RoomKeyRing;
  readonly #rights: RoomRights;
  readonly #outlet: SwitchedOutlet;
  readonly #stopping = new AbortController();
  readonly #startedAtMs = machineClockMs();
  #speakers: RoomSpeakers | undefined;
  #vocabulary: VocabularyChanges | undefined;
  #roads: CaptionRoads | undefined;
  #endConnection: ((end: ConnectionEnd) => void) | undefined;
  #encryptionKey: string | undefined;
  #isFetchingKey = false;
  #hasJoined = false;
  /** Who was there when this captioner came: only they may have spoken before. */
  readonly #found = new Set<string>();
  /** Whose gap has been published: somebody who is away for long is another speaker afterwards. */
  readonly #told = new Set<string>();
  #finishBy = Infinity;

  constructor(request: CaptionerRequest, host: CaptionerHost) {
    this.room = request.room;
    this.#request = request;
    this.#host = host;
    this.#log = host.log.child({ room: request.room });
    this.#keys = host.createKeys(request.room, () => this.#roads?.reconnected());
    this.#outlet = new SwitchedOutlet({
      keys: this.#keys,
      listParticipants: () => host.listParticipants(request.room),
    });
    this.#rights = new RoomRights(request.room, host.access);
    this.ended = this.#run();
  }

  get isConnected(): boolean {
    return this.#outlet.isConnected;
  }

  get speakerCount(): number {
    return this.#speakers?.count ?? 0;
  }

  async stop({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    this.#finishBy = Math.min(this.#finishBy, performance.now() + deadlineMs);
    this.#stopping.abort(new CaptionError('shutting_down', 'The captioner was stopped.'));
    this.#endConnection?.({ kind: 'stopped' });
    await this.ended;
  }

  async #run(): Promise<CaptionerEnd> {
    let end: CaptionerEnd;
    try {
      end = await this.#caption(this.#host.rooms.enter(this.room));
    } catch (error) {
      end = this.#stopping.signal.aborted ? { kind: 'stopped' } : failedWith(error);
    }
    // Who waits still, for a key, need not.
    this.#stopping.abort(new CaptionError('shutting_down', 'The captioner has ended.'));
    if (end.kind === 'failed')
      this.#log.warn({ code: end.error.code, error: end.error.message }, 'room cannot be captioned');
    else this.#log.info({ end: end.kind }, 'left the room');
    this.#host.observer.ended(end);
    return end;
  }

  /** Connects again and again until there is an end. Throws what makes a connection impossible. */
  async #caption(room: Room): Promise<CaptionerEnd> {
    let rtc: RtcRoom | undefined;
    // A room without anybody does not stay, and connecting takes its time.
    room.addSpeaker(CAPTIONER_PLACE);
    try {
      for (;;) {
        rtc = await this.#connect();
        const end = await this.#live(rtc, room);
        if (end.kind === 'rejoin') {
          this.#leaveBehind(rtc);
          await rtc.close();
          this.#log.info({ isUrgent: end.isUrgent }, 'connecting to the room again');
          continue;
        }
        if (end.kind === 'removed') this.#host.observer.removed();
        await this.#finish(end, room);
        return end;
      }
    } finally {
      this.#outlet.end();
      this.#keys.close();
      this.#vocabulary?.close();
      this.#speakers?.destroy();
      if (this.#roads !== undefined) {
        room.removeViewer(this.#roads);
        this.#roads.close();
      }
      room.removeSpeaker(CAPTIONER_PLACE);
      await rtc?.close();
    }
  }

  /** Whoever is there again with the next connection is met anew; the others are awaited. */
  #leaveBehind(rtc: RtcRoom): void {
    this.#speakers?.connectionEnded();
    for (const participant of rtc.participants.filter(isHuman))
      this.#roads?.participantLeft(identityOf(participant));
  }

  /** Until it succeeds, is refused for good, is stopped, or has taken too long. */
  async #connect(): Promise<RtcRoom> {
    const { timing, mintToken, asksIceServers } = this.#host;
    const signal = this.#stopping.signal;
    const givesUpAtMs = performance.now() + timing.giveUpMs;
    for (let waitMs = timing.retryMs; ; waitMs = Math.min(waitMs * 2, timing.maxRetryMs)) {
      try {
        const token = this.#hasJoined ? await mintToken(this.room) : this.#request.token;
        return await RtcRoom.connect({
          url: this.#request.url,
          token,
          encryptionKey: this.#encryptionKey,
          asksIceServers,
          signal,
        });
      } catch (error) {
        const isHopeless =
          !(error instanceof CaptionError && error.retryable) || performance.now() > givesUpAtMs;
        if (isHopeless) throw error;
        this.#log.debug({ error: errorMessage(error) }, 'room not reached yet');
        await pause(waitMs * (0.5 + Math.random()), signal);
        signal.throwIfAborted();
      }
    }
  }

  /** One connection, from its first moment until something ends it. */
  async #live(rtc: RtcRoom, room: Room): Promise<ConnectionEnd> {
    const { observer, timing } = this.#host;
    const connectionEnd = new Promise<ConnectionEnd>((resolve) => (this.#endConnection = resolve));
    if (this.#stopping.signal.aborted) return { kind: 'stopped' };
    const settings = this.#readSettings(rtc.metadata, room);
    this.#speakers ??= this.#createSpeakers(settings, room);
    this.#speakers.hasKey = rtc.hasKey;
    const watch = new ConnectionWatch({ rtc, timing, end: (end) => this.#endConnection?.(end) });
    if (isSigned(settings)) this.#keys.connected(rtc.sid);
    rtc.listen(this.#listener({ rtc, room, settings, watch }));
    this.#outlet.connect(rtc);
    if (this.#hasJoined) observer.reconnected();
    else observer.joined();
    this.#log.info({ isFirst: !this.#hasJoined, isEncrypted: rtc.isEncrypted }, 'joined the room');
    this.#openRoads({ settings, room, rtc });
    if (!this.#hasJoined) for (const { identity } of rtc.participants) this.#found.add(identity);
    this.#hasJoined = true;
    this.#speakers.connectionBack();
    for (const participant of rtc.participants) {
      this.#rights.present(participant);
      this.#subscribeTo(participant);
    }
    watch.connected();
    const end = await connectionEnd;
    watch.close();
    this.#endConnection = undefined;
    return end;
  }

  #subscribeTo(participant: RemoteParticipant): void {
    for (const publication of participant.trackPublications.values())
      this.#speakers?.published(publication, participant);
  }

  #listener(connection: {
    rtc: RtcRoom;
    room: Room;
    settings: RoomSettings;
    watch: ConnectionWatch;
  }): RtcRoomListener {
    const { rtc, room, settings, watch } = connection;
    const speakers = (): RoomSpeakers | undefined => this.#speakers;
    return {
      participantJoined: (participant) => {
        this.#rights.present(participant);
        watch.peopleChanged();
        if (isReader(participant)) this.#roads?.participantJoined(identityOf(participant));
        this.#subscribeTo(participant);
      },
      participantLeft: (participant) => {
        this.#rights.left(participant);
        speakers()?.left(participant);
        if (isHuman(participant)) this.#roads?.participantLeft(identityOf(participant));
        watch.peopleChanged();
      },
      participantRenamed: (participant) => speakers()?.renamed(participant),
      permissionsChanged: (participant) => {
        this.#rights.present(participant);
        if (isReader(participant)) this.#roads?.participantJoined(identityOf(participant));
        else if (isHuman(participant)) this.#roads?.participantLeft(identityOf(participant));
      },
      trackPublished: (publication, participant) => speakers()?.published(publication, participant),
      trackUnpublished: (publication, participant) => {
        speakers()?.gone(publication, participant.identity);
        // One that was too many may be heard now.
        this.#subscribeTo(participant);
      },
      trackSubscribed: (track, publication, participant) =>
        speakers()?.subscribed({ track, publication, participant }),
      trackUnsubscribed: (publication, participant) => speakers()?.gone(publication, participant.identity),
      trackMuted: (trackSid, identity) => speakers()?.muted(trackSid, identity),
      trackUnmuted: (trackSid, identity) => speakers()?.unmuted(trackSid, identity),
      dataReceived: (topic, bytes, from) => {
        if (topic === PROBE_TOPIC) this.#host.probed(this.room, bytes);
        if (topic === CAPTIONS_TOPIC)
          this.#roads?.received(from === undefined ? undefined : identityOf(from), bytes);
      },
      roomMetadataChanged: (metadata) => {
        if (isSigned(settings)) this.#keys.metadataChanged(metadata);
        this.#vocabulary?.offer(this.#readSettings(metadata, room).vocabulary);
      },
      reconnecting: () => {
        this.#log.info('connection to the room lost');
        speakers()?.connectionLost();
        watch.lost();
      },
      reconnected: () => {
        this.#host.observer.reconnected();
        this.#outlet.connect(rtc);
        // Perhaps to a server that began the room anew.
        if (isSigned(settings)) this.#keys.connected('');
        this.#roads?.reconnected();
        speakers()?.connectionBack();
        // What was asked for before the connection was mended did not reach the server.
        for (const participant of rtc.participants) this.#subscribeTo(participant);
        watch.connected();
      },
      disconnected: (reason) => {
        this.#rights.disconnected(reason);
        const meaning = meaningOf(reason);
        this.#endConnection?.(meaning === 'rejoin' ? { kind: 'rejoin', isUrgent: false } : meaning);
      },
    };
  }

  /** The roads outlive connections; a new connection is told everything. */
  #openRoads({ settings, room, rtc }: { settings: RoomSettings; room: Room; rtc: RtcRoom }): void {
    if (this.#roads !== undefined) {
      for (const participant of rtc.participants.filter(isReader))
        this.#roads.participantJoined(identityOf(participant));
      this.#roads.reconnected();
      return;
    }
    this.#roads = this.#host.createRoads({ outlet: this.#outlet, room, settings, log: this.#log });
    for (const participant of rtc.participants.filter(isHuman))
      this.#roads.participantPresent(identityOf(participant));
    room.addViewer(this.#roads);
  }

  #createSpeakers(settings: RoomSettings, room: Room): RoomSpeakers {
    const { engine, observeAsr } = this.#host;
    this.#vocabulary = new VocabularyChanges(settings.vocabulary, (changed) => {
      this.#speakers?.setVocabulary(changed);
      detached('captioner of a room', this.#logUnfavoured(changed));
    });
    detached('captioner of a room', this.#logUnfavoured(settings.vocabulary));
    return new RoomSpeakers({
      room,
      engine,
      language: languageOf(settings, room, this.#host.chooseLanguage),
      vocabulary: settings.vocabulary,
      captionsScreenShareAudio: settings.captionsScreenShareAudio,
      log: this.#log,
      observe: observeAsr,
      encryptedTrackFound: () => detached('captioner of a room', this.#fetchKey(room)),
      speakerAdded: (speaker) => this.#tellWhatWasMissed(speaker, room),
    });
  }

  /** Whoever runs the gateway learns how much of a vocabulary recognition cannot favour. Never rejects: the engine does not. */
  async #logUnfavoured(vocabulary: readonly string[]): Promise<void> {
    const unfavoured = await this.#host.engine.unfavoured(vocabulary);
    if (unfavoured === undefined) return;
    const { error, phrases } = unfavoured;
    this.#log.warn({ code: error.code, phrases: phrases.length }, 'vocabulary not favoured in recognition');
    this.#log.trace({ phrases }, 'phrases not favoured');
  }

  /** A gateway died here: what its speakers said since is told as missing, once. */
  #tellWhatWasMissed({ speaker }: ParticipantSpeaker, room: Room): void {
    const { missedSinceMs } = this.#request;
    const key = speakerKey(speaker);
    if (missedSinceMs === undefined || !this.#found.has(speaker.identity) || this.#told.has(key)) return;
    this.#told.add(key);
    room.publishGap({
      speaker,
      startMs: epochMs(missedSinceMs),
      endMs: epochMs(Math.max(missedSinceMs, this.#startedAtMs)),
      reason: 'gateway_restarted',
    });
  }

  /** Encrypted audio sounds like noise: it is not subscribed to before there is a key. Never rejects. */
  async #fetchKey(room: Room): Promise<void> {
    if (this.#encryptionKey !== undefined || this.#isFetchingKey) return;
    this.#isFetchingKey = true;
    const { timing, encryptionKey } = this.#host;
    const { signal } = this.#stopping;
    for (let waitMs = timing.retryMs; !signal.aborted; waitMs = Math.min(waitMs * 2, timing.maxKeyRetryMs)) {
      const answer = await encryptionKey(this.room);
      if ('key' in answer) {
        this.#encryptionKey = answer.key;
        room.setStatus('encryption', { state: 'live', reason: '' });
        this.#endConnection?.({ kind: 'rejoin', isUrgent: true });
        break;
      }
      room.setStatus('encryption', {
        state: 'unavailable',
        reason: answer.reason,
        code: 'encrypted_without_key',
      });
      // Else the next encrypted track asks.
      if (!answer.mayPass) break;
      await pause(waitMs * (0.5 + Math.random()), signal);
    }
    this.#isFetchingKey = false;
  }

  #readSettings(roomMetadata: string, room: Room): RoomSettings {
    const { dispatchMetadata } = this.#request;
    const { settings, problems } = this.#host.roomSettings({ dispatchMetadata, roomMetadata });
    room.setStatus(
      'settings',
      problems.length === 0
        ? { state: 'live', reason: '' }
        : { state: 'degraded', reason: problems.join(' ') },
    );
    room.showsHistory = settings.showsHistory;
    return settings;
  }

  /** Publishes the last words while somebody may read them. */
  async #finish(end: CaptionerEnd, room: Room): Promise<void> {
    room.setStatus('language', { state: 'live', reason: '' });
    const lastWords = async (): Promise<void> => {
      await this.#speakers?.close();
      if (end.kind === 'stopped' || end.kind === 'everybody_left') await this.#roads?.flushed();
    };
    const limitMs = Math.min(this.#finishBy - performance.now(), FINISH_LIMIT_MS);
    // The limit that was not needed must not keep the process from ending.
    const done = new AbortController();
    const limit = pause(Math.max(0, limitMs), done.signal);
    await Promise.race([lastWords().finally(() => done.abort()), limit]);
  }
}

/** Recognition may be down for good. */
const FINISH_LIMIT_MS = 30_000;
