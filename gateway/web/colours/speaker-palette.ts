import { BLACK, type Colour, colourOf, readableOn, strongestOn } from './colour.js';

/**
 * Two times eight colours that stay as far apart as eight readable ones can for people who see no red, no green or no blue
 * (the smallest distance in Oklab is 0.11; speaker-palette.test.ts). In this order the first ones are furthest apart.
 */
const ON_LIGHT = ['#277a5c', '#4d0d4f', '#8e18fe', '#050a9b', '#831302', '#d4230c', '#ad39b3', '#683f75'];
const ON_DARK = ['#fa3e39', '#bbfcf6', '#c0a4f0', '#d638fb', '#259b94', '#ffea4b', '#f7a620', '#48e1a9'];

/** As in WCAG 2.2, for text. */
const LEAST_CONTRAST = 4.5;

/** The colours of eight speakers, readable on `background`. */
export function speakerPalette(background: Colour): Colour[] {
  const isLight = strongestOn(background) === BLACK;
  return (isLight ? ON_LIGHT : ON_DARK).map((hex) => readableOn(background, colourOf(hex), LEAST_CONTRAST));
}
