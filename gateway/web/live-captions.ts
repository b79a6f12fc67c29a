/** The component for any application: `<script type="module" src="https://GATEWAY/live-captions.js"></script>`. */
import { LiveCaptions } from './element/live-captions-element.js';

if (customElements.get('live-captions') === undefined) customElements.define('live-captions', LiveCaptions);

export { LiveCaptions };
export { type LiveKitRoad, LiveKitSource, type LiveKitSourceOptions } from './sources/livekit-source.js';
export { gatewayKeys } from './sources/gateway-keys.js';
export type { RoomKeysOption } from './sources/room-key-ring.js';
export type { CaptionListener, CaptionSource, LinkState, UnverifiedCause } from './sources/caption-source.js';
