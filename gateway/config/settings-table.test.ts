import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { settingsTable } from './settings-table.js';
import { SETTING_NAMES } from './settings.js';

/** Rows of a Markdown table as their cells, whatever the padding; the line under the header is left out. */
const cellsOf = (table: string): string[][] =>
  table
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s:|-]+$/.test(line))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.trim()),
    );

describe("the README's table of settings", () => {
  it('is the table in the sources', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const table = /<!-- settings -->(.*)<!-- \/settings -->/s.exec(readme)?.[1] ?? '';
    expect(cellsOf(table)).toEqual(cellsOf(settingsTable()));
  });

  it('has one row for each setting, with five cells each', () => {
    const [header, ...rows] = cellsOf(settingsTable());
    expect(header).toHaveLength(5);
    expect(rows.map(([name]) => name)).toEqual(SETTING_NAMES.map((name) => `\`${name}\``));
    expect(rows.every((cells) => cells.length === 5 && cells[4] !== '')).toBe(true);
  });
});
