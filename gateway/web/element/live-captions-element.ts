import { html, LitElement, nothing } from 'lit';
import { type CaptionState, roomName } from '../../../protocol/index.js';
import type { CaptionSource, LinkState } from '../sources/caption-source.js';
import { WebSocketSource } from '../sources/websocket-source.js';
import { CaptionList } from '../view/caption-list.js';
import { EndFollower } from '../view/end-follower.js';
import { statusText } from '../wording/wording.js';
import { captionStyles } from './caption-styles.js';

/**
 * `<live-captions room="council">`: the captions of one room.
 * Attributes, read when the element is put into a page: `room`; `gateway`, its address (default: where the page comes
 * from); `token`, a LiveKit access token. `source`, a property, takes captions from anywhere else instead: the element starts
 * it when it is put into a page, and closes it when it is taken out. It scrolls with the page.
 */
export class LiveCaptions extends LitElement {
  static override readonly properties = {
    room: { type: String },
    gateway: { type: String },
    token: { type: String },
    source: { attribute: false },
    captions: { state: true },
    link: { state: true },
  };

  static override readonly styles = captionStyles;

  declare room: string;
  declare gateway: string;
  declare token: string;
  /** In place of the gateway's WebSocket; undefined (the default) for that. */
  declare source: CaptionSource | undefined;
  declare protected captions: CaptionState | undefined;
  declare protected link: LinkState;
  #source: CaptionSource | undefined;
  #list: CaptionList | undefined;
  #follower: EndFollower | undefined;

  constructor() {
    super();
    this.room = '';
    this.gateway = '';
    this.token = '';
    this.link = { kind: 'connecting' };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('online', this.#retry);
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
    this.#follower?.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('online', this.#retry);
    this.#source?.close();
    this.#follower?.close();
  }

  protected override firstUpdated(): void {
    this.#list = new CaptionList({ settled: this.#byId('settled'), open: this.#byId('open') });
    this.#follower = new EndFollower(this.#byId('jump') as HTMLButtonElement);
    this.#follower.start();
    if (this.captions !== undefined) this.#show(this.captions);
  }

  protected override render() {
    const { text, tone } = statusText(this.link, this.captions);
    return html`<p id="status" role="status" class=${tone}>${text}</p>
      <!-- Shown once it is filled: screen readers then do not read out what was said before. -->
      <div id="captions" ?hidden=${this.captions === undefined}>
        <p id="hint" class="hint" hidden>Nobody has spoken yet.</p>
        <!-- Screen readers are given whole segments: what may still change is hidden from them. -->
        <div id="settled" role="log" aria-live="polite" aria-label="Captions">${nothing}</div>
        <div id="open" aria-hidden="true">${nothing}</div>
      </div>
      <button id="jump" type="button" hidden>Jump to now</button>`;
  }

  readonly #retry = (): void => this.#source?.retryNow();

  /** Not by way of a rendering, which skips states: a state holds the last finals only, and each must be shown. */
  #show(captions: CaptionState): void {
    this.captions = captions;
    if (this.#list === undefined) return;
    this.#list.show(captions);
    this.#byId('hint').hidden = !this.#list.isEmpty;
    this.#follower?.contentChanged();
  }

  #byId(id: string): HTMLElement {
    const element = this.renderRoot.querySelector<HTMLElement>(`#${id}`);
    if (element === null) throw new Error(`the template has no #${id}`);
    return element;
  }
}
