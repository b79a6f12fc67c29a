import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { roomName } from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { startTestGateway } from '../testing/test-gateway.js';
import { newCaptionPage } from './testing/caption-page.js';
import { withChromium } from './testing/chromium.js';
import { PATIENCE } from './testing/page-harness.js';
import { person, say } from './testing/room-script.js';

describeWithModel('a page of another application', (model) => {
  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();

    it('shows captions with the lines that the README gives', async () => {
      const readme = await readFile(new URL('README.md', import.meta.url), 'utf8');
      const example = /<!-- embed-websocket -->\s*```html\n(.*?)```/s.exec(readme)?.[1] ?? '';
      expect(example).toContain('<live-captions');
      let html = '';
      const application = createServer((_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(html);
      });
      application.listen(0, '127.0.0.1');
      await once(application, 'listening');
      afterwards(() => {
        application.close();
        application.closeAllConnections();
      });
      const origin = `http://127.0.0.1:${(application.address() as AddressInfo).port}`;
      const gateway = await startTestGateway(model, { settings: { CAPTION_ALLOWED_ORIGINS: origin } });
      afterwards(() => gateway.close());
      html = example.replaceAll('https://captions.example', gateway.url);
      const launched = await launch();
      afterwards(() => launched.close());
      const page = await newCaptionPage(launched.browser);
      const room = gateway.rooms.enter(roomName('council'));
      say(room, { speaker: person('Ana'), segment: 'a', text: 'Good morning to everybody here.' });
      await page.page.goto(`${origin}/`);
      await expect
        .poll(() => page.settled, PATIENCE)
        .toEqual([{ name: 'Ana', text: 'Good morning to everybody here.' }]);
      expect(await page.status).toBe('Live');
      const box = await page.page.locator('#scroller').boundingBox();
      expect(box?.height).toBeGreaterThan(200);
      // The parts and the event that it tells of.
      for (const part of ['bar', 'status', 'captions', 'jump'])
        expect(await page.page.locator(`[part=${part}]`).count()).toBe(1);
      const changed = page.page.evaluate(() => {
        const element = document.querySelector('live-captions') as HTMLElement & {
          choose: (changes: { layout: 'overlay' }) => void;
        };
        const told = new Promise<string | null>((resolve) =>
          element.addEventListener('settings-changed', () => resolve(element.getAttribute('shown-layout'))),
        );
        element.choose({ layout: 'overlay' });
        return told;
      });
      expect(await changed).toBe('overlay');
      expect(page.problems.filter((problem) => !problem.includes('favicon'))).toEqual([]);
    });
  });
});
