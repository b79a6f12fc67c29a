import { describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { withChromium } from './testing/chromium.js';
import { pageHarness, PATIENCE } from './testing/page-harness.js';
import { person, say } from './testing/room-script.js';
import { scriptCaptions, segmentOf, showStates, stateOf } from './testing/scripted-captions.js';

const HTML = '<script>document.title=1</script> <img src=x onerror=alert(1)> <b>x</b> &amp; <!-- -->';
const TEXTS = [
  HTML,
  '\u202eright to left\u202c \u2067isolated \u2066\u2066\u2066 never closed',
  '👩‍👩‍👧‍👦 👩🏽‍🚀 e\u0301\u0301\u0301\u0301 \u200d\u200d\u200b',
  '👩‍👩‍👧‍👦'.repeat(900),
  'W'.repeat(10_000),
  'ﷺ'.repeat(3_000),
  `Zalgo${'\u0300\u0316\u0489'.repeat(1_000)} and on`,
  '\u0301'.repeat(9_000),
  '\u2028line\u2029paragraph\u0085next\u000bpage\u000c',
  "{{constructor.constructor('return 1')()}} ${1} ](javascript:alert(1))",
];
const NAMES = [
  HTML,
  '\u202eevil\u2067',
  '👩‍👩‍👧‍👦'.repeat(20),
  'N'.repeat(256),
  `Z${'\u0300\u0316\u0489'.repeat(80)}`,
  '\u200b\u200d',
  'constructor',
];
const shown = (text: string): string => text.replace(/\s+/g, ' ').trim();

describeWithModel('hostile names and texts', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();
    const { gateway, enter, freshName, newPage, showRoom } = pageHarness({ model, launch, afterwards });

    describe.each(['transcript', 'overlay'])('in the layout %s', (layout) => {
      it.each([
        ['partial and settled', {}],
        ['with 400 % text', { size: '400', width: '100' }],
      ])('are shown as text and keep to their place: %s', async (_, settings) => {
        const page = await newPage({ viewport: { width: 320, height: 600 } });
        const query = new URLSearchParams({ room: freshName(), layout, ...settings }).toString();
        await page.page.goto(`${gateway().url}/?${query}`);
        await scriptCaptions(page.page);
        const segments = TEXTS.map((text, index) =>
          segmentOf({ segment: `s${index}`, name: NAMES[index % NAMES.length] ?? '', text }),
        );
        const open = segments.map((segment) => ({ ...segment, isFinal: false, stable: 0 }));
        await showStates(page.page, [stateOf(1, { open })]);
        await expect.poll(async () => (await page.open).length, PATIENCE).toBe(TEXTS.length);
        await showStates(page.page, [stateOf(2, { finals: segments })]);
        await expect
          .poll(async () => (await page.settled).map(({ text }) => shown(text)), PATIENCE)
          .toEqual(TEXTS.map(shown));
        expect(await page.page.locator('#log :is(script, b, i, img, a)').count()).toBe(0);
        expect(await page.page.title()).not.toBe('1');
        for (const box of ['#scroller', '#box', '#root'])
          expect(
            await page.page
              .locator(box)
              .evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth),
          ).toBeLessThanOrEqual(0);
        // Marks that are piled up do not reach over what others said.
        const isClipped = await page.page.locator('.line').evaluateAll((lines) =>
          lines
            // A name is cut off by itself.
            .filter((line) =>
              [...line.querySelectorAll('.word')].some((word) => /\p{M}{5}/u.test(word.textContent)),
            )
            .every((line) => getComputedStyle(line).overflowY === 'clip'),
        );
        expect(isClipped).toBe(true);
        // It still lives: what is said next shows.
        const next = segmentOf({ segment: 'next', name: 'Ana', text: 'and the meeting goes on' });
        await showStates(page.page, [stateOf(3, { finals: [...segments, next] })]);
        await expect
          .poll(async () => (await page.settled).at(-1), PATIENCE)
          .toEqual({ name: 'Ana', text: 'and the meeting goes on' });
        await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      });
    });

    it('come through the gateway and break neither search nor the list of rooms', async () => {
      const name = freshName();
      const page = await showRoom(await newPage({ viewport: { width: 320, height: 600 } }), name);
      const room = enter(name);
      const texts = TEXTS.filter((text) =>
        text.split(' ').every((word) => word.length <= 1000 && word !== ''),
      );
      expect(texts.length).toBeGreaterThan(3);
      texts.forEach((text, index) =>
        say(room, { speaker: person(NAMES[index] ?? ''), segment: `s${index}`, text }),
      );
      await expect
        .poll(async () => (await page.settled).map(({ text }) => shown(text)), PATIENCE)
        .toEqual(texts.map(shown));
      await page.page.locator('#scroller').focus();
      await page.page.keyboard.press('/');
      await page.page.keyboard.type('<script>');
      await expect.poll(() => page.page.locator('#found').innerText(), PATIENCE).toBe('1 of 1');
    });

    it('are text on the captioner’s page too', async () => {
      const name = freshName();
      const { page } = await newPage({ viewport: { width: 320, height: 900 } });
      const room = enter(name);
      for (const [index, text] of [HTML, 'W'.repeat(1000), '\u202egnirts'].entries())
        say(room, { speaker: person(NAMES[index] ?? ''), segment: `s${index}`, text });
      await page.goto(
        `${gateway().url}/captioner?room=${encodeURIComponent(name)}&lang=en&name=${'N'.repeat(200)}`,
      );
      await page.keyboard.press('Enter');
      await page.locator('#view .block').nth(2).waitFor({ state: 'attached' });
      await page.locator('#write').fill(HTML);
      await page.locator('#commit').click();
      await expect
        .poll(async () => (await page.locator('#view .block').allTextContents()).join(' '), PATIENCE)
        .toMatch(/document\.title=1.*document\.title=1/);
      expect(await page.locator('#view :is(script, b, img)').count()).toBe(0);
      expect(await page.title()).not.toBe('1');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    });

    it('meet a strict policy on every page', async () => {
      for (const path of ['/', '/room', '/captioner']) {
        const { headers } = await fetch(`${gateway().url}${path}`);
        const policy = headers.get('content-security-policy')?.split('; ') ?? [];
        for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"])
          expect(policy).toContain(rule);
        expect(policy.join()).not.toMatch(/unsafe-|data:|blob:|https:\/\/\*|https:(?!\/)/);
      }
    });
  });
});
