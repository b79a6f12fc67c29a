import { expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import type { CaptionPage } from './testing/caption-page.js';
import { withChromium } from './testing/chromium.js';
import { pageHarness, PATIENCE } from './testing/page-harness.js';
import { scriptCaptions, segmentOf, showStates, stateOf } from './testing/scripted-captions.js';

describeWithModel('following what is said', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();
    const { freshName, newPage, showRoom } = pageHarness({ model, launch, afterwards });

    const line = (number: number) =>
      segmentOf({ segment: `s${number}`, name: `Speaker ${number % 3}`, text: `sentence number ${number}.` });
    const lines = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => line(from + index));
    /** A page that is full already, and follows. */
    const openFull = async (): Promise<CaptionPage> => {
      const page = await showRoom(await newPage(), freshName());
      await scriptCaptions(page.page);
      await showStates(page.page, [stateOf(1, { finals: lines(0, 30) })]);
      await expect.poll(() => page.settled, PATIENCE).toHaveLength(30);
      await follows(page);
      return page;
    };
    const frames = ({ page }: CaptionPage, count: number) =>
      page.evaluate(async (wanted) => {
        for (let frame = 0; frame < wanted; frame++) await new Promise(requestAnimationFrame);
      }, count);
    const follows = async (page: CaptionPage): Promise<void> => {
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      expect(await page.page.locator('#jump').isVisible()).toBe(false);
      const pause = page.page.locator('#pause');
      expect(await pause.getAttribute('aria-pressed')).toBe('false');
    };
    const scrollTop = ({ page }: CaptionPage) =>
      page.locator('#scroller').evaluate((scroller) => scroller.scrollTop);

    it('goes on when lines that came one after the other have glided to their places', async () => {
      const page = await openFull();
      const session = await page.page.context().newCDPSession(page.page);
      await session.send('Animation.enable');
      // A glide that lasts as long as the test does.
      await session.send('Animation.setPlaybackRate', { playbackRate: 0.001 });
      const glides = () =>
        page.page.locator('#log').evaluate((log) => log.getAnimations().map(({ playState }) => playState));
      await showStates(page.page, [stateOf(2, { finals: lines(0, 31) })]);
      await expect.poll(glides, PATIENCE).toEqual(['running']);
      await follows(page);
      await showStates(page.page, [stateOf(3, { finals: lines(0, 32) })]);
      await expect.poll(() => page.settled, PATIENCE).toHaveLength(32);
      await frames(page, 2);
      expect(await glides()).toEqual(['running']);
      await follows(page);
      const restingPx = await scrollTop(page);
      await page.page.locator('#log').evaluate((log) => {
        for (const glide of log.getAnimations()) glide.finish();
      });
      await frames(page, 3);
      expect(await scrollTop(page)).toBe(restingPx);
      await follows(page);
      await showStates(page.page, [stateOf(4, { finals: lines(0, 33) })]);
      await expect.poll(() => page.settled, PATIENCE).toHaveLength(33);
      await follows(page);
    });

    it('goes on when what was open vanishes and more is said before the page is drawn', async () => {
      const page = await openFull();
      const text = 'words that will never be finished '.repeat(40).trim();
      const open = [segmentOf({ segment: 'open', name: 'Ana', text, isFinal: false })];
      for (let turn = 0; turn < 3; turn++) {
        const seq = 10 + 10 * turn;
        await showStates(page.page, [stateOf(seq, { finals: lines(0, 30 + turn), open })]);
        await expect.poll(() => page.open, PATIENCE).toHaveLength(1);
        await follows(page);
        // The browser takes the place back to the new end, and tells of it when that is no end any more.
        await page.page.evaluate(() => {
          const scroller = document.querySelector('live-captions')?.shadowRoot?.getElementById('scroller');
          const look = (): number => scroller?.scrollTop ?? 0;
          new MutationObserver(look).observe(scroller ?? document, { childList: true, subtree: true });
        });
        await showStates(page.page, [
          stateOf(seq + 2, { finals: lines(0, 30 + turn) }),
          stateOf(seq + 4, { finals: lines(0, 31 + turn) }),
          stateOf(seq + 5, {
            finals: lines(0, 31 + turn),
            open: [{ ...open[0]!, words: open[0]!.words.slice(0, 60) }],
          }),
          stateOf(seq + 7, { finals: lines(0, 31 + turn) }),
        ]);
        await expect.poll(() => page.settled, PATIENCE).toHaveLength(31 + turn);
        await frames(page, 3);
        await follows(page);
      }
    });

    it('goes on when the window becomes higher, lower, wider, narrower, and text larger', async () => {
      const page = await openFull();
      let said = 30;
      for (const viewport of [
        { width: 800, height: 300 },
        { width: 800, height: 900 },
        { width: 320, height: 500 },
        { width: 1200, height: 700 },
      ]) {
        await page.page.setViewportSize(viewport);
        said += 1;
        await showStates(page.page, [stateOf(said, { finals: lines(0, said) })]);
        await expect.poll(() => page.settled, PATIENCE).toHaveLength(said);
        await follows(page);
      }
      await page.page.locator('#scroller').focus();
      for (const key of ['+', '+', '+', '-', '-']) {
        await page.page.keyboard.press(key);
        await frames(page, 2);
        await follows(page);
      }
      // What nobody tells the component: a font that came, a rule of the application.
      for (const size of ['130%', '80%']) {
        await page.page.locator('#log').evaluate((log, fontSize) => (log.style.fontSize = fontSize), size);
        await frames(page, 3);
        await follows(page);
      }
    });

    it('goes on in the overlay, where nothing else would bring it back, after a pause in the transcript', async () => {
      const page = await openFull();
      await page.page.locator('#scroller').focus();
      await page.page.keyboard.press('p');
      await page.page.locator('#jump').waitFor();
      await page.page.keyboard.press('l');
      await page.page.locator('live-captions[shown-layout=overlay]').waitFor({ state: 'attached' });
      await showStates(page.page, [stateOf(2, { finals: lines(0, 32) })]);
      await expect.poll(() => page.settled, PATIENCE).toHaveLength(32);
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      // Search by the browser and the like scroll too.
      await page.page.locator('#scroller').evaluate((scroller) => (scroller.scrollTop = 0));
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
    });

    it('ends when the reader scrolls up, however little, also while lines glide', async () => {
      const page = await openFull();
      await showStates(page.page, [stateOf(2, { finals: lines(0, 31) })]);
      await page.page.locator('#scroller').evaluate((scroller) => (scroller.scrollTop -= 40));
      await page.page.locator('#jump').waitFor();
      const placePx = await scrollTop(page);
      await showStates(page.page, [stateOf(3, { finals: lines(0, 34) })]);
      await expect.poll(() => page.settled, PATIENCE).toHaveLength(34);
      await frames(page, 2);
      expect(await scrollTop(page)).toBe(placePx);
    });
  });
});
