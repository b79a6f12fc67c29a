import stringWidth from 'string-width';
import { terminalLine } from './terminal-text.js';

/** A table for a terminal: the first column to the left, the others to the right, two spaces between. No line end at the end. */
export function formatColumns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(terminalLine));
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const padding = ' '.repeat((widths[column] ?? 0) - stringWidth(cell));
          return column === 0 ? cell + padding : padding + cell;
        })
        .join('  '),
    )
    .join('\n');
}
