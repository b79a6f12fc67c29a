import { describe, expect, it } from 'vitest';
import { epochMs, participantIdentity } from '../../../protocol/index.js';
import { SPEAKER_COLOURS, SpeakerColours } from '../colours/speaker-colours.js';
import { gapText, speakerName, statusText } from './wording.js';

const identity = participantIdentity('room-4');

describe('a speaker', () => {
  it.each([
    ['is called by the name', { identity, name: 'Ana' }, 'Ana'],
    ['with a label is told apart', { identity, name: 'Room 4', label: 'B' }, 'Room 4 (B)'],
    ['without a name is called by the identity', { identity, name: '' }, 'room-4'],
    ['with an invisible name is called by the identity', { identity, name: ' \u200b\u202e\u2066' }, 'room-4'],
  ])('%s', (_, speaker, name) => {
    expect(speakerName(speaker)).toBe(name);
  });

  it('keeps a colour of their own, and of each label', () => {
    const colours = new SpeakerColours();
    const speakers = Array.from({ length: SPEAKER_COLOURS }, (_, index) => ({
      identity,
      label: String(index),
    }));
    const classes = speakers.map((speaker) => colours.classOf(speaker));
    expect(new Set(classes).size).toBe(SPEAKER_COLOURS);
    expect(speakers.map((speaker) => colours.classOf(speaker))).toEqual(classes);
    expect(classes).toContain(colours.classOf({ identity: participantIdentity('one more') }));
  });
});

describe('a gap', () => {
  it.each([
    [0, '1 s'],
    [4200, '4 s'],
    [119_000, '119 s'],
    [240_000, '4 min'],
  ])('of %d ms is told as %s', (durationMs, duration) => {
    const gap = {
      startMs: epochMs(1000),
      endMs: epochMs(1000 + durationMs),
      reason: 'audio_missing',
    } as const;
    expect(gapText(gap)).toBe(`not captioned: ${duration} (the sound did not arrive)`);
  });
});

describe('the status', () => {
  const live = { state: 'live', reason: '' } as const;

  it.each([
    [{ kind: 'connecting' }, live, 'Connecting…'],
    [{ kind: 'connected' }, live, 'Live'],
    [{ kind: 'connected' }, { state: 'degraded', reason: 'Busy.' }, 'Captions degraded: Busy.'],
    [
      { kind: 'connected' },
      { state: 'degraded', reason: 'As it was said.', code: 'recognition_restarting' },
      'Captions degraded: recognition was restarted; captions are catching up.',
    ],
    [
      { kind: 'connected' },
      { state: 'degraded', reason: 'As it was said.', code: 'constructor' },
      'Captions degraded: As it was said.',
    ],
    [{ kind: 'connected' }, { state: 'unavailable', reason: '' }, 'Captions unavailable'],
    [{ kind: 'lost' }, live, 'No connection: captions have stopped. Trying again…'],
    [{ kind: 'refused', cause: 'told', reason: 'Not you.' }, undefined, 'Captions unavailable: Not you.'],
  ] as const)('%o with %o says so', (link, captions, text) => {
    expect(statusText(link, captions).text).toBe(text);
  });
});
