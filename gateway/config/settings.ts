/**
 * Every setting of the gateway, once: name, unit, default, range and meaning. `npm test` holds the README's table to this
 * one. Values come from environment variables of these names, then from the file named by CAPTION_CONFIG_FILE.
 */
import { CaptionError, LANGUAGE_TAG_RULE, languageTag } from '../../protocol/index.js';

interface SettingBase {
  readonly doc: string;
}
interface TextSetting extends SettingBase {
  readonly kind: 'text';
  readonly default: string;
}
interface LanguageSetting extends SettingBase {
  readonly kind: 'language';
  readonly default: '';
}
interface NumberSetting extends SettingBase {
  readonly kind: 'number';
  readonly unit: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
}
interface ChoiceSetting extends SettingBase {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default: string;
}
export type Setting = TextSetting | LanguageSetting | NumberSetting | ChoiceSetting;

const text = (defaultValue: string, doc: string): TextSetting => ({
  kind: 'text',
  default: defaultValue,
  doc,
});
const number = (spec: Omit<NumberSetting, 'kind'>): NumberSetting => ({ kind: 'number', ...spec });

export const SETTINGS = {
  CAPTION_HOST: text(
    '127.0.0.1',
    'Address to listen on. Anything but loopback needs LIVEKIT_API_KEY and LIVEKIT_API_SECRET.',
  ),
  CAPTION_PORT: number({
    unit: 'port',
    default: 8765,
    min: 0,
    max: 65_535,
    doc: 'Port to listen on; 0 takes a free one.',
  }),
  CAPTION_ALLOWED_ORIGINS: text(
    '',
    'Origins of web pages, separated by commas, that may connect besides the gateway’s own page.',
  ),
  CAPTION_PUBLIC_URL: text(
    '',
    'Address under which others reach the gateway, with the path that a proxy has for it; for links in notices and in the terminal.',
  ),
  LIVEKIT_URL: text(
    '',
    'LiveKit server whose rooms are captioned (ws, wss, http or https); empty for a gateway without rooms of LiveKit.',
  ),
  LIVEKIT_API_KEY: text(
    '',
    'Key of the LiveKit server. With it, clients must bring a LiveKit access token of this key.',
  ),
  LIVEKIT_API_SECRET: text('', 'Secret that signs the access tokens (HS256).'),
  TRANSCRIBER_AGENT_NAME: text(
    'multi-user-transcriber',
    'Name under which LiveKit’s dispatches reach this gateway, as for La Suite Meet’s agent.',
  ),
  LIVEKIT_SERVER_BIN: text(
    '',
    'livekit-server for development, tests and the demo; empty for the one on PATH, or one built once with Go.',
  ),
  CAPTION_LANGUAGE: {
    kind: 'language',
    default: '',
    doc: 'Language of speakers and rooms that say none (BCP 47); empty for the model’s own.',
  } satisfies LanguageSetting,
  CAPTION_ROADS: text(
    'captions,transcription,legacy',
    'Roads out of a LiveKit room, separated by commas: data channel, text streams, legacy packets.',
  ),
  CAPTION_TRANSCRIPTION_WORDS: {
    kind: 'choice',
    choices: ['all', 'settled'],
    default: 'all',
    doc: 'Which words partial text streams carry: also those that may still change, or settled ones only.',
  } satisfies ChoiceSetting,
  CAPTION_LEGACY_MANNER: {
    kind: 'choice',
    choices: ['visio', 'agents'],
    default: 'visio',
    doc: 'How legacy packets are sent: committed words under fresh ids, or whole segments, partial and final.',
  } satisfies ChoiceSetting,
  CAPTION_LEGACY_WAITING_ROOM: {
    kind: 'choice',
    choices: ['send', 'withhold'],
    default: 'send',
    doc: 'Legacy packets reach everybody in a room: sent, or withheld, while somebody is in it who may not subscribe.',
  } satisfies ChoiceSetting,
  CAPTION_ROOM_KEY: {
    kind: 'choice',
    choices: ['metadata', 'https'],
    default: 'metadata',
    doc: 'Where viewers in LiveKit rooms find the key that proves captions: the room’s metadata and HTTPS, or HTTPS only.',
  } satisfies ChoiceSetting,
  CAPTION_HISTORY: {
    kind: 'choice',
    choices: ['on', 'off'],
    default: 'on',
    doc: 'Whether those who come late to a LiveKit room are shown what was said before.',
  } satisfies ChoiceSetting,
  CAPTION_SCREEN_SHARE_AUDIO: {
    kind: 'choice',
    choices: ['on', 'off'],
    default: 'off',
    doc: 'Whether the sound of shared screens is captioned too.',
  } satisfies ChoiceSetting,
  CAPTION_ICE_SERVERS: {
    kind: 'choice',
    choices: ['none', 'livekit'],
    default: 'none',
    doc: 'STUN and TURN servers the bot asks: none, or those that LiveKit names (public ones, where it was given none).',
  } satisfies ChoiceSetting,
  CAPTION_E2EE_KEY: text('', 'Shared key of end-to-end encrypted LiveKit rooms; empty for none.'),
  CAPTION_E2EE_KEY_URL: text(
    '',
    'Address of the application’s hook that is asked for the key of an encrypted room; empty for none.',
  ),
  CAPTION_E2EE_KEY_TOKEN: text('', 'Bearer token sent to that hook; empty for none.'),
  CAPTION_REDIS_URL: text(
    '',
    'Redis in which gateways lock the LiveKit rooms they caption; empty where presence in the room decides.',
  ),
  CAPTION_WATCH_S: number({
    unit: 's',
    default: 2,
    min: 0,
    max: 3600,
    doc: 'How often rooms with a dispatch and no captioner are looked for; 0 for never.',
  }),
  CAPTION_DRAIN_S: number({
    unit: 's',
    default: 10,
    min: 1,
    max: 3600,
    doc: 'How long a shutdown waits for the finals of what is being said.',
  }),
  CAPTION_MODEL: text('zipformer-en-3.3m', 'Model to recognise with; see `caption-gateway models list`.'),
  CAPTION_MODELS_DIR: text(
    '',
    'Folder with models, looked into before ./models, ../shared/models and the cache.',
  ),
  CAPTION_MODELS_MIRROR: text(
    '',
    'Address of a folder with the models’ archives, used in place of the official ones.',
  ),
  CAPTION_MODEL_PRECISION: {
    kind: 'choice',
    choices: ['auto', 'int8', 'fp32'],
    default: 'auto',
    doc: 'Which variant of a model to load where there are several.',
  } satisfies ChoiceSetting,
  CAPTION_PUNCTUATION_MODEL: text('', 'Punctuation model for models without punctuation; empty for none.'),
  CAPTION_RECOGNISERS: number({
    unit: 'processes',
    default: 0,
    min: 0,
    max: 64,
    doc: 'Recogniser processes; 0 means one per core, less one for the gateway itself, at least one, and that one, too, while they are behind.',
  }),
  CAPTION_STANDBY: {
    kind: 'choice',
    choices: ['on', 'off'],
    default: 'on',
    doc: 'Keeps one more recogniser loaded, without work, which takes over at once when one ends, or is the one that helps; costs its memory.',
  } satisfies ChoiceSetting,
  CAPTION_ENGINE: {
    kind: 'choice',
    choices: ['auto', 'zipformer', 'sherpa'],
    default: 'auto',
    doc: 'What recognises: our own engine (streaming Zipformer2), sherpa-onnx, or ours where it can run the model.',
  } satisfies ChoiceSetting,
  CAPTION_CHANGED_WORDS_PERCENT: number({
    unit: '%',
    default: 5,
    min: 0,
    max: 100,
    doc: 'Words that may change after they were shown, so that words show earlier; 0 shows settled words only.',
  }),
  CAPTION_DECODE_BUDGET_MS: number({
    unit: 'ms',
    default: 40,
    min: 5,
    max: 1000,
    doc: 'Wished length of a call; speech that waits anyway may be decoded in one four times as long.',
  }),
  CAPTION_MAX_SPEAKERS: number({
    unit: 'speakers',
    default: 500,
    min: 1,
    max: 100_000,
    doc: 'Connected speakers at most, talking or not; further ones are refused.',
  }),
  CAPTION_MAX_ROOMS: number({
    unit: 'rooms',
    default: 1000,
    min: 1,
    max: 100_000,
    doc: 'Rooms at most; further ones are refused.',
  }),
  CAPTION_MAX_CONNECTIONS: number({
    unit: 'sockets',
    default: 10_000,
    min: 10,
    max: 1_000_000,
    doc: 'Connections at most, of any kind; further ones are not accepted.',
  }),
  CAPTION_MAX_VIEWERS_PER_ROOM: number({
    unit: 'viewers',
    default: 1000,
    min: 1,
    max: 100_000,
    doc: 'Viewers of one room on `/v1/captions` at most; further ones are refused.',
  }),
  CAPTION_MAX_VIEWERS_PER_IDENTITY: number({
    unit: 'viewers',
    default: 10,
    min: 1,
    max: 100_000,
    doc: 'The same, of them with access tokens of one identity; more where one token is given to many.',
  }),
  CAPTION_ROOM_RETENTION_S: number({
    unit: 's',
    default: 300,
    min: 0,
    max: 86_400,
    doc: 'How long the last captions of a room are kept in memory when everybody has left.',
  }),
  CAPTION_INGEST_RESUME_S: number({
    unit: 's',
    default: 30,
    min: 0,
    max: 600,
    doc: 'How long a speaker whose connection dropped may resume.',
  }),
  CAPTION_INGEST_IDLE_S: number({
    unit: 's',
    default: 120,
    min: 1,
    max: 86_400,
    doc: 'An unmuted speaker who sends no audio for so long is disconnected.',
  }),
  CAPTION_INGEST_AHEAD_S: number({
    unit: 's',
    default: 20,
    min: 1,
    max: 86_400,
    doc: 'How far audio may run ahead of real time before the speaker is disconnected.',
  }),
  CAPTION_TRANSCRIPT: {
    kind: 'choice',
    choices: ['memory', 'disk', 'off'],
    default: 'memory',
    doc: 'Where transcripts are kept: in memory while the room is remembered, on disk as well, or nowhere.',
  } satisfies ChoiceSetting,
  CAPTION_TRANSCRIPT_KB: number({
    unit: 'kB',
    default: 4096,
    min: 64,
    max: 1_048_576,
    doc: 'Memory for the transcript of one meeting, about an hour of talk for each 250 kB; the oldest goes first.',
  }),
  CAPTION_TRANSCRIPT_TOTAL_KB: number({
    unit: 'kB',
    default: 262_144,
    min: 64,
    max: 67_108_864,
    doc: 'Memory for the transcripts of all meetings together; meetings that are over go first, then the oldest of the longest.',
  }),
  CAPTION_TRANSCRIPT_DIR: text(
    './transcripts',
    'Folder for transcripts on disk; readable by the gateway’s user alone.',
  ),
  CAPTION_TRANSCRIPT_RETENTION_DAYS: number({
    unit: 'days',
    default: 30,
    min: 0,
    max: 36_500,
    doc: 'How long transcripts are kept on disk; 0 for as long as nobody deletes them.',
  }),
  CAPTION_MEETING_END_S: number({
    unit: 's',
    default: 60,
    min: 1,
    max: 86_400,
    doc: 'A meeting has ended when no speaker and no captioner has been in its room for so long.',
  }),
  CAPTION_WEBHOOK_URL: text(
    '',
    'Address that is told of every meeting that ended (https; http on this machine only); empty for none.',
  ),
  CAPTION_WEBHOOK_SECRET: text(
    '',
    'Signs what is sent there: whsec_ and at least 24 bytes in base64, as in Standard Webhooks.',
  ),
  CAPTION_REPORT: {
    kind: 'choice',
    choices: ['disk', 'memory', 'off'],
    default: 'disk',
    doc: 'Where latencies are kept for reports: no text and no people, but minutes and rooms.',
  } satisfies ChoiceSetting,
  CAPTION_REPORT_DIR: text(
    './reports',
    'Folder for them, a file an hour, for seven days; readable by the gateway’s user alone.',
  ),
  CAPTION_REPORT_MAX_MB: number({
    unit: 'MB',
    default: 256,
    min: 1,
    max: 1_048_576,
    doc: 'Room for these files together; above it the oldest hour goes.',
  }),
  CAPTION_OPERATOR_TOKEN: text(
    '',
    'Opens /v1/report, 16 characters or more; without it only a gateway without keys shows reports.',
  ),
  CAPTION_LOG_LEVEL: {
    kind: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    doc: 'Least severe log line written. Caption text and names, rooms’ too, at trace only.',
  } satisfies ChoiceSetting,
  CAPTION_CONFIG_FILE: text('', 'JSON file with an object of these names; the environment wins over it.'),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
type ValueOf<S extends Setting> = S extends NumberSetting ? number : string;
export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> };

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** The value of one setting. Throws CaptionError `config_invalid` with the range or the choices. */
export function parseSetting(name: SettingName, raw: string): string | number {
  const setting: Setting = SETTINGS[name];
  switch (setting.kind) {
    case 'text':
      return raw.trim();
    case 'language': {
      const tag = raw.trim() === '' ? '' : languageTag(raw);
      if (tag !== undefined) return tag;
      throw new CaptionError('config_invalid', `${name} is "${raw}"; it must be ${LANGUAGE_TAG_RULE}.`);
    }
    case 'choice':
      if (setting.choices.includes(raw.toLowerCase())) return raw.toLowerCase();
      throw new CaptionError(
        'config_invalid',
        `${name} is "${raw}"; it must be one of ${setting.choices.join(', ')}.`,
      );
    case 'number': {
      const value = raw.trim() === '' ? NaN : Number(raw);
      if (Number.isInteger(value) && value >= setting.min && value <= setting.max) return value;
      throw new CaptionError(
        'config_invalid',
        `${name} is "${raw}"; it must be a whole number of ${setting.unit} from ${setting.min} to ${setting.max}.`,
      );
    }
  }
}

export function defaultSettings(): Settings {
  const values = Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTINGS[name].default]));
  return values as Settings;
}
