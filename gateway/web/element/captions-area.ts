import { html, type TemplateResult } from 'lit';
import type { Wording } from '../wording/wording.js';

export interface CaptionsAreaOptions {
  readonly wording: Wording;
  /** Of what is read out to screen readers. */
  readonly announce: 'polite' | 'off';
  readonly isJumpHidden: boolean;
  readonly jump: () => void;
}

/** The places that `CaptionBoard` fills: nothing is rendered into them. */
export function captionsArea({ wording, announce, isJumpHidden, jump }: CaptionsAreaOptions): TemplateResult {
  return html`<div id="scroller" part="captions" tabindex="0" role="group" aria-label=${wording.captions}>
      <p id="hint" class="hint" hidden>${wording.nobodySpoke}</p>
      <div id="sheet"><div id="log"></div></div>
    </div>
    <button id="jump" part="jump" type="button" ?hidden=${isJumpHidden} @click=${jump}>
      ${wording.jump}
    </button>
    <div
      id="announcer"
      class="unseen"
      role="log"
      aria-live=${announce}
      aria-label=${wording.announced}
    ></div>`;
}
