import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { CaptionState } from '../../../protocol/index.js';
import { addFont } from '../fonts/caption-fonts.js';
import type { LogOptions } from '../lines/caption-log.js';
import { settingsPanel } from '../panel/settings-panel.js';
import { shortcutOf, type ShortcutName, shortcutsPanel } from '../panel/shortcuts-panel.js';
import { searchForm, toolbar } from '../panel/toolbar.js';
import { ProfanityMask } from '../reading/profanity-mask.js';
import { type SearchResult, TranscriptSearch } from '../search/transcript-search.js';
import {
  appearanceProperties,
  DARK_PAGE,
  LIGHT_PAGE,
  type PageColours,
  resolveAppearance,
} from '../settings/appearance.js';
import {
  type ChosenSettings,
  DEFAULT_SETTINGS,
  SETTING_NAMES,
  type SettingChanges,
  type Settings,
  lineSettings,
  steppedSize,
} from '../settings/settings.js';
import { SettingsStore } from '../settings/settings-store.js';
import type { CaptionSource, LinkState } from '../sources/caption-source.js';
import { type InterfaceLanguage, interfaceLanguage } from '../wording/wording.js';
import { CaptionBoard } from './caption-board.js';
import { captionStyles } from './caption-styles.js';
import { captionsArea } from './captions-area.js';
import { gatewaySource } from './gateway-source.js';
import { makeMovable } from './overlay-mover.js';
import { panelStyles } from './panel-styles.js';
import { shellStyles } from './shell-styles.js';
import { StatusLine } from './status-line.js';

/** How often "captions are behind" is brought up to date. */
const LAG_CHECK_MS = 1000;

/**
 * `<live-captions room="council">`: the captions of one room, in the box that the page gives it: a transcript that scrolls, or
 * an overlay of a few lines on whatever the page has there (its next positioned ancestor).
 *
 * Attributes, read when the element is put into a page: `room`; `gateway`, its address (default: where the page comes from);
 * `layout` (`transcript`, the default, or `overlay`), until the reader chooses;
 * `settings-in-address`: the reader's settings are in the page's address too. `source`, a property, takes captions from
 * anywhere else instead: the element starts it when it is put into a page, and closes it when it is taken out.
 *
 * `token`, a LiveKit access token, may be set anew at any time: what is shown stays, and so does the connection where there is one.
 * Event `tokenexpiring`: the token ends within a minute, or has ended. It comes again until `token` is another one.
 *
 * Event `settings-changed`: `settings` is new, and `shown-layout`, an attribute, tells the layout.
 */
export class LiveCaptions extends LitElement {
  static override readonly properties = {
    room: { type: String },
    gateway: { type: String },
    token: { type: String },
    layout: { type: String },
    settingsInAddress: { type: Boolean, attribute: 'settings-in-address' },
    source: { attribute: false },
    link: { state: true },
    chosen: { state: true },
    isFollowing: { state: true },
    opened: { state: true },
    isSearching: { state: true },
    searched: { state: true },
  };

  static override readonly styles = [shellStyles, panelStyles, captionStyles];

  declare room: string;
  declare gateway: string;
  declare token: string;
  declare layout: string;
  declare settingsInAddress: boolean;
  /** In place of the gateway's WebSocket; undefined (the default) for that. */
  declare source: CaptionSource | undefined;
  declare protected link: LinkState;
  declare protected chosen: ChosenSettings;
  declare protected isFollowing: boolean;
  declare protected opened: 'settings' | 'shortcuts' | undefined;
  declare protected isSearching: boolean;
  /** Undefined while nothing was typed. */
  declare protected searched: SearchResult | undefined;
  readonly #darkness = matchMedia('(prefers-color-scheme: dark)');
  #store = new SettingsStore({ isInAddress: false });
  #source: CaptionSource | undefined;
  #captions: CaptionState | undefined;
  #board: CaptionBoard | undefined;
  #status: StatusLine | undefined;
  #language: InterfaceLanguage = interfaceLanguage([]);
  #lagTimer: ReturnType<typeof setInterval> | undefined;
  #laidOutFor = '';
  readonly #search = new TranscriptSearch();
  readonly #mask = new ProfanityMask(() => this.#layOut());

  constructor() {
    super();
    this.room = '';
    this.gateway = '';
    this.token = '';
    this.layout = '';
    this.settingsInAddress = false;
    this.link = { kind: 'connecting' };
    this.chosen = {};
    this.isFollowing = true;
    this.isSearching = false;
  }

