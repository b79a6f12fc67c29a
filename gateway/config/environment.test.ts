import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CaptionError } from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { readEnvironment } from './environment.js';
import {
  defaultSettings,
  parseSetting,
  type Setting,
  type SettingName,
  SETTING_NAMES,
  SETTINGS,
} from './settings.js';

const afterwards = cleanupsAfterEach();

/** Code and message of what `action` throws. */
function errorOf(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    if (error instanceof CaptionError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was thrown');
}

async function configFile(content: string | Buffer): Promise<{ dir: string; file: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'caption-config-'));
  afterwards(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'gateway.json'), content);
  return { dir, file: 'gateway.json' };
}

const numberSettings = SETTING_NAMES.flatMap((name) => {
  const setting: Setting = SETTINGS[name];
  return setting.kind === 'number' ? [{ name, ...setting }] : [];
});

describe('what another system wrote', () => {
  it('is read: line ends in values, byte order marks and line ends in the file', async () => {
    const text = '\uFEFF{\r\n"CAPTION_PORT": "8080\\r",\r\n"CAPTION_ENGINE": "sherpa\\r\\n"\r\n}\r\n';
    for (const content of [text, Buffer.from(text, 'utf16le')]) {
      const { dir, file } = await configFile(content);
      const variables = { CAPTION_CONFIG_FILE: `${file}\r`, CAPTION_LOG_LEVEL: 'warn\r' };
      expect(readEnvironment(variables, dir).settings).toMatchObject({
        CAPTION_PORT: 8080,
        CAPTION_ENGINE: 'sherpa',
        CAPTION_LOG_LEVEL: 'warn',
      });
    }
  });
});

