import { MAX_LANGUAGE_CHARS } from './limits.js';

const TAG_CHARACTERS = /^[A-Za-z0-9-]+$/;

/** Whether `text` has the characters and the length of a language tag (BCP 47). What people send is checked with this. */
export const isLanguageTag = (text: string): boolean =>
  text.length <= MAX_LANGUAGE_CHARS && TAG_CHARACTERS.test(text);

/** What a language must be; completes the sentence "… must be …". */
export const LANGUAGE_TAG_RULE = `a language tag of at most ${MAX_LANGUAGE_CHARS} characters, such as "fr" or "en-US"`;
