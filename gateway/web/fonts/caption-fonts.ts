import hyperlegibleBold from '@fontsource/atkinson-hyperlegible/files/atkinson-hyperlegible-latin-700-normal.woff2?url';
import hyperlegibleExtendedBold from '@fontsource/atkinson-hyperlegible/files/atkinson-hyperlegible-latin-ext-700-normal.woff2?url';
import hyperlegibleExtended from '@fontsource/atkinson-hyperlegible/files/atkinson-hyperlegible-latin-ext-400-normal.woff2?url';
import hyperlegible from '@fontsource/atkinson-hyperlegible/files/atkinson-hyperlegible-latin-400-normal.woff2?url';
import dyslexicBold from '@fontsource/opendyslexic/files/opendyslexic-latin-700-normal.woff2?url';
import dyslexic from '@fontsource/opendyslexic/files/opendyslexic-latin-400-normal.woff2?url';
import type { Settings } from '../settings/settings.js';

interface FontFile {
  readonly family: string;
  readonly url: string;
  readonly weight: '400' | '700';
  readonly unicodeRange?: string;
}

const LATIN =
  'U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA, U+02DC, U+2000-206F, U+20AC, U+2122';
const LATIN_EXTENDED =
  'U+0100-0130, U+0132-0151, U+0154-02BA, U+02BD-02C5, U+02C7-02CC, U+1E00-1EFF, U+20A0-20AB';

const FILES: Readonly<Partial<Record<Settings['font'], readonly FontFile[]>>> = {
  hyperlegible: [
    { family: 'Atkinson Hyperlegible', url: hyperlegible, weight: '400', unicodeRange: LATIN },
    { family: 'Atkinson Hyperlegible', url: hyperlegibleBold, weight: '700', unicodeRange: LATIN },
    {
      family: 'Atkinson Hyperlegible',
      url: hyperlegibleExtended,
      weight: '400',
      unicodeRange: LATIN_EXTENDED,
    },
    {
      family: 'Atkinson Hyperlegible',
      url: hyperlegibleExtendedBold,
      weight: '700',
      unicodeRange: LATIN_EXTENDED,
    },
  ],
  dyslexic: [
    { family: 'OpenDyslexic', url: dyslexic, weight: '400' },
    { family: 'OpenDyslexic', url: dyslexicBold, weight: '700' },
  ],
};

const added = new Set<Settings['font']>();

/**
 * Makes a font known to the page, which loads what it needs of it from where this module is from. Fonts of a shadow tree must be the
 * document's. Idempotent.
 */
export function addFont(font: Settings['font']): void {
  if (added.has(font)) return;
  added.add(font);
  for (const { family, url, weight, unicodeRange } of FILES[font] ?? []) {
    const face = new FontFace(family, `url(${JSON.stringify(new URL(url, import.meta.url).href)})`, {
      weight,
      display: 'swap',
      ...(unicodeRange === undefined ? {} : { unicodeRange }),
    });
    document.fonts.add(face);
    // Canvases, which measure lines, do not load fonts by themselves; one that cannot be loaded is replaced by the next.
    face.load().catch(() => undefined);
  }
}
