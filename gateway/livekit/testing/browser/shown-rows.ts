export interface Row {
  readonly speaker: string;
  readonly text: string;
}

/** Shows these rows, and no others. */
export function showRows(section: HTMLElement, rows: readonly Row[]): void {
  section.replaceChildren(
    ...rows.map(({ speaker, text }) => {
      const row = document.createElement('p');
      row.dataset['speaker'] = speaker;
      row.textContent = text;
      return row;
    }),
  );
}
