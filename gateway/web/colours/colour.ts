/** Red, green, blue, each from 0 to 1, as screens take them (sRGB). */
export type Colour = readonly [number, number, number];

export const BLACK: Colour = [0, 0, 0];
export const WHITE: Colour = [1, 1, 1];

/** `hex`: `#rrggbb`. */
export function colourOf(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

export const hexOf = (colour: Colour): string =>
  `#${colour
    .map((part) =>
      Math.round(part * 255)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;

/** `amount` 0 is `one`, 1 is `other`. */
export const blend = (one: Colour, other: Colour, amount: number): Colour => [
  one[0] + (other[0] - one[0]) * amount,
  one[1] + (other[1] - one[1]) * amount,
  one[2] + (other[2] - one[2]) * amount,
];

export const linear = (part: number): number =>
  part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;

/** As in WCAG 2.2, 0 to 1. */
export const luminance = ([red, green, blue]: Colour): number =>
  0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);

/** As in WCAG 2.2, 1 to 21. */
export function contrast(one: Colour, other: Colour): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** Black or white, whichever is read better. */
export const strongestOn = (background: Colour): Colour =>
  contrast(BLACK, background) > contrast(WHITE, background) ? BLACK : WHITE;

/** The nearest to `colour`, towards black or white, that has a contrast of `least` to `background`; or what comes closest. */
export function readableOn(background: Colour, colour: Colour, least: number): Colour {
  const end = strongestOn(background);
  for (let amount = 0; amount < 1; amount += 0.05) {
    const shifted = blend(colour, end, amount);
    if (contrast(shifted, background) >= least) return shifted;
  }
  return end;
}
