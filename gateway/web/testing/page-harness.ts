import type { Browser, BrowserContextOptions } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import type { InstalledModel } from '../../../asr/index.js';
import { type RoomName, roomName } from '../../../protocol/index.js';
import type { Room } from '../../rooms/room.js';
import { type Cleanup, cleanupsAfterAll } from '../../testing/cleanups.js';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.js';
import { type CaptionPage, newCaptionPage } from './caption-page.js';
import type { LaunchedBrowser } from './chromium.js';

/** For `expect.poll`: longer than anything should take on a slow machine. */
export const PATIENCE = { timeout: 20_000 };

export interface PageHarness {
  readonly gateway: () => TestGateway;
  /** The room on the gateway. It forgets one in which nobody is and nothing was said, so use it at once. */
  readonly enter: (name: RoomName) => Room;
  /** A name that no other test uses. */
  readonly freshName: () => RoomName;
  /** A page that must not show any problem until the end of the test, but those that `expected` matches. */
  readonly newPage: (options?: BrowserContextOptions, expected?: RegExp) => Promise<CaptionPage>;
  /** Resolves when the captions of the room are there. `url` is the gateway's unless told. */
  readonly showRoom: (page: CaptionPage, name: RoomName, url?: string) => Promise<CaptionPage>;
}

/** One real gateway and one real browser for all tests of a `describe`. */
export function pageHarness(options: {
  model: InstalledModel;
  launch: () => Promise<LaunchedBrowser>;
  afterwards: (cleanup: Cleanup) => void;
}): PageHarness {
  const afterAllTests = cleanupsAfterAll();
  let browser: Browser;
  let gateway: TestGateway;
  let rooms = 0;

  beforeAll(async () => {
    gateway = await startTestGateway(options.model);
    afterAllTests(() => gateway.close());
    const launched = await options.launch();
    afterAllTests(() => launched.close());
    browser = launched.browser;
  });

  return {
    gateway: () => gateway,
    enter: (name) => gateway.rooms.enter(name),
    freshName: () => roomName(`room ${(rooms += 1)} & <more>`),
    async newPage(contextOptions = {}, expected) {
      const page = await newCaptionPage(browser, contextOptions);
      options.afterwards(async () => {
        await page.page.context().close();
        expect(page.problems.filter((problem) => expected?.test(problem) !== true)).toEqual([]);
      });
      return page;
    },
    async showRoom(page, name, url = gateway.url) {
      await page.page.goto(`${url}/?room=${encodeURIComponent(name)}`);
      await expect.poll(() => page.status, PATIENCE).toBe('Live');
      return page;
    },
  };
}
