import { expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { participantIdentity, roomName } from '../../protocol/index.js';
import { connectCaptions } from '../client/caption-client.js';
import { connectIngest } from '../client/ingest-client.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { startPathProxy } from '../testing/path-proxy.js';
import { framesOf, longestTrack } from '../testing/short-meeting.js';
import { waitUntil } from '../testing/wait-until.js';
import { withChromium } from './testing/chromium.js';
import { pageHarness, PATIENCE } from './testing/page-harness.js';

describeWithModel('a gateway below a path of a proxy', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();
    const { gateway, newPage } = pageHarness({ model, launch, afterwards });

    it('is spoken to and watched there by programs and by its pages, and nowhere else', async () => {
      const proxy = await startPathProxy(gateway().url, '/captions');
      afterwards(() => proxy.close());
      const room = roomName('below a path');
      const viewer = connectCaptions({ url: proxy.url, room, changed: () => undefined });
      afterwards(() => viewer.close());
      await viewer.ready;
      const ana = participantIdentity('ana');
      const speaker = connectIngest({ url: proxy.url, room, speaker: { identity: ana, name: 'Ana' } });
      afterwards(() => speaker.close());
      await speaker.ready;

      const { page } = await newPage();
      await page.goto(proxy.url);
      // The room is live: it is listed, and its link stays below the path.
      await page.getByRole('link', { name: room }).click();
      await expect.poll(() => page.locator('#hint').innerText(), PATIENCE).toBe('Nobody has spoken yet.');
      expect(page.url()).toBe(`${proxy.url}?room=${encodeURIComponent(room)}`);

      const track = await longestTrack();
      for (const frame of framesOf(track.pcm.subarray(0, 10 * 16_000))) speaker.send(frame);
      await speaker.end();
      await waitUntil(() => (viewer.state.finals.length > 0 ? undefined : 'no final'));
      const spoken = viewer.state.finals[0]?.words.map(({ text }) => text).join(' ') ?? '';
      expect(spoken).not.toBe('');
      await expect.poll(() => page.locator('.block').allInnerTexts(), PATIENCE).not.toEqual([]);
      expect((await page.locator('.block').allInnerTexts()).join(' ')).toContain(spoken.split(' ')[0]);

      const download = page.waitForEvent('download');
      await page.locator('#download button').click();
      expect((await download).suggestedFilename()).toContain('below');

      await page.goto(`${proxy.url}captioner?room=${encodeURIComponent(room)}&name=Carol&lang=en`);
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('header #status').innerText(), PATIENCE).toBe('Live');
      await page.keyboard.type('Good morning');
      await expect
        .poll(() => page.locator('#view .text').allTextContents(), PATIENCE)
        .toContain('Good morning');
      expect(proxy.strays.filter((address) => address !== '/favicon.ico')).toEqual([]);
    });
  });
});
