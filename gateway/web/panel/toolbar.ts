import { html, type TemplateResult } from 'lit';
import type { SearchResult } from '../search/transcript-search.js';
import type { Wording } from '../wording/wording.js';

export interface ToolbarOptions {
  readonly wording: Wording;
  readonly isOverlay: boolean;
  readonly isFollowing: boolean;
  readonly isSearching: boolean;
  readonly opened: 'settings' | 'shortcuts' | undefined;
  readonly togglePause: () => void;
  readonly toggleSearch: () => void;
  readonly toggle: (panel: 'settings' | 'shortcuts') => void;
}

/** What a reader can do, as buttons; the same by keys (shortcuts-panel.ts). */
export function toolbar(options: ToolbarOptions): TemplateResult {
  const { wording, isOverlay, isFollowing, isSearching, opened, togglePause, toggleSearch, toggle } = options;
  return html`<div id="tools" role="group" aria-label=${wording.tools}>
    <button id="move" type="button" ?hidden=${!isOverlay} aria-label=${wording.move} title=${wording.move}>
      ✥
    </button>
    <button
      id="pause"
      type="button"
      ?hidden=${isOverlay}
      aria-pressed=${String(!isFollowing)}
      @click=${togglePause}
    >
      ${wording.pause}
    </button>
    <button
      id="open-search"
      type="button"
      ?hidden=${isOverlay}
      aria-expanded=${String(isSearching)}
      @click=${toggleSearch}
    >
      ${wording.search}
    </button>
    <button
      id="open-settings"
      type="button"
      aria-expanded=${String(opened === 'settings')}
      @click=${() => toggle('settings')}
    >
      ${wording.settings}
    </button>
    <button
      id="open-shortcuts"
      type="button"
      aria-expanded=${String(opened === 'shortcuts')}
      @click=${() => toggle('shortcuts')}
    >
      ${wording.shortcuts}
    </button>
  </div>`;
}

export interface SearchFormOptions {
  readonly wording: Wording;
  /** Undefined while nothing was typed. */
  readonly result: SearchResult | undefined;
  readonly typed: (wanted: string) => void;
  /** -1 for the match before, 1 for the one after. */
  readonly step: (step: -1 | 1) => void;
  readonly close: () => void;
}

export function searchForm({ wording, result, typed, step, close }: SearchFormOptions): TemplateResult {
  const found = result === undefined ? '' : wording.found(result.at, result.count);
  return html`<form
    id="search"
    role="search"
    @submit=${(event: Event) => {
      event.preventDefault();
      step(-1);
    }}
  >
    <input
      id="wanted"
      type="search"
      autocomplete="off"
      aria-label=${wording.searchField}
      placeholder=${wording.searchField}
      @input=${(event: Event) => typed((event.target as HTMLInputElement).value)}
    />
    <span id="found" role="status">${found}</span>
    <button id="previous" type="button" @click=${() => step(-1)}>${wording.previous}</button>
    <button id="next" type="button" @click=${() => step(1)}>${wording.next}</button>
    <button id="close-search" type="button" @click=${close}>${wording.close}</button>
  </form>`;
}
