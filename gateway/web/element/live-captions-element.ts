import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { type CaptionState, roomName } from '../../../protocol/index.js';
import type { LogOptions } from '../lines/caption-log.js';
import { appearanceProperties, DARK_PAGE, LIGHT_PAGE } from '../settings/appearance.js';
import {
  type ChosenSettings,
  DEFAULT_SETTINGS,
  SETTING_NAMES,
  type SettingChanges,
  type Settings,
} from '../settings/settings.js';
import { SettingsStore } from '../settings/settings-store.js';
import type { CaptionSource, LinkState } from '../sources/caption-source.js';
import { WebSocketSource } from '../sources/websocket-source.js';
import { type InterfaceLanguage, interfaceLanguage, statusText } from '../wording/wording.js';
import { CaptionBoard } from './caption-board.js';
import { captionStyles } from './caption-styles.js';
import { panelStyles } from './panel-styles.js';
import { shellStyles } from './shell-styles.js';

/** How often "captions are behind" is brought up to date. */
const LAG_CHECK_MS = 1000;

/**
 * `<live-captions room="council">`: the captions of one room, in the box that the page gives it: a transcript that scrolls, or
 * an overlay of a few lines on whatever the page has there (its next positioned ancestor).
 *
 * Attributes, read when the element is put into a page: `room`; `gateway`, its address (default: where the page comes from);
 * `token`, a LiveKit access token; `layout` (`transcript`, the default, or `overlay`), until the reader chooses;
 * `settings-in-address`: the reader's settings are in the page's address too. `source`, a property, takes captions from
 * anywhere else instead: the element starts it when it is put into a page, and closes it when it is taken out.
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
    statusLine: { state: true },
    isFollowing: { state: true },
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
  readonly #darkness = matchMedia('(prefers-color-scheme: dark)');
  #store = new SettingsStore({ isInAddress: false });
  #source: CaptionSource | undefined;
  #captions: CaptionState | undefined;
  #board: CaptionBoard | undefined;
  #lagTimer: ReturnType<typeof setInterval> | undefined;
  #laidOutFor = '';

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
    this.#darkness.addEventListener('change', this.#colourSchemeChanged);
    this.#lagTimer = setInterval(() => this.#showStatus(), LAG_CHECK_MS);
    const source =
      this.source ??
      new WebSocketSource({
        gateway: new URL(this.gateway, document.baseURI).href,
        room: roomName(this.room),
        token: this.token === '' ? undefined : this.token,
      });
    this.#source = source;
    source.start({
      changed: (captions) => this.#show(captions),
      linkChanged: (link) => (this.link = link),
    });
    if (this.hasUpdated) this.#openBoard();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('online', this.#retry);
    this.#darkness.removeEventListener('change', this.#colourSchemeChanged);
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

  protected override firstUpdated(): void {
    this.#openBoard();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('link')) this.#showStatus();
    if (!changed.has('chosen') && !changed.has('layout')) return;
    this.setAttribute('shown-layout', this.settings.layout);
    this.#applyAppearance();
    this.#showStatus();
    this.dispatchEvent(new Event('settings-changed'));
    const layout = this.#needsLayOut();
    if (layout !== this.#laidOutFor && this.#board !== undefined) this.#board.options = this.#logOptions();
    this.#laidOutFor = layout;
  }

  protected override render() {
    const { wording } = this.#language;
    const { layout, position, names } = this.settings;
    const classes = `${layout} ${position} ${names ? '' : 'no-names'}`;
    return html`<div id="root" class=${classes}>
      <section id="box" aria-label=${wording.captions}>
        <div id="bar">
          <p id="status" role="status"></p>
        </div>
        <div id="scroller" tabindex="0" role="group" aria-label=${wording.captions}>
          <p id="hint" class="hint" hidden>${wording.nobodySpoke}</p>
          <div id="log">${nothing}</div>
        </div>
        <button
          id="jump"
          type="button"
          ?hidden=${this.isFollowing || layout === 'overlay'}
          @click=${this.#jump}
        >
          ${wording.jump}
        </button>
        <div
          id="announcer"
          class="unseen"
          role="log"
          aria-live="polite"
          aria-label=${wording.announced}
        ></div>
      </section>
    </div>`;
  }

  get #language(): InterfaceLanguage {
    const { lang } = this.settings;
    return interfaceLanguage(lang === 'auto' ? navigator.languages : [lang]);
  }

  #openBoard(): void {
    const options = this.#logOptions();
    this.#board = new CaptionBoard({
      scroller: this.#byId('scroller'),
      log: this.#byId('log'),
      announcer: this.#byId('announcer'),
      options,
      followingChanged: (isFollowing) => (this.isFollowing = isFollowing),
    });
    if (this.#captions !== undefined) this.#show(this.#captions);
  }

  #logOptions(): LogOptions {
    const { tag, wording } = this.#language;
    const { layout, names, partial, delay } = this.settings;
    return {
      rules: { showsPartial: partial, delayMs: delay, mask: (word) => word },
      wording,
      language: tag,
      hasNamesInLines: layout === 'overlay' && names,
    };
  }

  /** Differs where lines must be broken anew. */
  #needsLayOut(): string {
    const { layout, size, font, names, width, partial, delay, mask, lang } = this.settings;
    return JSON.stringify([layout, size, font, names, width, partial, delay, mask, lang]);
  }

  readonly #retry = (): void => this.#source?.retryNow();
  readonly #jump = (): void => this.#board?.scroller.jumpToEnd();
  readonly #colourSchemeChanged = (): void => this.#applyAppearance();

  #applyAppearance(): void {
    const { style } = this.#byId('root');
    const page = this.#darkness.matches ? DARK_PAGE : LIGHT_PAGE;
    for (const [name, value] of appearanceProperties(this.settings, page)) style.setProperty(name, value);
  }

  /** Not by way of a rendering, which skips states: a state holds the last finals only, and each must be shown. */
  #show(captions: CaptionState): void {
    this.#captions = captions;
    if (this.#board === undefined) return;
    this.#board.show(captions);
    this.#byId('hint').hidden = !this.#board.log.isEmpty;
    this.#showStatus();
  }

  #showStatus(): void {
    if (!this.hasUpdated) return;
    const { wording } = this.#language;
    const captions = this.#captions;
    const behindS = this.#board?.behindS ?? 0;
    const { text, tone } = statusText(this.link, captions && { ...captions, behindS }, wording);
    const status = this.#byId('status');
    // Setting the same text again would make screen readers say it again.
    if (status.textContent !== text) status.textContent = text;
    if (status.className !== tone) status.className = tone;
  }

  #byId(id: string): HTMLElement {
    const element = this.renderRoot.querySelector<HTMLElement>(`#${id}`);
    if (element === null) throw new Error(`the template has no #${id}`);
    return element;
  }
}
