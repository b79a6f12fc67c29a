import { expect, it } from 'vitest';
import { describeWithModel } from '../../../../asr/testing/real-model.js';
import { segmentsOf } from '../../../../protocol/index.js';
import type { Room } from '../../../rooms/room.js';
import { accessToken, TEST_KEYS } from '../../../testing/access-token.js';
import { cleanupsAfterEach } from '../../../testing/cleanups.js';
import { welcomedPeer } from '../../../testing/raw-peer.js';
import { startTestGateway } from '../../../testing/test-gateway.js';
import { waitUntil } from '../../../testing/wait-until.js';
import { violationsOn } from '../../testing/accessibility.js';
import { withChromium } from '../../testing/chromium.js';
import { startCuttableProxy } from '../../testing/cuttable-proxy.js';
import { pageHarness, PATIENCE } from '../../testing/page-harness.js';

/** What a browser says by itself about a connection that was cut. */
const CONNECTION_FAILED = /^WebSocket connection to '[^']*' failed|ERR_(?:EMPTY_RESPONSE|CONNECTION_\w+)/;

describeWithModel('the captioner’s page', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();
    const { gateway, enter, freshName, newPage } = pageHarness({ model, launch, afterwards });

    const shown = (room: Room): string[] =>
      segmentsOf(room.state)
        .filter(({ words }) => words.length > 0)
        .map(
          ({ speaker, words, isFinal }) =>
            `${speaker.name}${isFinal ? '' : '…'} ${words.map(({ text }) => text).join(' ')}`,
        );
    const isShown = (room: Room, expected: readonly string[]): Promise<void> =>
      waitUntil(() => {
        const seen = JSON.stringify(shown(room));
        return seen === JSON.stringify(expected) ? undefined : `viewers see ${seen}`;
      });

    /** The page of somebody who writes, after they have joined with the keyboard alone. */
    async function join(options: { url?: string; name?: string; query?: string } = {}) {
      const { url = gateway().url, name = freshName(), query = '' } = options;
      const { page } = await newPage({ viewport: { width: 900, height: 900 } }, CONNECTION_FAILED);
      await page.goto(`${url}/captioner?room=${encodeURIComponent(name)}&name=Carol&lang=en${query}`);
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('header #status').innerText(), PATIENCE).toBe('Live');
      return { page, room: enter(name as Room['name']), name };
    }

    it('is used with the keyboard alone: write, correct the line before, settle, leave', async () => {
      const { page, room } = await join();
      await page.keyboard.type('Good mourning');
      await isShown(room, ['Carol… Good mourning']);
      await expect
        .poll(() => page.locator('#view [data-segment] .text').allTextContents(), PATIENCE)
        .toEqual(['Good mourning']);
      expect(await page.locator('#view [data-segment] .name').innerText()).toBe('Carol');
      await page.keyboard.press('Enter');
      await page.keyboard.type('Next');
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowUp');
      const field = page.locator('#lines input');
      expect(await field.evaluate((input) => document.activeElement === input)).toBe(true);
      await page.keyboard.press('Control+A');
      await page.keyboard.type('Good morning');
      await page.keyboard.press('Enter');
      await isShown(room, ['Carol… Good morning', 'Carol… Next']);
      await page.keyboard.press('End');
      await page.keyboard.type(' please');
      await page.keyboard.press('Control+Enter');
      await isShown(room, ['Carol Good morning', 'Carol Next please']);
      // The room may hear of it before the page does.
      await expect.poll(() => page.locator('#lines li').count(), PATIENCE).toBe(0);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('leave');
      await page.keyboard.press('Enter');
      await expect
        .poll(() => page.locator('header #status').innerText(), PATIENCE)
        .toContain('You have left');
      await waitUntil(() => (room.speakerCount === 0 ? undefined : 'still there'));
    });

    it('leaves a line as it was with Escape, and begins the next line by itself after a sentence', async () => {
      const { page, room } = await join();
      await page.keyboard.type('First sentence. Second');
      await isShown(room, ['Carol… First sentence.', 'Carol… Second']);
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.type('nonsense ');
      await page.keyboard.press('Escape');
      await page.keyboard.press('End');
      await page.keyboard.type(' one');
      await isShown(room, ['Carol… First sentence.', 'Carol… Second one']);
      await page.locator('#auto').uncheck();
      await page.locator('#write').fill('One. Two. Three.');
      await isShown(room, ['Carol… First sentence.', 'Carol… One. Two. Three.']);
    });

    it('writes for a speaker, whose recognition stops, and for itself again', async () => {
      const { page, room, name } = await join();
      await welcomedPeer(gateway().url, { room: name });
      await page.locator('#as option[value=ana]').waitFor({ state: 'attached' });
      await page.keyboard.press('Alt+ArrowDown');
      await expect.poll(() => page.locator('#speakers input').isChecked(), PATIENCE).toBe(true);
      await page.keyboard.type('Said by Ana');
      await isShown(room, ['Ana… Said by Ana']);
      expect(room.isReplaced('ana' as never)).toBe(true);
      await page.locator('#speakers input').uncheck();
      await waitUntil(() => (room.isReplaced('ana' as never) ? 'still replaced' : undefined));
      await page.locator('#write').fill('Said by me');
      await isShown(room, ['Ana… Said by Ana', 'Carol… Said by me']);
      await page.locator('#everybody').check();
      await waitUntil(() => (room.isReplaced('bo' as never) ? undefined : 'not replaced'));
      await page.close();
      await isShown(room, ['Ana Said by Ana', 'Carol Said by me']);
      expect(room.isReplaced('bo' as never)).toBe(false);
    });

    it('keeps what is written while the connection is away, and sends it when it is back', async () => {
      const proxy = await startCuttableProxy(gateway().url);
      afterwards(() => proxy.close());
      const { page, room } = await join({ url: proxy.url });
      // However long that takes, the line is not finished by itself.
      await page.locator('#auto').uncheck();
      await page.locator('#write').focus();
      await page.keyboard.type('Before and');
      await isShown(room, ['Carol… Before and']);
      proxy.cut();
      await expect
        .poll(() => page.locator('header #status').innerText(), PATIENCE)
        .toContain('No connection');
      await page.keyboard.type(' after');
      proxy.restore();
      await expect.poll(() => page.locator('header #status').innerText(), PATIENCE).toBe('Live');
      await isShown(room, ['Carol Before and', 'Carol… after']);
      expect(await page.locator('#write').inputValue()).toBe('after');
    });

    it('shows what others said as text, whatever it is', async () => {
      const { page, room } = await join();
      await page.locator('#write').fill('<img src=x onerror=alert(1)> \u202egnirts');
      await isShown(room, ['Carol… <img src=x onerror=alert(1)> gnirts']);
      await expect
        .poll(() => page.locator('#view [data-segment] .text').innerText(), PATIENCE)
        .toContain('<img src=x');
      expect(await page.locator('img').count()).toBe(0);
    });

    it('takes identity and name from a token, and tells when it does not allow to write', async () => {
      const guarded = await startTestGateway(model, { settings: TEST_KEYS });
      afterwards(() => guarded.close());
      const { page } = await newPage({}, CONNECTION_FAILED);
      const open = async (token: string): Promise<void> => {
        await page.goto('about:blank');
        await page.goto(`${guarded.url}/captioner?room=council&lang=en#token=${token}`);
        expect(await page.locator('#name-field').isVisible()).toBe(false);
        await page.keyboard.press('Enter');
      };
      await open(await accessToken());
      await expect
        .poll(() => page.locator('header #status').innerText(), PATIENCE)
        .toMatch(/^Refused: forbidden/);
      await open(await accessToken({ isCaptioner: true }));
      await page.keyboard.type('Hello');
      await expect
        .poll(() => page.locator('#view [data-segment] .text').allTextContents(), PATIENCE)
        .toEqual(['Hello']);
      expect(await page.locator('#view [data-segment] .name').innerText()).toBe('Ana');
    });

    it.each([
      ['light', 'light', 'none'],
      ['dark', 'dark', 'none'],
      ['forced colours', 'dark', 'active'],
    ] as const)('has nothing that axe objects to, in %s', async (_, colorScheme, forcedColors) => {
      const name = freshName();
      const { page } = await newPage({ colorScheme, forcedColors });
      await page.goto(`${gateway().url}/captioner?room=${encodeURIComponent(name)}&lang=fr`);
      expect(await violationsOn(page)).toEqual([]);
      expect(await page.locator('html').getAttribute('lang')).toBe('fr');
      await page.locator('#name').fill('Carole');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('header #status').innerText(), PATIENCE).toBe('En direct');
      await welcomedPeer(gateway().url, { room: name });
      await page.locator('#speakers input').waitFor();
      await page.keyboard.type('Bonjour à tous. Ensuite');
      await page.locator('#lines input').waitFor();
      await page.locator('summary').click();
      expect(await violationsOn(page)).toEqual([]);
    });

    it('needs no scrolling sideways at 320 pixels, as with 400 % zoom', async () => {
      const { page } = await newPage({ viewport: { width: 320, height: 640 } });
      await page.goto(`${gateway().url}/captioner?room=${'x'.repeat(100)}&name=Carol&lang=de`);
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('header #status').innerText(), PATIENCE).toBe('Live');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    });
  });
});
