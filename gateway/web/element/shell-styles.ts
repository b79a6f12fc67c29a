import { css } from 'lit';

/** What is around the captions: status, tools, the settings panel. */
export const shellStyles = css`
  :host {
    display: block;
    position: relative;
    height: 100%;
    min-height: 0;
    color-scheme: light dark;
    --page: light-dark(#ffffff, #14171a);
    --ink: light-dark(#1b1d21, #f1f3f5);
    --soft: light-dark(#5c6169, #a9b0b8);
    --rule: light-dark(#8a9099, #737b84);
    --accent: light-dark(#1558b0, #7db4ff);
    --on-accent: light-dark(#ffffff, #0d1117);
    --good: light-dark(#1b7a34, #7fd68a);
    --warning: light-dark(#a34700, #ffab70);
    --bad: light-dark(#b3261e, #ff9c94);
    --base-size: 1.25rem;
  }

  :host([hidden]) {
    display: none;
  }

  :host([shown-layout='overlay']) {
    position: absolute;
    inset: 0;
    height: auto;
    pointer-events: none;
    --base-size: 1.75rem;
  }

  * {
    box-sizing: border-box;
  }

  [hidden] {
    display: none !important;
  }

  #root {
    display: flex;
    flex-wrap: nowrap;
    height: 100%;
    color: var(--ink);
    font:
      1rem/1.4 system-ui,
      sans-serif;
  }

  #box {
    position: relative;
    flex: 1 1 auto;
    display: flex;
    flex-direction: column;
    min-width: 0;
    min-height: 0;
  }

  #bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 1rem;
    padding: 0.35rem 0.9rem;
    border-bottom: 1px solid var(--rule);
    background: var(--page);
  }

  #status {
    flex: 1 1 12rem;
    min-width: 0;
    margin: 0;
    overflow-wrap: anywhere;
  }

  #status:not(:empty)::before {
    content: '';
    display: inline-block;
    width: 0.65em;
    height: 0.65em;
    margin-inline-end: 0.45em;
    border-radius: 50%;
    background: var(--soft);
  }

  #status.good::before {
    background: var(--good);
  }

  #status.warning::before {
    background: var(--warning);
  }

  #status.bad {
    font-weight: bold;
  }

  #status.bad::before {
    border-radius: 0;
    background: var(--bad);
  }

  #tools,
  #search {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.35rem;
  }

  #search {
    flex: 1 0 100%;
    padding-block: 0.25rem;
  }

  #search input {
    flex: 1 1 10rem;
    min-width: 0;
  }

  button,
  select,
  input:not([type='range'], [type='checkbox']) {
    min-height: 2.25rem;
    padding: 0.25rem 0.7rem;
    border: 1px solid var(--rule);
    border-radius: 0.4rem;
    background: var(--page);
    color: var(--ink);
    font: inherit;
  }

  button {
    cursor: pointer;
  }

  button[aria-pressed='true'],
  button[aria-expanded='true'] {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
  }

  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }

  #scroller:focus-visible {
    outline-offset: -3px;
  }

  #jump {
    position: absolute;
    bottom: 0.75rem;
    left: 50%;
    transform: translateX(-50%);
    max-width: calc(100% - 1rem);
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
    font-weight: bold;
    /* Keeps the words that it covers from running into it. */
    box-shadow: 0 0 0 0.3rem var(--behind);
  }

  @media (max-width: 30rem) {
    #bar {
      gap: 0.25rem 0.6rem;
      padding: 0.25rem 0.6rem;
    }

    #tools button {
      padding-inline: 0.45rem;
    }
  }

  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  .overlay #box {
    position: absolute;
    flex: none;
    pointer-events: auto;
    left: 50%;
    width: max(var(--width), min(100%, 18rem));
    transform: translateX(-50%);
  }

  .overlay.bottom #box {
    bottom: 4%;
  }

  .overlay.top #box {
    top: 4%;
    flex-direction: column-reverse;
  }

  /* Its middle is where it was put, as far as that leaves it in the picture. */
  .overlay.free #box {
    left: calc(var(--x) * 1%);
    top: calc(var(--y) * 1%);
    transform: translate(calc(var(--x) * -1%), calc(var(--y) * -1%));
  }

  .overlay #bar {
    gap: 0.35rem;
    padding: 0.25rem 0;
    border: none;
    background: none;
  }

  .overlay #status {
    flex: 0 1 auto;
    padding: 0.2rem 0.6rem;
    border-radius: 0.3rem;
    background: #000000e6;
    color: #ffffff;
  }

  .overlay #status::before {
    --soft: #a9b0b8;
    --warning: #ffab70;
    --bad: #ff9c94;
  }

  .overlay #status:is(.good, :empty) {
    display: none;
  }

  /* Out of the picture until somebody wants them. They keep their place: captions do not move for them. */
  .overlay #tools {
    opacity: 0;
  }

  .overlay #box:hover #tools,
  .overlay #box:focus-within #tools,
  .overlay.opened #tools {
    opacity: 1;
  }

  #move {
    cursor: move;
    touch-action: none;
  }

  @media (forced-colors: active) {
    button[aria-pressed='true'],
    button[aria-expanded='true'],
    #jump {
      border: 3px solid Highlight;
    }

    .overlay #status {
      background: Canvas;
      color: CanvasText;
    }
  }
`;
