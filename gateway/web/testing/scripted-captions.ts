import type { Page } from 'playwright-core';
import {
  type CaptionState,
  epochMs,
  initialState,
  participantIdentity,
  roomName,
  segmentId,
  type SegmentState,
} from '../../../protocol/index.js';
import type { CaptionListener, LiveCaptions } from '../live-captions.js';

/** What the page has of it, as `window.scripted`. */
interface Scripted {
  readonly listener: CaptionListener;
}

/** Puts a component into the page whose captions are what `showStates` says, in place of the one that is there. */
export async function scriptCaptions(page: Page): Promise<void> {
  await page.evaluate(() => {
    const Element = customElements.get('live-captions') as unknown as new () => LiveCaptions;
    const element = new Element();
    element.settingsInAddress = true;
    element.source = {
      start: (listener) => {
        Object.assign(window, { scripted: { listener } satisfies Scripted });
        listener.linkChanged({ kind: 'connected' });
      },
      retryNow: () => undefined,
      close: () => undefined,
    };
    document.querySelector('live-captions')?.replaceWith(element);
  });
  await page.locator('#log').waitFor({ state: 'attached' });
}

/** One after the other, all before the page draws anything. */
export async function showStates(page: Page, states: readonly CaptionState[]): Promise<void> {
  await page.evaluate((shown) => {
    const { listener } = (window as unknown as { scripted: Scripted }).scripted;
    for (const state of shown) listener.changed(state);
  }, states);
}

/** A state in which these have been said, and no more than that. `seq` tells which one comes after which. */
export const stateOf = (seq: number, content: Partial<CaptionState>): CaptionState => ({
  ...initialState(roomName('scripted')),
  epochMs: epochMs(1_700_000_000_000),
  needsResync: false,
  ...content,
  seq,
});

/** A segment of somebody whose identity is the name. */
export function segmentOf(what: {
  segment: string;
  name: string;
  text: string;
  isFinal?: boolean;
}): SegmentState {
  const { segment, name, text, isFinal = true } = what;
  const startMs = epochMs(1_700_000_000_000);
  const words = text.split(' ').map((word) => ({ text: word, startMs, endMs: startMs }));
  return {
    segment: segmentId(segment),
    speaker: { identity: participantIdentity(name), name },
    revision: 1,
    words,
    stable: words.length,
    isFinal,
    language: 'en',
  };
}
