import { CaptionError, errorMessage, LANGUAGE_TAG_RULE, languageTag } from '../../protocol/index.js';
import { parseVocabulary } from '../../asr/index.js';
import type { Settings } from '../config/settings.js';
import type { LegacyManner, RoadsOut, RoomSettings } from './room-settings.js';

const ROADS = ['captions', 'transcription', 'legacy'] as const;
/** Our part of metadata that others use as well. */
const OUR_KEY = 'captions';
const KEYS: readonly string[] = ['language', 'vocabulary', 'roads', 'history', 'screenShareAudio'];

/** What holds for rooms that say nothing. Throws CaptionError `config_invalid`. */
export function roomSettingsDefaults(settings: Settings): RoomSettings {
  const names = settings.CAPTION_ROADS.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const unknown = names.find((name) => !(ROADS as readonly string[]).includes(name));
  if (unknown !== undefined || names.length === 0) {
    throw new CaptionError(
      'config_invalid',
      `CAPTION_ROADS is "${settings.CAPTION_ROADS}"; it must name at least one of ${ROADS.join(', ')}, separated by commas.`,
    );
  }
  return {
    language: settings.CAPTION_LANGUAGE,
    vocabulary: [],
    roads: {
      captions: names.includes('captions'),
      transcription:
        names.includes('transcription') &&
        (settings.CAPTION_TRANSCRIPTION_WORDS === 'settled' ? 'settled' : true),
      legacy: names.includes('legacy') ? (settings.CAPTION_LEGACY_MANNER as LegacyManner) : 'off',
    },
    showsHistory: settings.CAPTION_HISTORY === 'on',
    captionsScreenShareAudio: settings.CAPTION_SCREEN_SHARE_AUDIO === 'on',
    withholdsLegacy: settings.CAPTION_LEGACY_WAITING_ROOM === 'withhold',
  };
}

export interface ParsedRoomSettings {
  readonly settings: RoomSettings;
  /** For people: what was wrong, and what is used instead. */
  readonly problems: readonly string[];
}

/**
 * The settings of one room: `defaults`, then the room's metadata (below `captions`: the rest belongs to the application), then
 * the dispatch's (there or at the top). What is wrong is a problem, and the value before it holds. Metadata that is no JSON
 * object is somebody else's.
 */
export function parseRoomSettings(sources: {
  readonly defaults: RoomSettings;
  readonly roomMetadata: string;
  readonly dispatchMetadata: string;
}): ParsedRoomSettings {
  const problems: string[] = [];
  let settings = sources.defaults;
  const room = objectIn(sources.roomMetadata)?.[OUR_KEY];
  if (room !== undefined)
    settings = withOverrides(settings, { value: room, where: 'The room’s metadata', problems });
  const dispatch = objectIn(sources.dispatchMetadata);
  if (dispatch !== undefined) {
    const value = OUR_KEY in dispatch ? dispatch[OUR_KEY] : pickOurs(dispatch);
    settings = withOverrides(settings, { value, where: 'The dispatch’s metadata', problems });
  }
  return { settings, problems };
}

type Fields = Readonly<Record<string, unknown>>;

function withOverrides(
  settings: RoomSettings,
  source: { value: unknown; where: string; problems: string[] },
): RoomSettings {
  const { value, where, problems } = source;
  if (!isFields(value)) {
    problems.push(`${where}: captions must be an object.`);
    return settings;
  }
  const result = { ...settings };
  for (const [key, field] of Object.entries(value)) {
    const wrong = (expected: string): void =>
      void problems.push(`${where}: ${key} must be ${expected}; not used.`);
    // Null says nothing: what held before holds.
    if (field === null && KEYS.includes(key)) continue;
    switch (key) {
      case 'language': {
        const tag = typeof field === 'string' ? languageTag(field) : undefined;
        if (tag === undefined) wrong(LANGUAGE_TAG_RULE);
        else result.language = tag;
        break;
      }
      case 'vocabulary':
        try {
          if (!isTexts(field)) throw new Error('a list of texts');
          result.vocabulary = parseVocabulary(field);
        } catch (error) {
          wrong(error instanceof CaptionError ? errorMessage(error) : 'a list of texts');
        }
        break;
      case 'roads':
        result.roads = roadsFrom(field, settings.roads, wrong);
        break;
      case 'history':
        if (typeof field === 'boolean') result.showsHistory = field;
        else wrong('true or false');
        break;
      case 'screenShareAudio':
        if (typeof field === 'boolean') result.captionsScreenShareAudio = field;
        else wrong('true or false');
        break;
      default:
        problems.push(`${where}: ${key.slice(0, 40)} is no setting; there are ${KEYS.join(', ')}.`);
    }
  }
  return result;
}

function roadsFrom(value: unknown, roads: RoadsOut, wrong: (expected: string) => void): RoadsOut {
  const {
    captions = roads.captions,
    transcription = roads.transcription,
    legacy = roads.legacy,
  } = isFields(value) ? value : {};
  const isRight =
    isFields(value) &&
    Object.keys(value).every((name) => (ROADS as readonly string[]).includes(name)) &&
    typeof captions === 'boolean' &&
    (typeof transcription === 'boolean' || transcription === 'settled') &&
    isManner(legacy);
  if (isRight) return { captions, transcription, legacy };
  wrong(
    '{"captions": true or false, "transcription": true, false or "settled", "legacy": "visio", "agents" or "off"}',
  );
  return roads;
}

const isManner = (value: unknown): value is LegacyManner =>
  value === 'visio' || value === 'agents' || value === 'off';
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
const pickOurs = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => KEYS.includes(key)));

function objectIn(metadata: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(metadata);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
