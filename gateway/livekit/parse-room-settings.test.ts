import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../config/settings.js';
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
