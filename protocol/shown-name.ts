import { MAX_NAME_CHARS } from './limits.js';

/** Joins or parts letters in these scripts, and changes what is read: Persian, Sinhala and others need it. */
const JOINING_SCRIPTS = [
  'Arabic',
  'Bengali',
  'Devanagari',
  'Gujarati',
  'Gurmukhi',
  'Kannada',
  'Khmer',
  'Malayalam',
  'Mongolian',
  'Myanmar',
  'Oriya',
  'Sinhala',
  'Syriac',
  'Tamil',
  'Telugu',
  'Tibetan',
]
  .map((script) => `\\p{Script=${script}}`)
  .join('');
const JOINED_LETTER = `(?=[${JOINING_SCRIPTS}])[\\p{L}\\p{M}]`;
const PICTURE = '\\p{Extended_Pictographic}';
/** The invisible characters that belong to what is seen: joiners in such scripts, pictures of several parts, variants of a sign. */
const MEANT =
  `(?<=(?=[${JOINING_SCRIPTS}])[\\p{L}\\p{M}])[\\u200C\\u200D](?=${JOINED_LETTER})` +
  `|(?<=${PICTURE}[\\uFE0F\\p{Emoji_Modifier}]?)\\u200D(?=${PICTURE})` +
  `|(?<=[${PICTURE}0-9#*])[\\uFE0E\\uFE0F]` +
  '|(?<=\\p{Script=Han})[\\uFE00-\\uFE0F\\u{E0100}-\\u{E01EF}]';
/** Everything else that is not seen: controls, formats (all that turn text around among them), halves of characters, fillers. */
const UNSEEN =
  '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}\\u{16FE4}\\u{1D159}]';
const MEANT_OR_UNSEEN = new RegExp(`(${MEANT})|${UNSEEN}`, 'gu');
/** Spaces, ends of lines, and the Braille pattern without a dot. */
const BLANK = /[\s\u2800]+/gu;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}\p{Co}]/u;
/** Marks that are piled up cover the lines above and below; no writing puts more of them on one letter. */
const PILED_MARKS = /(\p{M}{8})\p{M}+/gu;

/** What most words consist of: nothing has to be looked for in it. */
const PLAIN = /^[!-~\u00a1-\u00ac\u00ae-\u02af]*$/;

/**
 * One line without controls, without characters that turn text around, and without invisible ones; perhaps empty. For everything that
 * people write and others read: names, sentences, phrases of a vocabulary.
 */
export function visibleLine(text: string): string {
  if (PLAIN.test(text)) return text;
  return (
    text
      .replace(BLANK, ' ')
      .replace(MEANT_OR_UNSEEN, (_, meant: string | undefined) => meant ?? '')
      .replace(PILED_MARKS, '$1')
      // What was taken away may have parted spaces.
      .replace(BLANK, ' ')
      .trim()
  );
}

function visibleText(text: string): string {
  const visible = visibleLine(text);
  return VISIBLE.test(visible) ? cutAtCharacter(visible) : '';
}

/**
 * The name under which somebody is shown, whatever they call themselves: one line that cannot turn around, hide or cover the text
 * beside it. Where nothing visible is left of the name it is the identity, and of an identity without anything visible its code
 * points. Never empty; at most `MAX_NAME_CHARS`. The name of a shown name is itself.
 */
export function shownName(name: string, identity: string): string {
  const visible = visibleText(name);
  if (visible !== '') return visible;
  const visibleIdentity = visibleText(identity);
  return visibleIdentity === '' ? codePointsOf(identity) : visibleIdentity;
}

function codePointsOf(text: string): string {
  const names = Array.from(text, (character) => `U+${hexOf(character.codePointAt(0) ?? 0)}`);
  return names.length === 0 ? '?' : names.join(' ').slice(0, MAX_NAME_CHARS).trim();
}

const hexOf = (codePoint: number): string => codePoint.toString(16).toUpperCase().padStart(4, '0');

function cutAtCharacter(text: string): string {
  if (text.length <= MAX_NAME_CHARS) return text;
  // Half a character at the end is none.
  return text
    .slice(0, MAX_NAME_CHARS)
    .replace(/\p{Cs}$/u, '')
    .trim();
}