  /** All that counts now: the defaults, the attribute `layout`, and what the reader chose. */
  get settings(): Settings {
    const layout = this.layout === 'overlay' ? { layout: this.layout } : {};
    return { ...DEFAULT_SETTINGS, ...layout, ...this.chosen } as Settings;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#store = new SettingsStore({ isInAddress: this.settingsInAddress });
    this.chosen = this.#store.read();
    window.addEventListener('online', this.#retry);
    this.#darkness.addEventListener('change', this.#applyAppearance);
    this.#lagTimer = setInterval(() => this.#showStatus(), LAG_CHECK_MS);
    this.#source = this.source ?? gatewaySource(this);
    this.#source.start({
      changed: (captions) => this.#show(captions),
      linkChanged: (link) => (this.link = link),
    });
    if (this.hasUpdated) this.#openBoard();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('online', this.#retry);
    this.#darkness.removeEventListener('change', this.#applyAppearance);
    clearInterval(this.#lagTimer);
    this.#source?.close();
    this.#board?.close();
    this.#board = undefined;
  }

  /** Sets what the reader sees and keeps it for their next visit, as the settings panel does. Undefined: as by default. */
  choose(changes: SettingChanges): void {
    const all = Object.entries({ ...this.chosen, ...changes }).filter(([, value]) => value !== undefined);
    this.chosen = Object.fromEntries(all);
    this.#store.write(
      this.chosen,
      SETTING_NAMES.filter((name) => name in changes),
    );
  }

  /** All settings are as by default. */
  resetSettings(): void {
    this.choose(Object.fromEntries(SETTING_NAMES.map((name) => [name, undefined])));
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has('chosen')) return;
    const { lang } = this.settings;
    this.#language = interfaceLanguage(lang === 'auto' ? navigator.languages : [lang]);
  }

  protected override firstUpdated(): void {
    this.#status = new StatusLine(this.#byId('status'));
    this.#openBoard();
    const [handle, box, area] = [this.#byId('move'), this.#byId('box'), this.#byId('root')];
    const settings = (): Settings => this.settings;
    makeMovable({ handle, box, area, settings, moved: (changes) => this.choose(changes) });
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('link')) this.#showStatus();
    // Not the one with which it began.
    if (changed.get('token') !== undefined) this.#source?.tokenChanged?.();
    if (changed.has('opened') && this.opened !== undefined) this.#byId('panel').focus();
    if (changed.has('isSearching') && this.isSearching) this.#byId('wanted').focus();
    if (!changed.has('chosen') && !changed.has('layout')) return;
    this.setAttribute('shown-layout', this.settings.layout);
    this.#applyAppearance();
    this.#showStatus();
    this.dispatchEvent(new Event('settings-changed'));
    const layout = lineSettings(this.settings);
    if (layout !== this.#laidOutFor) this.#layOut();
    this.#holdEnd();
    this.#laidOutFor = layout;
  }

  protected override render(): TemplateResult {
    const { tag, wording } = this.#language;
    const { layout, position, names, announce } = this.settings;
    const isOverlay = layout === 'overlay';
    const classes = [layout, position, names ? '' : 'no-names', this.opened === undefined ? '' : 'opened'];
    return html`<div id="root" lang=${tag} class=${classes.join(' ')} @keydown=${this.#keyPressed}>
      <section id="box" aria-label=${wording.captions}>
        <div id="bar" part="bar">
          <p id="status" part="status" role="status"></p>
          ${toolbar({
            wording,
            isOverlay,
            isFollowing: this.isFollowing,
            isSearching: this.isSearching,
            opened: this.opened,
            togglePause: () => this.#togglePause(),
            toggleSearch: () => (this.isSearching ? this.#closeSearch() : (this.isSearching = true)),
            toggle: (panel) => this.#toggle(panel),
          })}
          ${
            this.isSearching
              ? searchForm({
                  wording,
                  result: this.searched,
                  typed: (wanted) => this.#find(wanted),
                  step: (step) => (this.searched = this.#search.go(step)),
                  close: () => this.#closeSearch(),
                })
              : nothing
          }
        </div>
        ${captionsArea({
          wording,
          announce,
          isJumpHidden: this.isFollowing || isOverlay,
          jump: () => this.#jump(),
        })}
      </section>
      ${this.#panel()}
    </div>`;
  }

  #panel(): TemplateResult | typeof nothing {
    const { wording } = this.#language;
    const { settings } = this;
    switch (this.opened) {
      case undefined:
        return nothing;
      case 'shortcuts':
        return shortcutsPanel(wording, () => this.#closePanel());
      case 'settings':
        return settingsPanel({
          settings,
          resolved: resolveAppearance(settings, this.#page),
          wording,
          changed: (changes) => this.choose(changes),
          reset: () => this.resetSettings(),
          close: () => this.#closePanel(),
        });
    }
  }

  #closeSearch(): void {
    this.#search.clear();
    this.isSearching = false;
    this.searched = undefined;
    this.#byId('open-search').focus();
  }

  #find(wanted: string): void {
    if (this.#board === undefined) return;
    // What is found stays in view while captions go on.
    this.#board.scroller.pause();
    const result = this.#search.find(wanted, this.#board.log.segmentTexts());
    this.searched = wanted.trim() === '' ? undefined : result;
  }

  #togglePause(): void {
    const scroller = this.#board?.scroller;
    if (scroller?.isFollowing === true) scroller.pause();
    else scroller?.jumpToEnd();
  }

  #toggle(panel: 'settings' | 'shortcuts'): void {
    if (this.opened === panel) this.#closePanel();
    else this.opened = panel;
  }

  #closePanel(): void {
    const button = this.#byId(`open-${this.opened ?? 'settings'}`);
    this.opened = undefined;
    button.focus();
  }

  readonly #keyPressed = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      if (this.isSearching && event.target === this.#byId('wanted')) this.#closeSearch();
      else if (this.opened !== undefined) this.#closePanel();
      else return;
      event.preventDefault();
      return;
    }
    const shortcut = shortcutOf(event);
    if (shortcut === undefined) return;
    event.preventDefault();
    this.#do(shortcut, event.key);
  };

  #do(shortcut: ShortcutName, key: string): void {
    const { layout, size } = this.settings;
    const isTranscript = layout === 'transcript';
    switch (shortcut) {
      case 'search':
        this.isSearching ||= isTranscript;
        break;
      case 'pause':
        if (isTranscript) this.#togglePause();
        break;
      case 'jump':
        this.#jump();
        break;
      case 'settings':
        this.#toggle('settings');
        break;
      case 'layout':
        this.choose({ layout: isTranscript ? 'overlay' : 'transcript' });
        break;
      case 'larger':
        this.choose({ size: steppedSize(size, key === '+' ? 1 : -1) });
        break;
      case 'help':
        this.#toggle('shortcuts');
        break;
    }
  }

  #openBoard(): void {
    const options = this.#logOptions();
    this.#board = new CaptionBoard({
      scroller: this.#byId('scroller'),
      log: this.#byId('log'),
      announcer: this.#byId('announcer'),
      hint: this.#byId('hint'),
      options,
      followingChanged: (isFollowing) => (this.isFollowing = isFollowing),
    });
    this.#holdEnd();
    if (this.#captions !== undefined) this.#show(this.#captions);
  }

  /** The overlay has no scrolling, so whoever stopped in the transcript goes on in it. */
  #holdEnd(): void {
    if (this.#board !== undefined) this.#board.scroller.isHeld = this.settings.layout === 'overlay';
  }

  #logOptions(): LogOptions {
    const { tag, wording } = this.#language;
    const { layout, names, partial, delay, mask } = this.settings;
    return {
      rules: { showsPartial: partial, delayMs: delay, mask: mask ? this.#mask.mask : (word) => word },
      wording,
      language: tag,
      hasNamesInLines: layout === 'overlay' && names,
    };
  }

  readonly #retry = (): void => this.#source?.retryNow();

  #jump(): void {
    this.#board?.scroller.jumpToEnd();
  }

  get #page(): PageColours {
    return this.#darkness.matches ? DARK_PAGE : LIGHT_PAGE;
  }

  /** Marks of the search are on lines that are no more: they are found anew. */
  #layOut(): void {
    this.#search.clear();
    this.searched = undefined;
    if (this.#board !== undefined) this.#board.options = this.#logOptions();
  }

  readonly #applyAppearance = (): void => {
    const { style } = this.#byId('root');
    addFont(this.settings.font);
    for (const [name, value] of appearanceProperties(this.settings, this.#page))
      style.setProperty(name, value);
  };

  /** Not by way of a rendering, which skips states: a state holds the last finals only, and each must be shown. */
  #show(captions: CaptionState): void {
    this.#captions = captions;
    this.#board?.show(captions);
    this.#showStatus();
  }

  #showStatus(): void {
    const { wording } = this.#language;
    const behindS = this.#board?.behindS ?? 0;
    this.#status?.show({ link: this.link, captions: this.#captions, behindS, wording });
  }

  #byId(id: string): HTMLElement {
    const element = this.renderRoot.querySelector<HTMLElement>(`#${id}`);
    if (element === null) throw new Error(`the template has no #${id}`);
    return element;
  }
}
