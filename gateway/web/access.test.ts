import axe from 'axe-core';
import type { BrowserContextOptions } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import type { Room } from '../rooms/room.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import type { CaptionPage } from './testing/caption-page.js';
import { withChromium } from './testing/chromium.js';
import { pageHarness, PATIENCE } from './testing/page-harness.js';
import { person, say } from './testing/room-script.js';

describeWithModel('access to captions', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();
    const { gateway, enter, freshName, newPage } = pageHarness({ model, launch, afterwards });

    const open = async (
      query = '',
      options: BrowserContextOptions = {},
    ): Promise<{ page: CaptionPage; room: Room }> => {
      const page = await newPage(options);
      const room = enter(freshName());
      say(room, { speaker: person('Ana Lopes'), segment: 'a', text: 'Good morning to everybody here.' });
      say(room, {
        speaker: person('Ben'),
        segment: 'b',
        text: 'and one more thing',
        stable: 1,
        isFinal: false,
      });
      say(room, { speaker: person('ليلى'), segment: 'c', text: 'صباح الخير للجميع now' });
      await page.page.goto(`${gateway().url}/?room=${encodeURIComponent(room.name)}${query}`);
      await page.page.locator('.block').nth(3).waitFor({ state: 'attached' });
      return { page, room };
    };
    const violations = async ({ page }: CaptionPage): Promise<string[]> => {
      await page.evaluate(axe.source);
      const found = await page.evaluate(() =>
        (window as unknown as { axe: typeof axe }).axe.run(document, {
          runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        }),
      );
      return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    };
    /** `id` of what has the focus, inside the component too. */
    const focused = ({ page }: CaptionPage): Promise<string | undefined> =>
      page.evaluate(() => {
        let element = document.activeElement;
        while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
        return element?.id;
      });

    describe.each([
      ['light', { colorScheme: 'light' }],
      ['dark', { colorScheme: 'dark' }],
      ['forced colours', { forcedColors: 'active' }],
    ] as const)('in %s', (_, options) => {
      it('is nothing that axe objects to: transcript, search, settings, keys, overlay', async () => {
        const { page } = await open('', options);
        expect(await violations(page)).toEqual([]);
        await page.page.locator('#scroller').focus();
        await page.page.keyboard.press('/');
        await page.page.keyboard.type('morning');
        await expect.poll(() => page.page.locator('#found').innerText(), PATIENCE).toBe('1 of 1');
        await page.page.locator('#open-settings').click();
        expect(await violations(page)).toEqual([]);
        await page.page.locator('#open-shortcuts').click();
        expect(await violations(page)).toEqual([]);
        const overlay = await open('&layout=overlay', options);
        await overlay.page.page.locator('#move').focus();
        expect(await violations(overlay.page)).toEqual([]);
      });
    });

    it('with the keyboard alone: everything is reached, seen and left again', async () => {
      const { page, room } = await open();
      const { keyboard } = page.page;
      const seen: string[] = [];
      for (let press = 0; press < 7; press++) {
        await keyboard.press('Tab');
        const id = (await focused(page)) ?? '';
        seen.push(id);
        if (!/^(?:pause|open-|scroller)/.test(id)) continue;
        // Where the focus is can be seen.
        const outline = await page.page.locator(`#${id}`).evaluate((element) => {
          const { outlineStyle, outlineWidth } = getComputedStyle(element);
          return `${outlineStyle} ${outlineWidth}`;
        });
        expect(outline).toBe('solid 3px');
      }
      for (const id of ['pause', 'open-search', 'open-settings', 'open-shortcuts', 'scroller'])
        expect(seen).toContain(id);
      await page.page.locator('#scroller').focus();
      await keyboard.press('?');
      expect(await focused(page)).toBe('panel');
      expect(await page.page.locator('kbd').allInnerTexts()).toContain('/');
      await keyboard.press('Escape');
      expect(await focused(page)).toBe('open-shortcuts');
      await keyboard.press('s');
      expect(await focused(page)).toBe('panel');
      await keyboard.press('Tab');
      expect(await focused(page)).toBe('close-settings');
      await keyboard.press('Enter');
      expect(await focused(page)).toBe('open-settings');
      await keyboard.press('+');
      expect(new URL(page.page.url()).searchParams.get('size')).toBe('110');
      // Pause: what is new waits below until one jumps to it.
      await keyboard.press('p');
      for (let index = 0; index < 30; index++)
        say(room, { speaker: person('Ana Lopes'), segment: `more ${index}`, text: `Sentence ${index}.` });
      await page.page.locator('.block', { hasText: 'Sentence 29.' }).waitFor({ state: 'attached' });
      await expect.poll(() => page.toEndPx, PATIENCE).toBeGreaterThan(200);
      await page.page.locator('#jump').waitFor();
      await keyboard.press('j');
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      expect(await page.page.locator('#jump').isVisible()).toBe(false);
      // Search, step, leave.
      await keyboard.press('/');
      expect(await focused(page)).toBe('wanted');
      await keyboard.type('sentence 2');
      await expect.poll(() => page.page.locator('#found').innerText(), PATIENCE).toBe('11 of 11');
      await keyboard.press('Enter');
      expect(await page.page.locator('#found').innerText()).toBe('10 of 11');
      expect(await page.page.locator('.found').innerText()).toContain('Sentence 28.');
      await keyboard.press('Escape');
      expect(await focused(page)).toBe('open-search');
      await keyboard.press('l');
      await expect
        .poll(() => page.page.locator('live-captions').getAttribute('shown-layout'), PATIENCE)
        .toBe('overlay');
    });

    it('leaves keys to whoever types', async () => {
      const { page } = await open();
      await page.page.locator('#scroller').focus();
      await page.page.keyboard.press('/');
      await page.page.keyboard.type('s?lp');
      expect(await page.page.locator('#wanted').inputValue()).toBe('s?lp');
      expect(await page.page.locator('#panel').count()).toBe(0);
    });

    it.each(['reduce', 'no-preference'] as const)('with motion: %s', async (reducedMotion) => {
      const { page, room } = await open('', { reducedMotion });
      await page.page.evaluate(() => {
        const glides: string[] = [];
        Object.assign(window, { glides });
        const log = document.querySelector('live-captions')?.shadowRoot?.getElementById('log');
        const animate = log?.animate.bind(log);
        if (log && animate)
          log.animate = (...options) => {
            glides.push(log.id);
            return animate(...options);
          };
      });
      for (let index = 0; index < 40; index++)
        say(room, { speaker: person(`P${index % 3}`), segment: `more ${index}`, text: `Sentence ${index}.` });
      await page.page.locator('.block', { hasText: 'Sentence 39.' }).waitFor({ state: 'attached' });
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      say(room, { speaker: person('P0'), segment: 'last', text: 'The last one.' });
      await page.page.locator('.block', { hasText: 'The last one.' }).waitFor({ state: 'attached' });
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      const glides = await page.page.evaluate(() => (window as unknown as { glides: string[] }).glides);
      expect(glides.includes('log')).toBe(reducedMotion === 'no-preference');
    });

    it('shows unsettled words and speakers in forced colours too', async () => {
      const { page } = await open('', { forcedColors: 'active' });
      const style = await page.page
        .locator('.unsettled')
        .first()
        .evaluate((element) => getComputedStyle(element).textDecorationStyle);
      expect(style).toBe('dotted');
      const borders = await page.page
        .locator('.block[data-segment]')
        .evaluateAll((blocks) => blocks.map((block) => getComputedStyle(block).borderInlineStartStyle));
      expect(new Set(borders).size).toBe(3);
    });

    it.each([
      ['transcript', '&size=200', '16px'],
      ['transcript', '', '32px'],
      ['overlay', '&size=200&layout=overlay', '16px'],
      ['overlay', '&layout=overlay', '32px'],
    ])(
      'needs no scrolling sideways at 320 pixels with text twice as large: %s %s %s',
      async (_, query, rootPx) => {
        const { page } = await open(query, { viewport: { width: 320, height: 640 } });
        // As with the text zoom of browsers, which makes all text larger; settings make captions larger.
        await page.page.evaluate((px) => (document.documentElement.style.fontSize = px), rootPx);
        const sideways = (selector: string): Promise<number> =>
          page.page.locator(selector).evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
        expect(await sideways('html')).toBeLessThanOrEqual(0);
        await expect.poll(() => sideways('#scroller'), PATIENCE).toBeLessThanOrEqual(0);
        await page.page.locator('#open-settings').focus();
        await page.page.keyboard.press('Enter');
        expect(await sideways('#panel')).toBeLessThanOrEqual(0);
        expect(await sideways('html')).toBeLessThanOrEqual(0);
      },
    );

    it('writes each segment in the direction of its own script', async () => {
      const { page } = await open();
      const directions = await page.page
        .locator('.block[data-segment]')
        .evaluateAll((blocks) => blocks.map((block) => getComputedStyle(block).direction));
      expect(directions.sort()).toEqual(['ltr', 'ltr', 'rtl']);
    });

    it('has targets of 24 pixels at least', async () => {
      const { page } = await open();
      await page.page.locator('#open-settings').click();
      const sizes = await page.page
        .locator('button:visible, select:visible, input:visible')
        .evaluateAll((targets) =>
          targets.map((target) => {
            const { width, height } = target.getBoundingClientRect();
            return Math.min(width, height);
          }),
        );
      expect(sizes.length).toBeGreaterThan(15);
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(24);
    });
  });
});
