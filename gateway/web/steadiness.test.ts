import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { withChromium } from './testing/chromium.js';
import { pageHarness, PATIENCE } from './testing/page-harness.js';
import { person, say } from './testing/room-script.js';

const MAX_BUNDLE_BYTES = 60_000;

describe('the file that applications load', () => {
  it('is at most 60 kB, compressed, and has no part of LiveKit’s SDK in it', async () => {
    const bundle = await readFile(new URL('../../dist/web/live-captions.js', import.meta.url));
    expect(gzipSync(bundle, { level: 9 }).length).toBeLessThanOrEqual(MAX_BUNDLE_BYTES);
    expect(bundle.toString()).not.toMatch(/livekit-client|RTCPeerConnection/);
  });
});

describeWithModel('captions that go on', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();
    const { gateway, enter, freshName, newPage, showRoom } = pageHarness({ model, launch, afterwards });

    it.each(['transcript', 'overlay'])(
      'never move a settled word but by scrolling, whatever is revised: %s',
      async (layout) => {
        const name = freshName();
        const page = await newPage({ viewport: { width: 700, height: 500 } });
        await page.page.goto(`${gateway().url}/?room=${encodeURIComponent(name)}&layout=${layout}`);
        await page.page.locator('#log').waitFor({ state: 'attached' });
        await page.page.evaluate(() => {
          const log = document.querySelector('live-captions')?.shadowRoot?.getElementById('log');
          const places = new WeakMap<Element, string>();
          const moves: string[] = [];
          let settled = 0;
          const look = (): void => {
            const origin = log?.getBoundingClientRect();
            for (const word of log?.querySelectorAll('.word:not(.unsettled)') ?? []) {
              const { x, y } = word.getBoundingClientRect();
              // Within the captions as a whole: those scroll. To half a pixel.
              const place = [x - (origin?.x ?? 0), y - (origin?.y ?? 0)]
                .map((px) => Math.round(px * 2))
                .join();
              const before = places.get(word);
              if (before === undefined) settled += 1;
              else if (before !== place) moves.push(`${word.textContent}: ${before} ${place}`);
              places.set(word, place);
            }
            Object.assign(window, { steadiness: { moves, settled } });
            requestAnimationFrame(look);
          };
          look();
        });
        const room = enter(name);
        // Three people at once; the last three words of each may change, and do, to longer and shorter ones.
        const people = ['Ana Lopes', 'Ben', 'Chloé Dubois-Lefèvre'];
        const spoken = 'it is not at all certain whether extraordinary misunderstandings are avoidable'.split(
          ' ',
        );
        for (let turn = 0; turn < 6; turn++) {
          for (let count = 1; count <= 40; count++) {
            for (const [index, who] of people.entries()) {
              const words = Array.from({ length: count }, (_, at) => {
                const isSettled = at < count - 3;
                return spoken[(at * 7 + index + (isSettled ? 0 : count)) % spoken.length] ?? '';
              });
              say(room, {
                speaker: person(who),
                segment: `${turn} ${index}`,
                text: words.join(' '),
                stable: Math.max(0, count - 3),
                isFinal: count === 40,
              });
            }
            await page.page.evaluate(() => new Promise(requestAnimationFrame));
          }
        }
        await expect.poll(async () => (await page.settled).length, PATIENCE).toBe(18);
        const seen = await page.page.evaluate(
          () => (window as unknown as { steadiness: { moves: string[]; settled: number } }).steadiness,
        );
        expect(seen.settled).toBeGreaterThan(300);
        expect(seen.moves).toEqual([]);
      },
      120_000,
    );

    it('show hostile texts as text and break nothing', async () => {
      const name = freshName();
      const page = await showRoom(await newPage({ viewport: { width: 320, height: 600 } }), name);
      const room = enter(name);
      const texts = [
        '<script>document.title=1</script> <b>x</b> &amp;',
        '\u202eright to left\u202c \u2067isolated',
        '👩‍👩‍👧‍👦 👩🏽‍🚀 e\u0301\u0301\u0301\u0301 \u200d\u200d\u200b',
        'W'.repeat(250),
        'Zalgo\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309\u030a',
      ];
      texts.forEach((text, index) =>
        say(room, { speaker: person(`<i>${index}</i>\u202e`), segment: `s${index}`, text }),
      );
      await expect
        .poll(async () => (await page.settled).map(({ text }) => text), PATIENCE)
        .toEqual(texts.map((text) => text.trim()));
      expect(await page.page.locator('#log :is(script, b, i)').count()).toBe(0);
      const sideways = await page.page
        .locator('#scroller')
        .evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
      expect(sideways).toBeLessThanOrEqual(0);
    });
  });
});
