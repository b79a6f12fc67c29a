import type { Locator } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { SETTING_NAMES } from './settings/settings.js';
import type { CaptionPage } from './testing/caption-page.js';
import { withChromium } from './testing/chromium.js';
import { pageHarness, PATIENCE } from './testing/page-harness.js';
import { person, say } from './testing/room-script.js';

describeWithModel('the settings of captions', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();
    const { gateway, enter, freshName, newPage } = pageHarness({ model, launch, afterwards });

    /** A page of a room in which Ana has said something, and is saying more. */
    const open = async (query = '', given?: CaptionPage): Promise<CaptionPage> => {
      const name = freshName();
      const room = enter(name);
      say(room, { speaker: person('Ana'), segment: 'a', text: 'Good morning to you shit.' });
      say(room, {
        speaker: person('Ana'),
        segment: 'b',
        text: 'this is not done',
        stable: 2,
        isFinal: false,
      });
      const page = given ?? (await newPage());
      await page.page.goto(`${gateway().url}/?room=${encodeURIComponent(name)}${query}`);
      await page.page.locator('.block').nth(2).waitFor({ state: 'attached' });
      return page;
    };
    const css = (page: CaptionPage, selector: string, property: string): Promise<string> =>
      page.page
        .locator(selector)
        .first()
        .evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);
    const control = (page: CaptionPage, name: string): Locator => page.page.locator(`#setting-${name}`);
    const words = async (page: CaptionPage): Promise<string[]> =>
      [...(await page.settled), ...(await page.open)].map(({ text }) => text);
    const LINE = '.block[data-segment] .line';

    it('are all in the panel, take effect at once, are kept, and go back with one button', async () => {
      const page = await open();
      const { page: tab } = page;
      await tab.getByRole('button', { name: 'Settings' }).click();
      const beforeUrl = new URL(tab.url());
      const beforeColour = await css(page, LINE, 'color');

      await control(page, 'size').fill('200');
      await expect.poll(() => css(page, LINE, 'font-size'), PATIENCE).toBe('40px');
      await control(page, 'line-height').fill('2');
      await expect.poll(() => css(page, LINE, 'line-height'), PATIENCE).toBe('80px');
      await control(page, 'font').selectOption('hyperlegible');
      await expect.poll(() => css(page, LINE, 'font-family'), PATIENCE).toContain('Atkinson Hyperlegible');
      await expect
        .poll(() => tab.evaluate(() => document.fonts.check('20px "Atkinson Hyperlegible"')), PATIENCE)
        .toBe(true);
      await control(page, 'font').selectOption('dyslexic');
      await expect.poll(() => css(page, LINE, 'font-family'), PATIENCE).toContain('OpenDyslexic');
      await expect
        .poll(
          () =>
            tab.evaluate(() =>
              [...document.fonts].some(
                ({ family, status }) => /OpenDyslexic/.test(family) && status === 'loaded',
              ),
            ),
          PATIENCE,
        )
        .toBe(true);
      await control(page, 'edge').selectOption('outline');
      await expect.poll(() => css(page, LINE, 'text-shadow'), PATIENCE).not.toBe('none');
      await control(page, 'text').fill('#ffff00');
      await control(page, 'text-opacity').fill('90');
      await expect.poll(() => css(page, LINE, 'color'), PATIENCE).toBe('rgba(255, 255, 0, 0.9)');
      await control(page, 'background').fill('#000080');
      await control(page, 'background-opacity').fill('70');
      await expect.poll(() => css(page, LINE, 'background-color'), PATIENCE).toBe('rgba(0, 0, 128, 0.7)');
      await control(page, 'window').fill('#202020');
      await control(page, 'window-opacity').fill('60');
      await expect
        .poll(() => css(page, '#scroller', 'background-color'), PATIENCE)
        .toBe('rgba(32, 32, 32, 0.6)');
      await control(page, 'width').fill('50');
      const [log, scroller] = await Promise.all(
        ['#log', '#scroller'].map((box) => tab.locator(box).evaluate(({ clientWidth }) => clientWidth)),
      );
      expect((log ?? 0) / (scroller ?? 1)).toBeCloseTo(0.5, 1);
      await control(page, 'names').uncheck();
      await expect.poll(() => tab.locator('.block .name').first().isVisible(), PATIENCE).toBe(false);
      await control(page, 'mask').check();
      await expect
        .poll(() => words(page), PATIENCE)
        .toEqual(['Good morning to you s•••.', 'this is not done']);
      await control(page, 'partial').uncheck();
      await expect.poll(() => words(page), PATIENCE).toEqual(['Good morning to you s•••.', 'this is']);
      expect(await control(page, 'delay').count()).toBe(0);
      await control(page, 'partial').check();
      await control(page, 'delay').fill('5000');
      await control(page, 'announce').selectOption('off');
      expect(await tab.locator('#announcer').getAttribute('aria-live')).toBe('off');
      await control(page, 'lang').selectOption('de');
      expect(await tab.locator('#panel-title').innerText()).toBe('Einstellungen');
      expect(await tab.locator('#root').getAttribute('lang')).toBe('de');
      await control(page, 'layout').selectOption('overlay');
      await control(page, 'lines').fill('2');
      // Both lines are of twice the text's size of the overlay.
      await expect
        .poll(() => tab.locator('#scroller').evaluate(({ clientHeight }) => clientHeight), PATIENCE)
        .toBeLessThan(2 * (2 * 28 * 2 + 12) + 2);
      await control(page, 'position').selectOption('top');
      const boxTop = async (): Promise<number> => (await tab.locator('#box').boundingBox())?.y ?? NaN;
      expect(await boxTop()).toBeLessThan(100);
      await control(page, 'position').selectOption('free');
      await control(page, 'x').fill('10');
      await control(page, 'y').fill('90');
      await expect.poll(boxTop, PATIENCE).toBeGreaterThan(150);

      const query = new URL(tab.url()).searchParams;
      expect([...query.keys()].filter((name) => name !== 'room').sort()).toEqual([...SETTING_NAMES].sort());
      expect(Object.fromEntries(query)).toMatchObject({
        size: '200',
        text: 'ffff00',
        layout: 'overlay',
        y: '90',
      });

      // Another visit, without settings in its address.
      await open('', page);
      await expect.poll(() => css(page, LINE, 'color'), PATIENCE).toBe('rgba(255, 255, 0, 0.9)');
      await tab.locator('#scroller').focus();
      await tab.keyboard.press('s');
      await tab.locator('#reset').click();
      await expect.poll(() => css(page, LINE, 'color'), PATIENCE).toBe(beforeColour);
      await expect.poll(() => css(page, LINE, 'font-size'), PATIENCE).toBe('20px');
      expect([...new URL(tab.url()).searchParams.keys()]).toEqual([...beforeUrl.searchParams.keys()]);
      await open('', page);
      await expect.poll(() => css(page, LINE, 'font-size'), PATIENCE).toBe('20px');
    });

    it('in the address win over those of the browser, and what cannot be read there is left aside', async () => {
      const page = await open('&size=300&text=ff00ff&lines=99&layout=sideways');
      await expect.poll(() => css(page, LINE, 'font-size'), PATIENCE).toBe('60px');
      await expect.poll(() => css(page, LINE, 'color'), PATIENCE).toBe('rgb(255, 0, 255)');
      expect(await page.page.locator('live-captions').getAttribute('shown-layout')).toBe('transcript');
    });

    it('show words that may still change when they have stayed the same for long enough', async () => {
      const name = freshName();
      const page = await newPage();
      await page.page.clock.install();
      await page.page.goto(`${gateway().url}/?room=${encodeURIComponent(name)}&delay=3000`);
      await expect.poll(() => page.status, PATIENCE).toBe('Live');
      const room = enter(name);
      say(room, { speaker: person('Ana'), segment: 'a', text: 'one two three', stable: 1, isFinal: false });
      await expect.poll(() => words(page), PATIENCE).toEqual(['one']);
      await page.page.clock.runFor(4000);
      await expect.poll(() => words(page), PATIENCE).toEqual(['one two three']);
      say(room, { speaker: person('Ana'), segment: 'a', text: 'one two four', stable: 1, isFinal: false });
      await expect.poll(() => words(page), PATIENCE).toEqual(['one two']);
      say(room, { speaker: person('Ana'), segment: 'a', text: 'one two four', isFinal: true });
      await expect.poll(() => words(page), PATIENCE).toEqual(['one two four']);
    });

    it('move the overlay: with arrow keys, and by dragging its handle', async () => {
      const page = await open('&layout=overlay');
      const box = page.page.locator('#box');
      const place = async () => (await box.boundingBox()) ?? { x: NaN, y: NaN };
      const before = await place();
      await page.page.locator('#move').focus();
      for (let press = 0; press < 10; press++) await page.page.keyboard.press('ArrowUp');
      await expect.poll(async () => (await place()).y, PATIENCE).toBeLessThan(before.y - 20);
      const between = await place();
      const handle = await page.page.locator('#move').boundingBox();
      const { x, y } = handle ?? { x: 0, y: 0 };
      await page.page.mouse.move(x + 10, y + 10);
      await page.page.mouse.down();
      await page.page.mouse.move(x - 20, y - 140, { steps: 5 });
      await page.page.mouse.up();
      await expect.poll(async () => (await place()).y, PATIENCE).toBeLessThan(between.y - 100);
      expect(new URL(page.page.url()).searchParams.get('position')).toBe('free');
    });
  });
});
