import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../config/settings.js';
import { textWith } from '../testing/matchers.js';
import { parseRoomSettings, roomSettingsDefaults } from './parse-room-settings.js';

const parse = (roomMetadata: object, changes: Partial<ReturnType<typeof defaultSettings>> = {}) =>
  parseRoomSettings({
    defaults: roomSettingsDefaults({ ...defaultSettings(), ...changes }),
    roomMetadata: JSON.stringify(roomMetadata),
    dispatchMetadata: '',
  });

describe('text streams of a room', () => {
  it.for<[string, object, object, boolean | 'settled']>([
    ['all words by default', {}, {}, true],
    ['settled words by setting', { CAPTION_TRANSCRIPTION_WORDS: 'settled' }, {}, 'settled'],
    [
      'none where the road is off',
      { CAPTION_TRANSCRIPTION_WORDS: 'settled', CAPTION_ROADS: 'captions' },
      {},
      false,
    ],
    ['settled words where the room says so', {}, { transcription: 'settled' }, 'settled'],
    [
      'all words where the room says so',
      { CAPTION_TRANSCRIPTION_WORDS: 'settled' },
      { transcription: true },
      true,
    ],
  ])('carry %s', ([, settings, roads, expected]) => {
    const { settings: parsed, problems } = parse({ captions: { roads } }, settings);
    expect(parsed.roads.transcription).toBe(expected);
    expect(problems).toEqual([]);
  });

  it('stay as they are where the room says nonsense, and the problem is told', () => {
    const { settings, problems } = parse({ captions: { roads: { transcription: 'some' } } });
    expect(settings.roads.transcription).toBe(true);
    expect(problems).toHaveLength(1);
  });
});

describe('the language of a room', () => {
  it.each(['pt_br', 'PT-BR', 'pt-BR'])('may be written %s', (language) => {
    const { settings, problems } = parse({ captions: { language } });
    expect(settings.language).toBe('pt-BR');
    expect(problems).toEqual([]);
  });

  it('is what holds elsewhere where the room says null', () => {
    const { settings, problems } = parse({ captions: { language: null } }, { CAPTION_LANGUAGE: 'fr' });
    expect(settings.language).toBe('fr');
    expect(problems).toEqual([]);
  });

  it('that is none is a problem which says how to write one', () => {
    const { settings, problems } = parse({ captions: { language: 'brazilian portuguese' } });
    expect(settings.language).toBe('');
    expect(problems).toEqual([textWith('"en-GB"')]);
  });
});
