import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { putSettings, SETTING_NAMES, SETTINGS, type SettingName, settingsIn } from './settings.js';

const valueOf = (name: SettingName): fc.Arbitrary<string | number | boolean> => {
  const setting = SETTINGS[name];
  switch (setting.kind) {
    case 'number':
      return fc.double({ min: setting.min, max: setting.max, noNaN: true }).map((value) => value + 0);
    case 'choice':
      return fc.constantFrom(...setting.choices);
    case 'colour':
      return fc.stringMatching(/^#[0-9a-f]{6}$/);
    case 'switch':
      return fc.boolean();
  }
};
const chosenSettings = fc.record(Object.fromEntries(SETTING_NAMES.map((name) => [name, valueOf(name)])), {
  requiredKeys: [],
});

describe('settings in an address', () => {
  it('come back as they were put there', () => {
    fc.assert(
      fc.property(chosenSettings, (chosen) => {
        const params = new URLSearchParams('room=a%26b');
        putSettings(params, chosen);
        expect(settingsIn(new URLSearchParams(params.toString()))).toEqual(chosen);
        expect(params.get('room')).toBe('a&b');
      }),
    );
  });

  it('that cannot be read are as if they were not there', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SETTING_NAMES), fc.string(), (name, written) => {
        const value = settingsIn(new URLSearchParams([[name, written]]))[name];
        const setting = SETTINGS[name];
        if (setting.kind === 'number' && value !== undefined) {
          expect(value).toBeGreaterThanOrEqual(setting.min);
          expect(value).toBeLessThanOrEqual(setting.max);
        } else if (setting.kind === 'colour' && value !== undefined) expect(value).toMatch(/^#[0-9a-f]{6}$/);
        else if (setting.kind === 'choice' && value !== undefined) expect(setting.choices).toContain(value);
        else expect([undefined, true, false]).toContain(value);
      }),
    );
    expect(settingsIn(new URLSearchParams('size=9999&text=red&position=middle&names=maybe&room=x'))).toEqual(
      {},
    );
  });

  it('are taken out when they are chosen no longer', () => {
    const params = new URLSearchParams('room=x&size=200&mask=on');
    putSettings(params, { size: 100 });
    expect(params.toString()).toBe('room=x&size=100');
    putSettings(params, {});
    expect(params.toString()).toBe('room=x');
  });
});