describe('readEnvironment', () => {
  it('gives the defaults when nothing is set, and ignores names that are not ours', () => {
    // The last three configure La Suite Meet's agent, in whose place the gateway runs.
    const others = {
      STT_PROVIDER: 'deepgram',
      ENABLE_SILERO_VAD: 'maybe',
      SENTRY_DSN: 'https://k@sentry.example/1',
    };
    const { settings } = readEnvironment({ PATH: '/bin', ...others }, '/');
    expect(settings).toEqual(defaultSettings());
    expect(settings).toMatchObject({ CAPTION_HOST: '127.0.0.1', CAPTION_PORT: 8765, LIVEKIT_API_KEY: '' });
  });

  it.each([
    ['', ''],
    [' ', ''],
    ['fr_FR', 'fr-FR'],
    ['EN', 'en'],
  ])('reads the language "%s" as "%s"', (raw, tag) => {
    expect(parseSetting('CAPTION_LANGUAGE', raw)).toBe(tag);
  });

  it('refuses a language that is none, and says how to write one', () => {
    const { code, message } = errorOf(() => parseSetting('CAPTION_LANGUAGE', 'french language'));
    expect(code).toBe('config_invalid');
    expect(message).toContain('"en-GB"');
  });

  it.each(numberSettings)('$name takes $min to $max and nothing else', ({ name, min, max }) => {
    expect(parseSetting(name, String(min))).toBe(min);
    expect(parseSetting(name, ` ${max} `)).toBe(max);
    for (const raw of [String(min - 1), String(max + 1), '', ' ', '1.5', 'ten', '5s', 'NaN', 'Infinity']) {
      const { code, message } = errorOf(() => parseSetting(name, raw));
      expect(code).toBe('config_invalid');
      expect(message).toContain(name);
      expect(message).toContain(`from ${min} to ${max}`);
    }
  });

  it.each(numberSettings)('the default of $name is in its range', ({ default: value, min, max }) => {
    expect(value).toBeGreaterThanOrEqual(min);
    expect(value).toBeLessThanOrEqual(max);
  });

  it('takes a choice in other letters, and null in the file for what is not said', async () => {
    expect(readEnvironment({ CAPTION_HISTORY: ' OFF\r' }, '/').settings.CAPTION_HISTORY).toBe('off');
    const dir = await mkdtemp(join(tmpdir(), 'settings-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    await writeFile(join(dir, 'c.json'), '{"CAPTION_PORT":null,"CAPTION_HISTORY":"Off"}');
    const { settings } = readEnvironment({ CAPTION_CONFIG_FILE: 'c.json' }, dir);
    expect(settings).toMatchObject({ CAPTION_PORT: 8765, CAPTION_HISTORY: 'off' });
  });

  it('takes a choice only from its list, which the error names', () => {
    expect(readEnvironment({ CAPTION_LOG_LEVEL: 'warn' }, '/').settings.CAPTION_LOG_LEVEL).toBe('warn');
    const { code, message } = errorOf(() => readEnvironment({ CAPTION_LOG_LEVEL: 'loud' }, '/'));
    expect(code).toBe('config_invalid');
    expect(message).toContain('trace, debug, info, warn, error, silent');
  });

  it.each([
    ['CAPTION_PROT', 'CAPTION_PORT'],
    ['CAPTION_MODEL_DIR', 'CAPTION_MODELS_DIR'],
    ['CAPTION_MAX_SPEAKER', 'CAPTION_MAX_SPEAKERS'],
  ])('refuses %s and suggests %s', (wrong, right) => {
    const { code, message } = errorOf(() => readEnvironment({ [wrong]: '1' }, '/'));
    expect(code).toBe('config_unknown');
    expect(message).toContain(wrong);
    expect(message).toContain(`Did you mean ${right}?`);
  });

  it.each(['LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET'] satisfies SettingName[])('refuses %s alone', (name) => {
    const { code, message } = errorOf(() => readEnvironment({ [name]: 'half' }, '/'));
    expect(code).toBe('config_invalid');
    expect(message).toContain('together');
    expect(message).not.toContain('half');
  });

  it('takes a pair of keys', () => {
    const pair = { LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: 'secret' };
    expect(readEnvironment(pair, '/').settings).toMatchObject(pair);
  });

  it('looks for the cache where XDG says, else in the home folder', () => {
    expect(readEnvironment({ XDG_CACHE_HOME: '/c' }, '/').cacheDir).toBe('/c');
    expect(readEnvironment({ XDG_CACHE_HOME: '' }, '/').cacheDir).toMatch(/\.cache$/);
  });
});

describe('the configuration file', () => {
  it('is read relative to the working folder; the environment wins over it', async () => {
    const { dir, file } = await configFile(
      '{"CAPTION_PORT": 9000, "CAPTION_MAX_ROOMS": "7", "CAPTION_LOG_LEVEL": "warn"}',
    );
    const { settings } = readEnvironment({ CAPTION_CONFIG_FILE: file, CAPTION_PORT: '9001' }, dir);
    expect(settings).toMatchObject({ CAPTION_PORT: 9001, CAPTION_MAX_ROOMS: 7, CAPTION_LOG_LEVEL: 'warn' });
  });

  it.each([
    {
      what: 'a name that does not exist',
      content: '{"CAPTION_PROT": 1}',
      code: 'config_unknown',
      told: 'CAPTION_PORT',
    },
    {
      what: 'a name without our prefix',
      content: '{"PORT": 1}',
      code: 'config_unknown',
      told: 'CAPTION_PORT',
    },
    {
      what: 'a value out of range',
      content: '{"CAPTION_PORT": 70000}',
      code: 'config_invalid',
      told: '65535',
    },
    {
      what: 'a value that is a list',
      content: '{"CAPTION_PORT": [1]}',
      code: 'config_invalid',
      told: 'a text or a number',
    },
    { what: 'a list', content: '[]', code: 'config_invalid', told: 'one JSON object' },
    { what: 'null', content: 'null', code: 'config_invalid', told: 'one JSON object' },
    { what: 'what is no JSON', content: 'CAPTION_PORT=1', code: 'config_invalid', told: 'cannot be read' },
  ])('with $what is refused', async ({ content, code, told }) => {
    const { dir, file } = await configFile(content);
    const error = errorOf(() => readEnvironment({ CAPTION_CONFIG_FILE: file }, dir));
    expect(error.code).toBe(code);
    expect(error.message).toContain(told);
  });

  it('that is not there is refused, with its path', async () => {
    const { dir } = await configFile('{}');
    const error = errorOf(() => readEnvironment({ CAPTION_CONFIG_FILE: 'nowhere.json' }, dir));
    expect(error.code).toBe('config_invalid');
    expect(error.message).toContain(join(dir, 'nowhere.json'));
  });
});
