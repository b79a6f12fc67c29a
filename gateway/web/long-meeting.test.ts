import type { CDPSession } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import type { CaptionState } from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import type { CaptionListener } from './live-captions.js';
import { withChromium } from './testing/chromium.js';
import { pageHarness } from './testing/page-harness.js';
import { scriptCaptions } from './testing/scripted-captions.js';

/** Somebody finishes a segment every four seconds. `npm run bench:page -- --hours 1,4,8` plays all of a day. */
const SEGMENTS_PER_HOUR = 900;
const SEGMENTS_AT_ONCE = 45;

describeWithModel('hours of captions', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();
    const { freshName, newPage, showRoom } = pageHarness({ model, launch, afterwards });

    it('leave the page as it was: elements and memory', async () => {
      const page = await showRoom(await newPage(), freshName());
      const session = await page.page.context().newCDPSession(page.page);
      await scriptCaptions(page.page);
      await page.page.evaluate(() => {
        const { listener } = (window as unknown as { scripted: { listener: CaptionListener } }).scripted;
        let number = 0;
        let seq = 0;
        let finals: CaptionState['finals'] = [];
        /** In three versions each; somebody new with every one. */
        const speak = (segments: number): void => {
          for (const end = number + segments; number < end; number++)
            for (let version = 1; version <= 3; version++) {
              const startMs = 1_700_000_000_000 + number * 4000;
              const words = Array.from({ length: version * 3 }, (_, at) => ({
                text: `word${number}-${at}`,
                startMs,
                endMs: startMs,
              }));
              const isFinal = version === 3;
              const segment = {
                segment: `s${number}`,
                speaker: { identity: `p${number}`, name: `Person ${number}` },
                revision: version,
                words,
                stable: version,
                isFinal,
                language: 'en',
              } as unknown as CaptionState['finals'][number];
              if (isFinal) finals = [...finals, segment].slice(-50);
              listener.changed({
                room: 'long',
                epochMs: 1_700_000_000_000,
                seq: (seq += 1),
                finals,
                open: isFinal ? [] : [segment],
                gaps: [],
                state: 'live',
                reason: '',
                needsResync: false,
              } as unknown as CaptionState);
            }
        };
        Object.assign(window, { speak });
      });
      const after = async (hours: number): Promise<{ elements: number; heapBytes: number }> => {
        for (let said = 0; said < hours * SEGMENTS_PER_HOUR; said += SEGMENTS_AT_ONCE)
          await page.page.evaluate((segments) => {
            (window as unknown as { speak: (segments: number) => void }).speak(segments);
            return new Promise(requestAnimationFrame);
          }, SEGMENTS_AT_ONCE);
        return measured(session);
      };
      // Everything that is bounded has reached its bound by then.
      const first = await after(2);
      const last = await after(2);
      expect(await page.page.locator('.block[data-segment]').count()).toBeLessThanOrEqual(550);
      expect(last.elements).toBeLessThan(1.1 * first.elements);
      expect(last.heapBytes).toBeLessThan(first.heapBytes + 500_000);
      expect(await page.toEndPx).toBeLessThan(2);
    }, 120_000);
  });
});

/** What is there after everything was thrown away that can be. */
async function measured(session: CDPSession): Promise<{ elements: number; heapBytes: number }> {
  await session.send('HeapProfiler.collectGarbage');
  const { nodes } = await session.send('Memory.getDOMCounters');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return { elements: nodes, heapBytes: usedSize };
}
