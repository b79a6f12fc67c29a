import stringWidth from 'string-width';

/** Latin letters, one column each: nearly all of what is said, and measured without further ado. */
const PLAIN = /^[\u0020-\u007e\u00a0-\u00ac\u00ae-\u02af]*$/;
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** How wide a text is, in columns: 2 for East Asian characters and emoji, 0 for what only changes its neighbour. */
export const textColumns = (text: string): number => (PLAIN.test(text) ? text.length : stringWidth(text));

/** A text in pieces of at most `maxColumns`, cut between characters as a person sees them. Nothing is left out. */
export function chopText(text: string, maxColumns: number): string[] {
  if (textColumns(text) <= maxColumns) return [text];
  const pieces: string[] = [''];
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) {
    const added = textColumns(segment);
    if (columns + added > maxColumns && columns > 0) {
      pieces.push('');
      columns = 0;
    }
    pieces.push(`${pieces.pop() ?? ''}${segment}`);
    columns += added;
  }
  return pieces;
}

/** At most `maxColumns`, the last of them an ellipsis where something was cut off. */
export function shortenText(text: string, maxColumns: number): string {
  if (textColumns(text) <= maxColumns) return text;
  return `${chopText(text, maxColumns - 1)[0] ?? ''}…`;
}
