import { roomName } from '../../../protocol/index.js';
import type { CaptionSource } from '../sources/caption-source.js';
import { WebSocketSource } from '../sources/websocket-source.js';

/** What the element's attributes say of where captions come from. */
export interface GatewayAttributes extends HTMLElement {
  readonly room: string;
  /** May be relative to the page. */
  readonly gateway: string;
  /** Empty for none. */
  readonly token: string;
}

/** The gateway's WebSocket, with whatever token the element has then. */
export function gatewaySource(element: GatewayAttributes): CaptionSource {
  return new WebSocketSource({
    gateway: new URL(element.gateway === '' ? '/' : element.gateway, document.baseURI).href,
    room: roomName(element.room),
    token: () => (element.token === '' ? undefined : element.token),
    tokenExpiring: () => element.dispatchEvent(new Event('tokenexpiring', { bubbles: true, composed: true })),
  });
}
