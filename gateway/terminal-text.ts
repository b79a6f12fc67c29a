/** Controls, characters that turn text around, halves of characters and Unicode's own ends of lines; not tab and line feed. */
const UNSAFE = /(?![\t\n])\p{Cc}|[\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]|\p{Cs}/gu;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Text of others for a terminal: nothing in it moves the cursor, changes a colour or a title, or turns what stands beside it
 * around. Such characters are written as in JSON (`\u001b`), so JSON stays the same document.
 */
export const terminalText = (text: string): string => text.replace(UNSAFE, escaped);

/** The same for one line: a name, a title, a cell of a table. */
export const terminalLine = (text: string): string => terminalText(text).replace(/[\t\n]/g, escaped);
