import { css } from 'lit';

/** The captions: lines, names, times. Words settle without moving: no rule for unsettled ones may change their width. */
export const captionStyles = css`
  #scroller {
    flex: 1 1 auto;
    min-height: 0;
    overflow: hidden auto;
    overflow-anchor: none;
    overscroll-behavior: contain;
    background: var(--window);
    color: var(--text);
    /* Without opacity, which would have each time stamp drawn by itself. */
    --soft-text: color-mix(in srgb, var(--text) 82%, transparent);
    font: calc(var(--base-size) * var(--size)) / var(--line-height) var(--font);
    text-shadow: var(--edge);
  }

  /* Lines glide in it: beyond its end there is nothing, so that gliding neither lays out nor makes it longer. */
  #sheet {
    overflow-y: clip;
  }

  #log {
    display: flow-root;
    will-change: transform;
    width: var(--width);
    max-width: 60rem;
    margin: 0 auto;
    padding: 0.4em 0.9em 1em;
  }

  .block {
    position: relative;
    padding-inline: 0.6em 0;
    border-inline-start: 0.22em solid var(--speaker);
    margin-top: 0.75em;
    /* Nothing in it bears on what is around it. */
    contain: layout style;
  }

  /* The same person goes on: one paragraph below the other. */
  .goes-on {
    margin-top: 0.1em;
  }

  .goes-on::before {
    content: '';
    position: absolute;
    inset-inline-start: -0.22em;
    top: -0.1em;
    height: 0.1em;
    border-inline-start: 0.22em var(--speaker);
    border-inline-start-style: inherit;
  }

  .probe {
    /* Without a colour it would have no border, and lines would be taken to be wider than they are. */
    --speaker: transparent;
    visibility: hidden;
    height: 0;
    margin: 0;
    overflow: hidden;
  }

  .text {
    margin: 0;
  }

  /* Lines are broken by script, for good. The browser breaks only what does not fit into any. */
  .line {
    display: block;
    min-height: 1lh;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    unicode-bidi: isolate;
  }

  /* Marks that are piled up do not reach over what others said. */
  .piled {
    overflow: clip;
    overflow-clip-margin: 0.25em;
  }

  .unsettled {
    color: var(--unsettled);
    text-decoration: underline dotted 0.07em;
    text-underline-offset: 0.2em;
  }

  .name {
    display: inline-block;
    max-width: calc(100% - 6em);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    vertical-align: bottom;
    color: var(--speaker);
    font-weight: bold;
  }

  time {
    position: absolute;
    inset-inline-end: 0;
    top: 0.15em;
    color: var(--soft-text);
    font-size: 0.75em;
    font-variant-numeric: tabular-nums;
  }

  .goes-on time {
    display: none;
  }

  .no-names .name {
    display: none;
  }

  .no-names .block {
    padding-inline-end: 5em;
  }

  .no-names time {
    display: block;
  }

  .notice,
  .hint {
    margin: 0.75em 0 0;
    color: var(--soft-text);
    font-style: italic;
    overflow-wrap: anywhere;
  }

  .gap {
    padding-inline-start: 0.6em;
    border-inline-start: 0.22em dotted var(--speaker);
    color: var(--text);
  }

  .found {
    outline: 0.15em solid var(--accent);
    outline-offset: 0.15em;
  }

  ::highlight(live-captions-found) {
    background: #ffe066;
    color: #000000;
  }

  ::highlight(live-captions-here) {
    background: #ff9d2e;
    color: #000000;
  }

  .speaker-0 {
    --speaker: var(--speaker-0);
  }
  .speaker-1 {
    --speaker: var(--speaker-1);
  }
  .speaker-2 {
    --speaker: var(--speaker-2);
  }
  .speaker-3 {
    --speaker: var(--speaker-3);
  }
  .speaker-4 {
    --speaker: var(--speaker-4);
  }
  .speaker-5 {
    --speaker: var(--speaker-5);
  }
  .speaker-6 {
    --speaker: var(--speaker-6);
  }
  .speaker-7 {
    --speaker: var(--speaker-7);
  }

  /* Who sees no colours sees stripes: every other speaker's is another one. */
  .speaker-1,
  .speaker-5 {
    border-inline-start-style: double;
  }
  .speaker-2,
  .speaker-6 {
    border-inline-start-style: dashed;
  }
  .speaker-3,
  .speaker-7 {
    border-inline-start-style: ridge;
  }

  /* The overlay: a few lines, each with a background of its own. */
  .overlay #scroller {
    flex: none;
    overflow: hidden;
    max-height: calc(var(--lines) * (1lh + 0.2em));
    border-radius: 0.2em;
  }

  .overlay #log {
    width: auto;
    max-width: none;
    padding: 0;
  }

  .overlay .block {
    margin: 0;
    padding: 0;
    border: none;
  }

  .overlay .goes-on::before,
  .overlay time {
    display: none;
  }

  .overlay .line {
    width: fit-content;
    max-width: 100%;
    box-sizing: border-box;
    min-height: 0;
    margin-bottom: 0.2em;
    padding-inline: 0.45em;
    border-inline-start: 0.18em solid var(--speaker);
    background: var(--line-background);
  }

  .overlay .line:empty {
    border-color: transparent;
    background: none;
    min-height: 1lh;
  }

  .overlay .probe .line {
    width: auto;
  }

  .line > .name {
    /* Not in units of a container: each word would have all styles looked up again. */
    max-width: min(11em, calc(var(--line-width, 100em) * 0.45));
    margin-inline-end: 0.4em;
  }

  .line > .name::after {
    content: ':';
  }

  .overlay .notice {
    margin: 0 0 0.2em;
    padding-inline: 0.45em;
    background: var(--line-background);
    color: var(--text);
  }

  .transcript .line {
    width: fit-content;
    background: var(--line-background);
  }

  .transcript .probe .line {
    width: auto;
  }

  @media (forced-colors: active) {
    #scroller,
    .overlay .line,
    .overlay .notice {
      background: Canvas;
    }

    #scroller,
    .name,
    .unsettled,
    .notice,
    .hint,
    time {
      color: CanvasText;
      text-shadow: none;
    }
  }
`;
