import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLACK, type Colour, colourOf, contrast, hexOf, linear, WHITE } from './colour.js';
import { speakerPalette } from './speaker-palette.js';

type Row = readonly [number, number, number];
type Matrix = readonly [Row, Row, Row];

/** What people see who lack one kind of cone (Machado, Oliveira, Fernandes 2009, severity 1), in linear RGB. */
const SIGHTS: Readonly<Record<string, Matrix>> = {
  'all colours': [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  'no red': [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  'no green': [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  'no blue': [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
const multiply = (matrix: Matrix, [x, y, z]: Row): Row => {
  const [a, b, c] = matrix.map((row) => row[0] * x + row[1] * y + row[2] * z);
  return [a ?? 0, b ?? 0, c ?? 0];
};
const oklab = (rgb: Row): Row => {
  const [l, m, s] = multiply(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb,
  ).map((part) => Math.cbrt(Math.max(0, part))) as unknown as Row;
  return multiply(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    [l, m, s],
  );
};
const seen = (colour: Colour, sight: Matrix): Row => {
  const clipped = multiply(sight, colour.map(linear) as unknown as Row).map((part) =>
    Math.min(1, Math.max(0, part)),
  );
  return oklab(clipped as unknown as Row);
};

describe('the colours of speakers', () => {
  it.each(Object.entries(SIGHTS))('are told apart by those who see %s', (_, sight) => {
    for (const background of [WHITE, BLACK]) {
      const palette = speakerPalette(background).map((colour) => seen(colour, sight));
      palette.forEach((one, index) => {
        for (const other of palette.slice(index + 1)) {
          expect(Math.hypot(...one.map((part, axis) => part - (other[axis] ?? 0)))).toBeGreaterThan(0.1);
        }
      });
    }
  });

  it('are readable on any background', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^#[0-9a-f]{6}$/), (hex) => {
        const background = colourOf(hex);
        expect(hexOf(background)).toBe(hex);
        for (const colour of speakerPalette(background))
          expect(contrast(colour, background)).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });
});
