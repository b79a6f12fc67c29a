/** What may differ from room to room: from the settings, the room's metadata and the dispatch, in rising order of precedence. */

/** How legacy `Transcription` packets are sent. See the README. */
export type LegacyManner =
  /** Committed words only, a fresh id per piece: what La Suite Meet's subtitle view can show. */
  | 'visio'
  /** The whole text of a segment under its id, partial and final: as LiveKit's agents send it. */
  | 'agents'
  | 'off';

export interface RoadsOut {
  /** Data channel, topic `captions`: the contract of `protocol/`. */
  readonly captions: boolean;
  /** Text streams, topic `lk.transcription`; `settled`: without words that may still change. */
  readonly transcription: boolean | 'settled';
  readonly legacy: LegacyManner;
}

export interface RoomSettings {
  /** BCP 47; empty for the model's own. */
  readonly language: string;
  readonly vocabulary: readonly string[];
  readonly roads: RoadsOut;
  /** Whether those who come late are shown what was said before. */
  readonly showsHistory: boolean;
  /** Whether the sound of shared screens is captioned too. */
  readonly captionsScreenShareAudio: boolean;
  /** Whether legacy packets are left out while somebody is in the room who may not subscribe. The same for all rooms. */
  readonly withholdsLegacy: boolean;
}

/** Whether anything that is said in the room carries a signature; legacy packets cannot. */
export const isSigned = ({ roads }: Pick<RoomSettings, 'roads'>): boolean =>
  roads.captions || roads.transcription !== false;
