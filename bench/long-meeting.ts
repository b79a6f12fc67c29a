/** Hours of captions as fast as the page takes them, and what they leave in its memory. */
import type { Browser, CDPSession, Page } from 'playwright-core';
import { BENCH_ROOM, type PageStage } from './page-stage.js';

/** Somebody finishes a segment of ten words every four seconds, in five versions. */
const SEGMENT_MS = 4000;
const SEGMENTS_PER_HOUR = 3_600_000 / SEGMENT_MS;
const VERSIONS = 5;
const WORDS_PER_VERSION = 2;
/** More than a page remembers colours for, over eight hours. */
const SPEAKERS = 1500;
/** So many are said before the page is waited for. */
const SEGMENTS_AT_ONCE = 40;
const STARTED_MS = 1_700_000_000_000;

export interface PageMemory {
  readonly hour: number;
  readonly domNodes: number;
  readonly listeners: number;
  /** After everything was thrown away that can be. */
  readonly heapMb: number;
}

/** `hours` are those after which is measured; ascending. */
export async function playLongMeeting(
  browser: Browser,
  stage: PageStage,
  hours: readonly number[],
): Promise<PageMemory[]> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  const page = await context.newPage();
  await page.goto(`${stage.url}/?room=${BENCH_ROOM}`);
  await page.locator('#status.good').waitFor({ state: 'attached' });
  const session = await context.newCDPSession(page);
  const measured: PageMemory[] = [];
  let segment = 0;
  for (const hour of hours) {
    while (segment < hour * SEGMENTS_PER_HOUR) {
      const until = Math.min(segment + SEGMENTS_AT_ONCE, hour * SEGMENTS_PER_HOUR);
      for (; segment < until; segment++) saySegment(stage, segment);
      await page.locator(`.block[data-segment="s${segment - 1}"]:not(.open)`).waitFor({ state: 'attached' });
    }
    measured.push({ hour, ...(await memoryOf(page, session)) });
  }
  await context.close();
  return measured;
}

function saySegment(stage: PageStage, number: number): void {
  for (let version = 1; version <= VERSIONS; version++) {
    const count = version * WORDS_PER_VERSION;
    stage.say({
      speaker: String(number % SPEAKERS),
      segment: `s${number}`,
      revision: version,
      words: Array.from({ length: count }, (_, at) => `word${number}-${at}`),
      keep: count - WORDS_PER_VERSION,
      stable: count - WORDS_PER_VERSION,
      isFinal: version === VERSIONS,
      atMs: STARTED_MS + number * SEGMENT_MS,
    });
  }
}

async function memoryOf(page: Page, session: CDPSession): Promise<Omit<PageMemory, 'hour'>> {
  // What the last frame still needs is let go with the one after it.
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
  await session.send('HeapProfiler.collectGarbage');
  const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return { domNodes: nodes, listeners: jsEventListeners, heapMb: usedSize / 1e6 };
}
