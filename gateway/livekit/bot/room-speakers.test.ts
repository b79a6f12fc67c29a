import {
  type RemoteParticipant,
  type RemoteTrackPublication,
  TrackKind,
  TrackSource,
} from '@livekit/rtc-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AsrEngine } from '../../../asr/index.js';
import { silentLog, SpokenRoom } from '../testing/spoken-room.js';
import { RoomSpeakers } from './room-speakers.js';

/** Somebody who publishes as many tracks as they like. */
class Publisher {
  readonly asked: string[] = [];
  readonly #publications = new Map<string, RemoteTrackPublication>();
  readonly participant: RemoteParticipant;

  constructor(identity: string) {
    const participant = { identity, name: '', kind: 0, info: {}, trackPublications: this.#publications };
    this.participant = participant as unknown as RemoteParticipant;
  }

  publish(sid: string, source = TrackSource.SOURCE_MICROPHONE): RemoteTrackPublication {
    const publication = {
      sid,
      source,
      kind: TrackKind.KIND_AUDIO,
      setSubscribed: () => this.asked.push(sid),
    } as unknown as RemoteTrackPublication;
    this.#publications.set(sid, publication);
    return publication;
  }

  unpublish(sid: string): RemoteTrackPublication {
    const publication = this.#publications.get(sid);
    if (publication === undefined) throw new Error(`${sid} is not published`);
    this.#publications.delete(sid);
    return publication;
  }
}

describe('the tracks of a participant', () => {
  let speakers: RoomSpeakers;

  beforeEach(() => {
    speakers = new RoomSpeakers({
      room: new SpokenRoom().room,
      // Nobody says anything here.
      engine: {} as AsrEngine,
      language: 'en',
      vocabulary: [],
      captionsScreenShareAudio: true,
      log: silentLog,
      observe: () => undefined,
      encryptedTrackFound: () => undefined,
      speakerAdded: () => undefined,
    });
  });
  afterEach(() => speakers.destroy());

  it('are heard up to two of a kind, so that nobody takes the others’ share of the gateway', () => {
    const [eve, ana] = [new Publisher('eve'), new Publisher('ana')];
    for (let track = 1; track <= 20; track += 1)
      speakers.published(eve.publish(`TR_${track}`), eve.participant);
    for (let track = 1; track <= 3; track += 1)
      speakers.published(eve.publish(`TR_s${track}`, TrackSource.SOURCE_SCREENSHARE_AUDIO), eve.participant);
    // One that names no source is a voice, too.
    speakers.published(eve.publish('TR_u', TrackSource.SOURCE_UNKNOWN), eve.participant);
    speakers.published(ana.publish('TR_ana'), ana.participant);
    expect(eve.asked).toEqual(['TR_1', 'TR_2', 'TR_s1', 'TR_s2']);
    expect(ana.asked).toEqual(['TR_ana']);
  });

  it('are heard when another one has gone, whichever', () => {
    const ana = new Publisher('ana');
    for (const sid of ['TR_1', 'TR_2', 'TR_3']) speakers.published(ana.publish(sid), ana.participant);
    for (const gone of ['TR_1', 'TR_2']) {
      speakers.gone(ana.unpublish(gone), 'ana');
      for (const publication of ana.participant.trackPublications.values())
        speakers.published(publication, ana.participant);
      expect(new Set(ana.asked)).toEqual(new Set(['TR_1', 'TR_2', 'TR_3']));
    }
  });

  it('are asked for again, as after a change of rights, without counting twice', () => {
    const ana = new Publisher('ana');
    const [first, second] = [ana.publish('TR_1'), ana.publish('TR_2')];
    for (const publication of [first, first, second, first]) speakers.published(publication, ana.participant);
    expect(ana.asked).toEqual(['TR_1', 'TR_1', 'TR_2', 'TR_1']);
  });
});
