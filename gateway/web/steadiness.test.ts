import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import type { CaptionPage } from './testing/caption-page.js';
import { withChromium } from './testing/chromium.js';
import { pageHarness, PATIENCE } from './testing/page-harness.js';
import { playMeeting } from './testing/play-meeting.js';
import { person, say } from './testing/room-script.js';

const MAX_BUNDLE_BYTES = 60_000;
/** Faster than people speak, so that the test does not take as long as they do. */
const MEETING_SPEED = 3;

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
    const { gateway, enter, freshName, newPage } = pageHarness({ model, launch, afterwards });

    it.each(['transcript', 'overlay'])(
      'never move a settled word but by scrolling, whatever is revised: %s',
      async (layout) => {
        const name = freshName();
        const page = await newPage({ viewport: { width: 700, height: 500 } });
        await page.page.goto(`${gateway().url}/?room=${encodeURIComponent(name)}&layout=${layout}`);
        await page.page.locator('#log').waitFor({ state: 'attached' });
        await watchWords(page);
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
        const { moves, settled } = await seenOf(page);
        expect(settled).toBeGreaterThan(300);
        expect(moves).toEqual([]);
      },
      120_000,
    );

    it('never move a settled word but by scrolling, while the demo meeting plays', async () => {
      const name = freshName();
      const pages = await Promise.all(
        ['transcript', 'overlay'].map(async (layout) => {
          const page = await newPage({ viewport: { width: 700, height: 500 } });
          await page.page.goto(`${gateway().url}/?room=${encodeURIComponent(name)}&layout=${layout}`);
          await page.page.locator('#log').waitFor({ state: 'attached' });
          await watchWords(page);
          return page;
        }),
      );
      await playMeeting('demo-meeting', { url: gateway().url, room: name, speed: MEETING_SPEED, afterwards });
      for (const page of pages) {
        await expect.poll(() => page.open, PATIENCE).toEqual([]);
        const { moves, settled } = await seenOf(page);
        expect(settled).toBeGreaterThan(100);
        expect(moves).toEqual([]);
        await expect.poll(() => page.toEndPx, PATIENCE).toBeLessThan(2);
      }
    }, 120_000);
  });
});

interface Seen {
  /** Of settled words, as texts. */
  readonly moves: readonly string[];
  /** How many words were seen settled. */
  readonly settled: number;
}

/** From now on each frame of the page is looked at. */
async function watchWords({ page }: CaptionPage): Promise<void> {
  await page.evaluate(() => {
    const log = document.querySelector('live-captions')?.shadowRoot?.getElementById('log');
    const places = new WeakMap<Element, readonly [number, number]>();
    const moves: string[] = [];
    let settled = 0;
    const look = (): void => {
      const origin = log?.getBoundingClientRect();
      for (const word of log?.querySelectorAll('.word:not(.unsettled)') ?? []) {
        const { x, y } = word.getBoundingClientRect();
        // Within the captions as a whole: those scroll, and glide by fractions of a pixel that are rounded either way.
        const place = [x - (origin?.x ?? 0), y - (origin?.y ?? 0)] as const;
        const before = places.get(word);
        if (before === undefined) {
          settled += 1;
          places.set(word, place);
        } else if (Math.abs(before[0] - place[0]) > 0.5 || Math.abs(before[1] - place[1]) > 0.5) {
          moves.push(`${word.textContent}: ${before.join()} ${place.join()}`);
          places.set(word, place);
        }
      }
      Object.assign(window, { steadiness: { moves, settled } satisfies Seen });
      requestAnimationFrame(look);
    };
    look();
  });
}

const seenOf = ({ page }: CaptionPage): Promise<Seen> =>
  page.evaluate(() => (window as unknown as { steadiness: Seen }).steadiness);
