import { css } from 'lit';

/** Words settle without moving: no rule for unsettled ones may change their width. */
export const captionStyles = css`
  :host {
    color-scheme: light dark;
    --background: #ffffff;
    --text: #1b1d21;
    --soft: #5c6169;
    --line: #d5d9de;
    --accent: #1558b0;
    --on-accent: #ffffff;
    --good: #1b7a34;
    --warning: #a34700;
    --bad: #b3261e;
    --speaker-0: #1558b0;
    --speaker-1: #a34700;
    --speaker-2: #1b6e2e;
    --speaker-3: #a3237f;
    --speaker-4: #00696b;
    --speaker-5: #b3261e;
    --speaker-6: #6a3fb5;
    --speaker-7: #6b5f00;
  }

  @media (prefers-color-scheme: dark) {
    :host {
      --background: #14171a;
      --text: #f1f3f5;
      --soft: #a9b0b8;
      --line: #363c43;
      --accent: #7db4ff;
      --on-accent: #0d1117;
      --good: #7fd68a;
      --warning: #ffab70;
      --bad: #ff9c94;
      --speaker-0: #7db4ff;
      --speaker-1: #ffab70;
      --speaker-2: #7fd68a;
      --speaker-3: #ff9ad5;
      --speaker-4: #5fd4d4;
      --speaker-5: #ff9c94;
      --speaker-6: #c3a6ff;
      --speaker-7: #e0cf5a;
    }
  }

  :host {
    display: block;
    max-width: 48rem;
    margin: 0 auto;
    /* Room below the newest line, for the button. */
    padding: 0 1rem 5rem;
    color: var(--text);
    font:
      1.25rem/1.5 system-ui,
      sans-serif;
  }

  * {
    box-sizing: border-box;
  }

  [hidden] {
    display: none !important;
  }

  #status {
    margin: 0;
    font-size: 1rem;
    overflow-wrap: anywhere;
  }

  #status:not(:empty)::before {
    content: '';
    display: inline-block;
    width: 0.65em;
    height: 0.65em;
    margin-right: 0.45em;
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

  /* Settled and open segments lie in two regions and appear as one list, in the order in which they began (the property order). */
  #captions {
    display: flex;
    flex-direction: column;
    gap: 1.1rem;
  }

  #settled,
  #open {
    display: contents;
  }

  .hint,
  .notice {
    margin: 0;
    color: var(--soft);
  }

  .segment {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    column-gap: 0.75rem;
    padding-left: 0.75rem;
    border-left: 4px solid var(--speaker);
  }

  .name {
    display: -webkit-box;
    max-width: calc(100% - 6rem);
    overflow: hidden;
    overflow-wrap: anywhere;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    color: var(--speaker);
    font-size: 1.0625rem;
    font-weight: bold;
  }

  time {
    color: var(--soft);
    font-size: 0.875rem;
    font-variant-numeric: tabular-nums;
  }

  /* Below name and time; screen readers are told the time last. */
  .text {
    order: 1;
    flex: 0 0 100%;
    min-width: 0;
    margin: 0;
    overflow-wrap: anywhere;
  }

  /* Nothing here may change the width of a word: words settle without moving. */
  .unsettled {
    color: var(--soft);
    text-decoration: underline dotted 0.08em;
    text-underline-offset: 0.25em;
  }

  .gap {
    padding-left: 0.75rem;
    border-left: 4px dotted var(--speaker);
  }

  .gap .name {
    display: inline;
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

  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }

  #jump {
    position: fixed;
    bottom: 1rem;
    left: 50%;
    transform: translateX(-50%);
    white-space: nowrap;
    /* Keeps the words that it covers from running into it. */
    box-shadow: 0 0 0 0.3rem var(--background);
  }

  #status {
    position: sticky;
    top: 0;
    z-index: 1;
    padding: 0.5rem 0;
    background: var(--background);
  }

  button {
    padding: 0.5rem 0.9rem;
    border: 1px solid var(--accent);
    border-radius: 0.4rem;
    background: var(--accent);
    color: var(--on-accent);
    font: inherit;
    font-weight: bold;
    cursor: pointer;
  }
`;
