import { css, html, LitElement } from 'lit';
import { type CaptionState, roomName, segmentsOf } from '../../../protocol/index.js';
import type { CaptionSource, LinkState } from '../sources/caption-source.js';
import { WebSocketSource } from '../sources/websocket-source.js';

/**
 * `<live-captions room="council">`: the captions of one room.
 * Attributes: `room`; `gateway`, its address (default: where the page comes from); `token`, a LiveKit access token.
 */
export class LiveCaptions extends LitElement {
  static override readonly properties = {
    room: { type: String },
    gateway: { type: String },
    token: { type: String },
    captions: { state: true },
    link: { state: true },
  };

  static override readonly styles = css`
    :host {
      display: block;
    }
  `;

  declare room: string;
  declare gateway: string;
  declare token: string;
  protected declare captions: CaptionState | undefined;
  protected declare link: LinkState;
  #source: CaptionSource | undefined;

  constructor() {
    super();
    this.room = '';
    this.gateway = '';
    this.token = '';
    this.link = { kind: 'connecting' };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const source = new WebSocketSource({
      gateway: new URL(this.gateway, document.baseURI).href,
      room: roomName(this.room),
      token: this.token === '' ? undefined : this.token,
    });
    this.#source = source;
    source.start({
      changed: (captions) => (this.captions = captions),
      linkChanged: (link) => (this.link = link),
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#source?.close();
  }

  protected override render() {
    const segments = this.captions === undefined ? [] : segmentsOf(this.captions);
    return html`<p id="status" role="status">${this.link.kind}</p>
      ${segments.map(
        ({ speaker, words }) =>
          html`<p class="segment"><b class="name">${speaker.name}</b> ${words.map(({ text }) => text).join(' ')}</p>`,
      )}`;
  }
}
