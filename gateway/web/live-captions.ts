/** The component for any application: `<script type="module" src="https://GATEWAY/live-captions.js"></script>`. */
import { LiveCaptions } from './element/live-captions-element.js';

if (customElements.get('live-captions') === undefined) customElements.define('live-captions', LiveCaptions);

export { LiveCaptions };
export { type LiveKitRoad, LiveKitSource, type LiveKitSourceOptions } from './sources/livekit-source.js';
export type { CaptionListener, CaptionSource, LinkState } from './sources/caption-source.js';
