/** The one place that reads the environment and the configuration file. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import type { ProxySettings } from '../../asr/outbound-fetch.js';
import { decodeText } from '../../asr/text-file.js';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { defaultSettings, parseSetting, SETTING_NAMES, type SettingName, type Settings } from './settings.js';

export interface Environment {
  readonly settings: Settings;
  readonly workingDir: string;
  /** `$XDG_CACHE_HOME` or `~/.cache`. */
  readonly cacheDir: string;
  readonly proxies: ProxySettings;
}

const MIN_OPERATOR_TOKEN_CHARS = 16;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Throws CaptionError `config_unknown` for a CAPTION_ name that does not exist (it names the nearest one), and
 * `config_invalid` for a value out of range, an unreadable file, or one half of a pair.
 */
export function readEnvironment(variables: Variables = process.env, workingDir = process.cwd()): Environment {
  const fromVariables = pickSettings(variables, 'the environment');
  const file = fromVariables.get('CAPTION_CONFIG_FILE');
  const fromFile =
    file === undefined || file === '' ? new Map<SettingName, string>() : readFile(resolve(workingDir, file));
  const values = { ...defaultSettings() } as Record<SettingName, string | number>;
  for (const name of SETTING_NAMES) {
    const raw = fromVariables.get(name) ?? fromFile.get(name);
    if (raw !== undefined) values[name] = parseSetting(name, raw);
  }
  const settings = values as Settings;
  if ((settings.LIVEKIT_API_KEY === '') !== (settings.LIVEKIT_API_SECRET === '')) {
    throw new CaptionError('config_invalid', 'LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be set together.');
  }
  if ((settings.CAPTION_WEBHOOK_URL === '') !== (settings.CAPTION_WEBHOOK_SECRET === '')) {
    throw new CaptionError(
      'config_invalid',
      'CAPTION_WEBHOOK_URL and CAPTION_WEBHOOK_SECRET must be set together.',
    );
  }
  const { CAPTION_PUBLIC_URL: publicUrl } = settings;
  if (publicUrl !== '' && !(URL.canParse(publicUrl) && /^https?:$/.test(new URL(publicUrl).protocol))) {
    throw new CaptionError(
      'config_invalid',
      'CAPTION_PUBLIC_URL is no address; it looks like https://meet.example/captions/.',
    );
  }
  const { CAPTION_OPERATOR_TOKEN: operatorToken } = settings;
  if (operatorToken !== '' && operatorToken.length < MIN_OPERATOR_TOKEN_CHARS) {
    throw new CaptionError(
      'config_invalid',
      `CAPTION_OPERATOR_TOKEN must have ${MIN_OPERATOR_TOKEN_CHARS} characters or more.`,
    );
  }
  const cacheHome = variables['XDG_CACHE_HOME']?.trim();
  const cacheDir = cacheHome === undefined || cacheHome === '' ? join(homedir(), '.cache') : cacheHome;
  return { settings, workingDir, cacheDir, proxies: readProxies(variables) };
}

/** As other programs have it: either case, the small letters win; an empty one is none. */
function readProxies(variables: Variables): ProxySettings {
  const valueOf = (name: string): string =>
    [name.toLowerCase(), name].map((known) => variables[known]?.trim() ?? '').find((value) => value !== '') ??
    '';
  return {
    httpProxy: valueOf('HTTP_PROXY'),
    httpsProxy: valueOf('HTTPS_PROXY'),
    noProxy: valueOf('NO_PROXY'),
  };
}

/** This process's environment for a child, with additions. */
export const environmentWith = (additions: Readonly<Record<string, string>>): Variables => ({
  ...process.env,
  ...additions,
});

/** For native libraries, which read the environment of this process themselves. A value that somebody gave stays. */
export function setUnlessGiven(name: string, value: string): void {
  process.env[name] ??= value;
}

const isSettingName = (name: string): name is SettingName => (SETTING_NAMES as string[]).includes(name);

function pickSettings(source: Variables, origin: string): Map<SettingName, string> {
  const picked = new Map<SettingName, string>();
  for (const [name, value] of Object.entries(source)) {
    if (isSettingName(name)) {
      // Files of variables come with the line ends of other systems.
      if (value !== undefined) picked.set(name, value.trim());
    } else if (name.startsWith('CAPTION_')) {
      throw new CaptionError(
        'config_unknown',
        `${name} in ${origin} is not a setting. Did you mean ${closest(name, SETTING_NAMES)}?`,
      );
    }
  }
  return picked;
}

function readFile(path: string): Map<SettingName, string> {
  let content: unknown;
  try {
    content = JSON.parse(decodeText(readFileSync(path)));
  } catch (error) {
    throw new CaptionError(
      'config_invalid',
      `CAPTION_CONFIG_FILE ${path} cannot be read: ${errorMessage(error)}`,
    );
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new CaptionError('config_invalid', `CAPTION_CONFIG_FILE ${path} must hold one JSON object.`);
  }
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(content)) {
    if (!isSettingName(name)) {
      throw new CaptionError(
        'config_unknown',
        `${name} in ${path} is not a setting. Did you mean ${closest(name, SETTING_NAMES)}?`,
      );
    }
    if (value === null) continue;
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new CaptionError('config_invalid', `${name} in ${path} must be a text or a number.`);
    }
    values[name] = String(value);
  }
  return pickSettings(values, path);
}
