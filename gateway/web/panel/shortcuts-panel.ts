import { html, type TemplateResult } from 'lit';
import type { Wording } from '../wording/wording.js';

/** A key, as `KeyboardEvent.key` names it, by what it does. All of them only while the captions have the focus (WCAG 2.1.4). */
export const SHORTCUTS = {
  search: ['/'],
  pause: ['p'],
  jump: ['j'],
  settings: ['s'],
  layout: ['l'],
  larger: ['+', '-'],
  help: ['?'],
} as const;

export type ShortcutName = keyof typeof SHORTCUTS;

/** What a key is to do; undefined for none, and where it is being typed. */
export function shortcutOf({
  key,
  ctrlKey,
  altKey,
  metaKey,
  target,
}: KeyboardEvent): ShortcutName | undefined {
  if (ctrlKey || altKey || metaKey) return undefined;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return undefined;
  const names = Object.keys(SHORTCUTS) as ShortcutName[];
  return names.find((name) => (SHORTCUTS[name] as readonly string[]).includes(key.toLowerCase()));
}

const SHOWN: readonly (readonly [keyof Wording['keys'], readonly string[]])[] = [
  ['search', ['/']],
  ['pause', ['P']],
  ['jump', ['J']],
  ['settings', ['S']],
  ['layout', ['L']],
  ['larger', ['+', '-']],
  ['move', ['←', '→', '↑', '↓']],
  ['help', ['?']],
  ['escape', ['Esc']],
];

export function shortcutsPanel(wording: Wording, close: () => void): TemplateResult {
  return html`<div
    id="panel"
    part="panel"
    class="shortcuts"
    role="dialog"
    aria-labelledby="panel-title"
    tabindex="-1"
  >
    <div class="head">
      <h2 id="panel-title">${wording.shortcuts}</h2>
      <button id="close-settings" type="button" @click=${close}>${wording.close}</button>
    </div>
    <p>${wording.shortcutsIntro}</p>
    <dl>
      ${SHOWN.map(
        ([what, keys]) =>
          html`<dt>${keys.map((key) => html`<kbd>${key}</kbd> `)}</dt>
            <dd>${wording.keys[what]}</dd>`,
      )}
    </dl>
  </div>`;
}
