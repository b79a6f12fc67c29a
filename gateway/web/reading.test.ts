import { describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { SPEAKER_COLOURS } from './colours/speaker-colours.js';
import { withChromium } from './testing/chromium.js';
import { pageHarness, PATIENCE } from './testing/page-harness.js';
import { person, say } from './testing/room-script.js';

describeWithModel('reading the captions page', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();
    const { enter, freshName, newPage, showRoom } = pageHarness({ model, launch, afterwards });

    it('gives screen readers settled segments only', async () => {
      const room = enter(freshName());
      say(room, { speaker: person('Ana'), segment: 'said', text: 'This is settled.' });
      say(room, { speaker: person('Ben'), segment: 'open', text: 'this may', stable: 1, isFinal: false });
      const page = await showRoom(await newPage(), room.name);
      await expect.poll(() => page.open).toEqual([{ name: 'Ben', text: 'this may' }]);
      const session = await page.page.context().newCDPSession(page.page);
      const { nodes } = await session.send('Accessibility.getFullAXTree');
      const log = nodes.find(({ role }) => role?.value === 'log');
      const live = log?.properties?.find(({ name }) => name === 'live');
      expect(live?.value.value).toBe('polite');
      // What was there before is not read out; what is finished is, once and whole.
      const announced = page.page.locator('#announcer p');
      expect(await announced.count()).toBe(0);
      say(room, { speaker: person('Ben'), segment: 'open', text: 'this may change', isFinal: false });
      await expect.poll(() => page.open, PATIENCE).toEqual([{ name: 'Ben', text: 'this may change' }]);
      expect(await announced.count()).toBe(0);
      const texts = nodes
        .filter(({ role }) => role?.value === 'StaticText')
        .map(({ name }) => String(name?.value));
      expect(texts.join(' ').replace(/\s+/g, ' ')).toContain('This is settled.');
      expect(texts.join(' ')).not.toMatch(/this may|Ben/);
      say(room, { speaker: person('Ben'), segment: 'open', text: 'This has changed.' });
      await expect.poll(() => announced.allInnerTexts(), PATIENCE).toEqual(['Ben: This has changed.']);
    });

    it('leaves words where they are when they settle', async () => {
      const name = freshName();
      const page = await showRoom(await newPage(), name);
      const room = enter(name);
      const places = () =>
        page.page.locator('.block[data-segment] .text').evaluateAll((texts) =>
          texts
            .map((text) => {
              const range = document.createRange();
              range.selectNodeContents(text);
              const { x, y, width, height } = range.getBoundingClientRect();
              // Layout counts in 64ths of a pixel and rounds each piece of text.
              return {
                text: text.textContent.trim(),
                box: [x, y, width, height].map((px) => px.toFixed(1)),
                y,
              };
            })
            .sort((a, b) => a.y - b.y)
            .map(({ text, box }) => ({ text, box })),
        );
      const ana = { speaker: person('Ana'), segment: 'a', text: 'she began first and goes on', stable: 1 };
      const ben = { speaker: person('Ben'), segment: 'b', text: 'he ends first', stable: 0, atMs: 500 };
      say(room, { ...ana, isFinal: false });
      say(room, { ...ben, isFinal: false });
      await expect.poll(() => page.open, PATIENCE).toHaveLength(2);
      const before = await places();
      expect(before.map(({ text }) => text)).toEqual([ana.text, ben.text]);
      say(room, { ...ben, stable: 3 });
      await expect.poll(() => page.settled, PATIENCE).toHaveLength(1);
      expect(await places()).toEqual(before);
      say(room, { ...ana, stable: 6 });
      await expect.poll(() => page.settled, PATIENCE).toHaveLength(2);
      expect(await places()).toEqual(before);
    });

    it('follows the newest line until the reader scrolls up, and keeps a bounded number of lines', async () => {
      const name = freshName();
      const page = await showRoom(await newPage(), name);
      const room = enter(name);
      let said = 0;
      const sayMore = async (count: number): Promise<void> => {
        for (const last = said + count; said < last; said++) {
          const text = `sentence number ${said} of a long meeting.`;
          say(room, { speaker: person(`Speaker ${said % 3}`), segment: `s${said}`, text, atMs: said * 1000 });
          // No more than a gateway would say, so that nothing is left to a snapshot.
          if (said % 20 === 19) await shown(said);
        }
        await shown(said - 1);
      };
      const shown = (number: number): Promise<void> =>
        expect.poll(async () => (await page.settled).at(-1)?.text, PATIENCE).toContain(`number ${number} `);
      const jump = page.page.locator('#jump');

      await sayMore(230);
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      expect(await jump.isVisible()).toBe(false);
      const settled = await page.settled;
      expect(settled).toHaveLength(230);
      expect(settled[0]?.text).toContain('number 0 ');

      // At once: while a key's scrolling is animated, nothing says when it has come to rest.
      await page.page
        .locator('#scroller')
        .evaluate((scroller) => scroller.scrollBy({ top: -600, behavior: 'instant' }));
      await jump.waitFor();
      const read = page.page.locator('.block', { hasText: 'number 223 ' });
      await expect.poll(async () => (await read.boundingBox()) !== null).toBe(true);
      const restingY = await settledValue(async () => (await read.boundingBox())?.y);
      // Lines come at the end and go at the top: what is being read stays where it is.
      await sayMore(400);
      expect(await settledValue(async () => (await read.boundingBox())?.y)).toBeCloseTo(restingY ?? NaN, 0);
      expect(await page.toEndPx).toBeGreaterThan(500);

      const blocks = await page.page.locator('.block[data-segment]').count();
      expect(blocks).toBeGreaterThanOrEqual(500);
      expect(blocks).toBeLessThanOrEqual(550);
      await jump.focus();
      await page.page.keyboard.press('Enter');
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      expect(await jump.isVisible()).toBe(false);
      await sayMore(10);
      await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
    });

    describe.each(['light', 'dark'] as const)('in a %s colour scheme', (colorScheme) => {
      it('has enough contrast', async () => {
        const page = await newPage({ colorScheme });
        const room = enter(freshName());
        for (let index = 0; index < SPEAKER_COLOURS; index++) {
          const text = 'some words settled and some not';
          say(room, { speaker: person(`P${index}`), segment: `s${index}`, text, stable: 3, isFinal: false });
        }
        await showRoom(page, room.name);
        await expect.poll(() => page.open, PATIENCE).toHaveLength(SPEAKER_COLOURS);
        const colours = await page.page
          .locator('#status, .block .name, .block .text, .block .unsettled')
          .evaluateAll((elements) => elements.map((element) => getComputedStyle(element).color));
        const background = await page.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        expect(luminance(background) > 0.5).toBe(colorScheme === 'light');
        expect(colours).toHaveLength(2 + 5 * SPEAKER_COLOURS);
        for (const colour of colours) expect(contrast(colour, background)).toBeGreaterThanOrEqual(4.5);
      });
    });
  });
});

/** What `read` gives once it gives the same twice: scrolling takes a few frames. */
async function settledValue<T>(read: () => Promise<T>): Promise<T> {
  let last = await read();
  await expect
    .poll(async () => {
      const before = last;
      last = await read();
      return before === last;
    }, PATIENCE)
    .toBe(true);
  return last;
}

/** Relative luminance as in WCAG 2.2, of `rgb(r, g, b)`. */
function luminance(colour: string): number {
  const [red = NaN, green = NaN, blue = NaN] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast ratio as in WCAG 2.2, from 1 to 21. */
function contrast(one: string, other: string): number {
  const [dark = NaN, light = NaN] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
