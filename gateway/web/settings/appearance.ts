/** What settings of colours, fonts and sizes mean in CSS. Set on an element by script: a strict CSP allows no style attributes. */
import {
  BLACK,
  blend,
  type Colour,
  colourOf,
  contrast,
  hexOf,
  strongestOn,
  WHITE,
} from '../colours/colour.js';
import { speakerPalette } from '../colours/speaker-palette.js';
import type { Settings } from './settings.js';

const FONTS: Readonly<Record<Settings['font'], string>> = {
  system: 'system-ui, sans-serif',
  hyperlegible: '"Atkinson Hyperlegible", system-ui, sans-serif',
  dyslexic: 'OpenDyslexic, system-ui, sans-serif',
  serif: 'Georgia, "Liberation Serif", serif',
  mono: 'ui-monospace, "Liberation Mono", monospace',
};

export interface PageColours {
  readonly background: Colour;
  readonly text: Colour;
}

export const LIGHT_PAGE: PageColours = { background: WHITE, text: colourOf('#1b1d21') };
export const DARK_PAGE: PageColours = { background: colourOf('#14171a'), text: colourOf('#f1f3f5') };

export interface ResolvedAppearance {
  readonly text: Colour;
  readonly background: Colour;
  readonly backgroundOpacityPercent: number;
  readonly window: Colour;
  readonly windowOpacityPercent: number;
  readonly widthPercent: number;
  /** What the captions lie on. */
  readonly below: Colour;
  /** Against which text is read. */
  readonly behind: Colour;
  readonly edge: Exclude<Settings['edge'], 'as-needed'>;
}

/** What is left to the layout, filled in. */
export function resolveAppearance(settings: Settings, page: PageColours): ResolvedAppearance {
  const isOverlay = settings.layout === 'overlay';
  // An overlay lies on a picture: it brings its own background.
  const [background, text] = isOverlay ? [BLACK, WHITE] : [page.background, page.text];
  const backgroundOpacityPercent = settings['background-opacity'] ?? (isOverlay ? 80 : 0);
  const windowOpacityPercent = settings['window-opacity'] ?? (isOverlay ? 0 : 100);
  const isSeeThrough = Math.max(backgroundOpacityPercent, windowOpacityPercent) < 60;
  const resolved = {
    below: isOverlay ? BLACK : page.background,
    edge: settings.edge !== 'as-needed' ? settings.edge : isOverlay && isSeeThrough ? 'outline' : 'none',
    background: settings.background === undefined ? background : colourOf(settings.background),
    backgroundOpacityPercent,
    window: settings.window === undefined ? background : colourOf(settings.window),
    windowOpacityPercent,
    widthPercent: settings.width ?? (isOverlay ? 80 : 100),
  };
  const behind = behindText(resolved);
  // A colour that was not chosen gives way to a background that was.
  const fitting = contrast(text, behind) >= 7 ? text : strongestOn(behind);
  return { ...resolved, behind, text: settings.text === undefined ? fitting : colourOf(settings.text) };
}

/** Custom properties by name. */
export function appearanceProperties(settings: Settings, page: PageColours): ReadonlyMap<string, string> {
  const resolved = resolveAppearance(settings, page);
  const { behind, text } = resolved;
  // Words that may still change: a little softer, where that leaves them readable.
  const soft = blend(text, behind, 0.22);
  const properties = new Map([
    ['--size', `${settings.size / 100}`],
    ['--font', FONTS[settings.font]],
    ['--line-height', String(settings['line-height'])],
    ['--lines', String(settings.lines)],
    ['--width', `${resolved.widthPercent}%`],
    ['--x', String(settings.x)],
    ['--y', String(settings.y)],
    ['--text', withOpacity(text, settings['text-opacity'])],
    ['--unsettled', withOpacity(contrast(soft, behind) >= 5.5 ? soft : text, settings['text-opacity'])],
    ['--line-background', withOpacity(resolved.background, resolved.backgroundOpacityPercent)],
    ['--window', withOpacity(resolved.window, resolved.windowOpacityPercent)],
    ['--behind', hexOf(behind)],
    ['--edge', edgeShadow(resolved.edge, contrast(text, BLACK) > contrast(text, WHITE) ? BLACK : WHITE)],
  ]);
  speakerPalette(behind).forEach((colour, index) => properties.set(`--speaker-${index}`, hexOf(colour)));
  return properties;
}

function behindText(resolved: Omit<ResolvedAppearance, 'text' | 'behind'>): Colour {
  const { below, background, backgroundOpacityPercent, window, windowOpacityPercent } = resolved;
  const withWindow = blend(below, window, windowOpacityPercent / 100);
  const withLine = blend(withWindow, background, backgroundOpacityPercent / 100);
  // Through half a background a picture shows: what matters is the colour that was chosen.
  return backgroundOpacityPercent >= 50 ? background : withLine;
}

const withOpacity = (colour: Colour, percent: number): string =>
  `rgb(${colour.map((part) => Math.round(part * 255)).join(' ')} / ${percent}%)`;

/** The five edges of EN 301 549 and of the FCC's rules for captions. */
function edgeShadow(edge: ResolvedAppearance['edge'], against: Colour): string {
  const dark = hexOf(against);
  const light = withOpacity(against === BLACK ? WHITE : BLACK, 60);
  const around = ['-1 -1', '0 -1', '1 -1', '-1 0', '1 0', '-1 1', '0 1', '1 1'];
  switch (edge) {
    case 'none':
      return 'none';
    case 'outline':
      return around
        .map((offset) =>
          offset
            .split(' ')
            .map((step) => `${Number(step) * 0.06}em`)
            .join(' '),
        )
        .map((offset) => `${offset} 0.03em ${dark}`)
        .join(', ');
    case 'shadow':
      return `0.08em 0.08em 0.12em ${dark}, 0 0 0.2em ${dark}`;
    case 'raised':
      return `0.04em 0.04em 0 ${dark}, 0.08em 0.08em 0 ${dark}`;
    case 'depressed':
      return `-0.04em -0.04em 0 ${dark}, 0.04em 0.04em 0 ${light}`;
  }
}
