/** What a reader can set: names in the address and in the browser's storage, ranges, defaults. */

interface NumberRange<Default extends number | undefined> {
  readonly kind: 'number';
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Undefined: as suits the layout. */
  readonly default: Default;
}
interface Choice<Name extends string> {
  readonly kind: 'choice';
  readonly choices: readonly Name[];
  readonly default: Name;
}
/** `#rrggbb`; undefined for the colour of the page, light or dark. */
interface Colour {
  readonly kind: 'colour';
  readonly default: undefined;
}
interface Switch {
  readonly kind: 'switch';
  readonly default: boolean;
}

type Range = Omit<NumberRange<undefined>, 'kind' | 'default'>;
const number = (range: Range & { default: number }): NumberRange<number> => ({ kind: 'number', ...range });
const numberOfLayout = (range: Range): NumberRange<undefined> => ({
  kind: 'number',
  ...range,
  default: undefined,
});
const choice = <Name extends string>(...choices: readonly [Name, ...Name[]]): Choice<Name> => ({
  kind: 'choice',
  choices,
  default: choices[0],
});
const COLOUR: Colour = { kind: 'colour', default: undefined };
const switchedOn: Switch = { kind: 'switch', default: true };
const switchedOff: Switch = { kind: 'switch', default: false };

export const SETTINGS = {
  layout: choice('transcript', 'overlay'),
  /** Percent. */
  size: number({ min: 50, max: 400, step: 10, default: 100 }),
  font: choice('system', 'hyperlegible', 'dyslexic', 'serif', 'mono'),
  text: COLOUR,
  /** Percent, as are all opacities. */
  'text-opacity': number({ min: 25, max: 100, step: 5, default: 100 }),
  /** Behind the lines. */
  background: COLOUR,
  'background-opacity': numberOfLayout({ min: 0, max: 100, step: 5 }),
  /** Behind all of the captions. */
  window: COLOUR,
  'window-opacity': numberOfLayout({ min: 0, max: 100, step: 5 }),
  /** `as-needed`: an outline where the overlay has next to no background. */
  edge: choice('as-needed', 'none', 'outline', 'shadow', 'raised', 'depressed'),
  /** Of the overlay. */
  lines: number({ min: 1, max: 8, step: 1, default: 3 }),
  /** Of the size of the text. */
  'line-height': number({ min: 1, max: 2.5, step: 0.1, default: 1.4 }),
  /** Percent of what the captions have. */
  width: numberOfLayout({ min: 20, max: 100, step: 5 }),
  position: choice('bottom', 'top', 'free'),
  /** Where the middle of a free overlay is, percent from the left and from above. */
  x: number({ min: 0, max: 100, step: 1, default: 50 }),
  y: number({ min: 0, max: 100, step: 1, default: 50 }),
  names: switchedOn,
  /** Words that may still change. */
  partial: switchedOn,
  /** Milliseconds for which such a word must have stayed the same. */
  delay: number({ min: 0, max: 5000, step: 100, default: 0 }),
  mask: switchedOff,
  /** What screen readers are told of settled captions. */
  announce: choice('polite', 'off'),
  lang: choice('auto', 'en', 'fr', 'de'),
} as const;

export type SettingName = keyof typeof SETTINGS;
type ValueOf<Kind> =
  Kind extends Choice<infer Name>
    ? Name
    : Kind extends Switch
      ? boolean
      : Kind extends Colour
        ? string | undefined
        : Kind extends NumberRange<number>
          ? number
          : number | undefined;
export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> };
/** What a reader chose: all else is as by default. */
export type ChosenSettings = Partial<Settings>;

/** Undefined: as by default again. */
export type SettingChanges = { readonly [Name in SettingName]?: Settings[Name] | undefined };

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

export const DEFAULT_SETTINGS = Object.fromEntries(
  SETTING_NAMES.map((name) => [name, SETTINGS[name].default]),
) as unknown as Settings;

/** A value as it is written in addresses; undefined for one that cannot be read or that is no such setting's. */
export function readSetting(name: SettingName, written: string): string | number | boolean | undefined {
  const setting = SETTINGS[name];
  switch (setting.kind) {
    case 'number': {
      const value = written.trim() === '' ? NaN : Number(written);
      return value >= setting.min && value <= setting.max ? value : undefined;
    }
    case 'choice':
      return (setting.choices as readonly string[]).includes(written) ? written : undefined;
    case 'colour':
      return /^#?[0-9a-f]{6}$/i.test(written) ? `#${written.replace('#', '').toLowerCase()}` : undefined;
    case 'switch':
      return written === 'on' ? true : written === 'off' ? false : undefined;
  }
}

/** As `readSetting` reads it. Colours go without their #, which would have to be escaped. */
export function writeSetting(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value).replace('#', '');
}

/** What `params` say of settings; all else in them is left aside. */
export function settingsIn(params: URLSearchParams): ChosenSettings {
  const chosen: Partial<Record<SettingName, unknown>> = {};
  for (const name of SETTING_NAMES) {
    const value = readSetting(name, params.get(name) ?? '');
    if (value !== undefined) chosen[name] = value;
  }
  return chosen as ChosenSettings;
}

/** Puts `chosen` into `params`, takes out what is not chosen, and leaves what is no setting as it is. */
export function putSettings(params: URLSearchParams, chosen: ChosenSettings): void {
  for (const name of SETTING_NAMES) {
    const value = chosen[name];
    if (value === undefined) params.delete(name);
    else params.set(name, writeSetting(value));
  }
}

/** Differs where lines must be broken anew. */
export function lineSettings(settings: Settings): string {
  const { layout, size, font, names, width, partial, delay, mask, lang } = settings;
  return JSON.stringify([layout, size, font, names, width, partial, delay, mask, lang]);
}

/** The next larger (`direction` 1) or smaller text size, in percent. */
export function steppedSize(sizePercent: number, direction: -1 | 1): number {
  const { min, max, step } = SETTINGS.size;
  return Math.min(max, Math.max(min, sizePercent + direction * step));
}
