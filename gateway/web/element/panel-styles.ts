import { css } from 'lit';

/** The settings panel and the list of shortcuts. */
export const panelStyles = css`
  #panel {
    flex: 0 0 min(24rem, 45%);
    min-height: 0;
    overflow-y: auto;
    padding: 0.75rem 1rem 2rem;
    border-inline-start: 1px solid var(--rule);
    background: var(--page);
    color: var(--ink);
    pointer-events: auto;
  }

  .overlay #panel {
    position: absolute;
    inset-block: 0;
    inset-inline-end: 0;
    width: min(24rem, 100%);
    z-index: 1;
  }

  /* Narrow: the panel below the captions. */
  @media (max-width: 45rem) {
    .transcript#root {
      flex-direction: column;
    }

    .transcript #box {
      flex-basis: 0;
    }

    .transcript #panel {
      flex: 0 1 60%;
      border-inline-start: none;
      border-top: 2px solid var(--rule);
    }

    .overlay #panel {
      inset-block: auto 0;
      max-height: 60%;
    }
  }

  #panel h2 {
    margin: 0;
    font-size: 1.125rem;
  }

  #panel .head {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    align-items: center;
    gap: 0.5rem;
    margin-bottom: 0.5rem;
  }

  #panel fieldset {
    min-width: 0;
    margin: 0.75rem 0 0;
    padding: 0.25rem 0.75rem 0.75rem;
    border: 1px solid var(--rule);
    border-radius: 0.4rem;
  }

  #panel legend {
    font-weight: bold;
  }

  .setting {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.15rem 0.75rem;
    min-height: 2.25rem;
    margin-top: 0.35rem;
  }

  .setting label {
    flex: 1 1 min(9rem, 100%);
    min-width: 0;
    overflow-wrap: anywhere;
  }

  .setting .value {
    display: flex;
    flex: 1 1 min(9rem, 100%);
    align-items: center;
    justify-content: flex-end;
    gap: 0.4rem;
    min-width: 0;
  }

  .setting select {
    width: 100%;
    min-width: 0;
  }

  .setting input[type='range'] {
    flex: 1 1 3rem;
    min-width: 0;
    height: 2rem;
    accent-color: var(--accent);
  }

  .setting input[type='checkbox'] {
    width: 1.5rem;
    height: 1.5rem;
    accent-color: var(--accent);
  }

  .setting input[type='color'] {
    flex: none;
    width: 3.5rem;
    padding: 0.15rem;
  }

  .setting output {
    min-width: 4.5ch;
    text-align: end;
    font-variant-numeric: tabular-nums;
  }

  .preview {
    overflow: hidden;
    margin: 0.5rem 0 0;
    padding: 0.6rem;
    border: 1px solid var(--rule);
    border-radius: 0.4rem;
    background: repeating-conic-gradient(#6d7f73 0 25%, #93a5b8 0 50%) 50% / 2rem 2rem;
  }

  .preview .sample {
    max-height: 9rem;
    overflow: hidden;
    padding: 0.3em 0.5em;
    background: var(--window);
    color: var(--text);
    font: calc(var(--base-size) * var(--size)) / var(--line-height) var(--font);
    text-shadow: var(--edge);
  }

  .preview .sample span.lines {
    background: var(--line-background);
    box-decoration-break: clone;
  }

  .preview .name {
    max-width: none;
  }

  .shortcuts dl {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 0.4rem 1rem;
  }

  .shortcuts dd {
    margin: 0;
  }

  kbd {
    padding: 0.05rem 0.4rem;
    border: 1px solid var(--rule);
    border-radius: 0.25rem;
    font: inherit;
  }
`;
