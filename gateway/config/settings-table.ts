import { type Setting, SETTING_NAMES, SETTINGS } from './settings.js';

const HEADER = ['name', 'unit', 'default', 'range', 'meaning'] as const;

/** The README's table of settings, in Markdown: what stands between its marks `settings` and `/settings`. */
export function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const setting: Setting = SETTINGS[name];
    const defaultValue = setting.default === '' ? '' : `\`${setting.default}\``;
    return [`\`${name}\``, unitOf(setting), defaultValue, rangeOf(setting), setting.doc];
  });
  return [HEADER, HEADER.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function unitOf(setting: Setting): string {
  return setting.kind === 'number' ? setting.unit : 'text';
}

function rangeOf(setting: Setting): string {
  switch (setting.kind) {
    case 'number':
      return `${setting.min} to ${setting.max}`;
    case 'choice':
      return setting.choices.map((choice) => `\`${choice}\``).join(', ');
    case 'language':
      return 'language tag';
    case 'text':
      return '';
  }
}
