#!/usr/bin/env node
/**
 * `npm run bench:page`: what captions cost in a browser, seen from outside: main-thread time per second of captions, and the time from a
 * message to the painted word. The built component in Chromium; the gateway is a script with so many people talking at once.
 * With `--demo`: while the demo meeting is captioned by the real gateway. With `--hours`: what hours of captions leave in the page's memory.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { chromium } from 'playwright-core';
import { playLongMeeting } from './long-meeting.js';
import { startDemo } from './page-demo.js';
import { BENCH_ROOM, startPageStage } from './page-stage.js';

/** Messages of one speaker: as often as the quickest engine tells something new. */
const MESSAGES_PER_S = 10;
const WORDS_PER_SEGMENT = 25;
const SPOKEN =
  'so what I wanted to say about the new service is that extraordinary care will be needed'.split(' ');

interface PageResult {
  readonly layout: string;
  readonly mainThreadMsPerS: number;
  readonly scriptMsPerS: number;
  /** Of the demo undefined: some of its messages change nothing that is seen. */
  readonly paintedP50Ms?: number;
  readonly paintedP95Ms?: number;
  readonly messages: number;
}

/**
 * In the page: the time from a message's arrival to the moment after the frame that shows it has been drawn. What is shown is seen
 * by its elements: each message of this bench has a word that the one before had not.
 */
const NOTE_ARRIVALS = `
  window.painted = [];
  window.arrived = [];
  const Original = WebSocket;
  window.WebSocket = class extends Original {
    constructor(...options) {
      super(...options);
      this.addEventListener('message', ({ timeStamp }) => window.arrived.push(timeStamp));
    }
  };
`;
const NOTE_PAINTED = `
  new MutationObserver(() => {
    const shown = window.arrived.splice(0);
    if (shown.length === 0) return;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        for (const timeStamp of shown) window.painted.push(performance.now() - timeStamp);
      };
      port2.postMessage(undefined);
    });
  }).observe(document.querySelector('live-captions').shadowRoot.getElementById('log'), {
    childList: true, subtree: true, characterData: true,
  });
`;

const program = new Command('bench:page')
  .option('--speakers <n>', 'how many people talk at once', '4')
  .option('--seconds <s>', 'for how long, in each layout', '20')
  .option(
    '--demo',
    'instead: while the demo meeting is captioned, four people who take turns and interrupt each other',
  )
  .option('--chromium <file>', 'the browser', '/usr/bin/chromium')
  .option(
    '--hours <n,…>',
    'instead: memory of the page after so many hours of captions, as fast as it takes them',
  )
  .option('--json', 'print one JSON document')
  .parse();
const flags = program.opts<{
  speakers: string;
  seconds: string;
  chromium: string;
  demo?: boolean;
  hours?: string;
  json?: boolean;
}>();
const stage = await startPageStage();
const browser = await chromium.launch({
  executablePath: flags.chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  if (flags.hours === undefined) await measureCost();
  else await measureMemory(flags.hours.split(',').map(Number));
} finally {
  await browser.close();
  stage.close();
}

async function measureCost(): Promise<void> {
  const results: PageResult[] = [];
  for (const layout of ['transcript', 'overlay']) {
    results.push(flags.demo === true ? await measureDemo(layout) : await measureScript(layout));
  }
  print(
    results,
    ({ layout, mainThreadMsPerS, scriptMsPerS, paintedP50Ms, paintedP95Ms, messages }) =>
      `${layout.padEnd(10)}  main thread ${mainThreadMsPerS.toFixed(1)} ms/s (script ${scriptMsPerS.toFixed(1)})  ` +
      `message to painted word p50 ${paintedP50Ms?.toFixed(1) ?? '–'}, p95 ${paintedP95Ms?.toFixed(1) ?? '–'} ms  ${messages} messages`,
  );
}

async function measureMemory(hours: readonly number[]): Promise<void> {
  print(
    await playLongMeeting(browser, stage, hours),
    ({ hour, domNodes, listeners, heapMb }) =>
      `after hour ${hour}: ${domNodes} DOM nodes, ${listeners} listeners, heap ${heapMb.toFixed(2)} MB`,
  );
}

function print<T>(results: readonly T[], lineOf: (result: T) => string): void {
  const lines = flags.json === true ? [JSON.stringify(results)] : results.map(lineOf);
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function measureScript(layout: string): Promise<PageResult> {
  const talk = startTalk(Number(flags.speakers));
  return measure(layout, { url: stage.url, room: BENCH_ROOM, talkFor: (seconds) => talkFor(talk, seconds) });
}

async function measureDemo(layout: string): Promise<PageResult> {
  const demo = await startDemo();
  try {
    return await measure(layout, { ...demo, talkFor: (seconds) => pause(seconds * 1000) });
  } finally {
    await demo.close();
  }
}

/** What is shown, and how to let it go on for a while. */
interface Captions {
  readonly url: string;
  readonly room: string;
  readonly talkFor: (seconds: number) => Promise<void>;
}

async function measure(layout: string, captions: Captions): Promise<PageResult> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  const page = await context.newPage();
  await page.addInitScript({ content: NOTE_ARRIVALS });
  await page.goto(`${captions.url}/?room=${captions.room}&layout=${layout}`);
  await page.locator('#log').waitFor({ state: 'attached' });
  await page.evaluate(NOTE_PAINTED);
  const session = await context.newCDPSession(page);
  // Time of the processor, not of the clock: other programs do not count.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const read = async (): Promise<ReadonlyMap<string, number>> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return new Map(metrics.map(({ name, value }) => [name, value]));
  };
  const seconds = Number(flags.seconds);
  await captions.talkFor(3);
  await page.evaluate('window.painted.length = 0');
  const before = await read();
  await captions.talkFor(seconds);
  const after = await read();
  const painted = await page.evaluate<number[]>('window.painted');
  await context.close();
  const spent = (name: string): number =>
    (1000 * ((after.get(name) ?? 0) - (before.get(name) ?? 0))) / seconds;
  painted.sort((one, other) => one - other);
  const quantile = (part: number): number => painted[Math.floor(part * (painted.length - 1))] ?? NaN;
  return {
    layout,
    mainThreadMsPerS: spent('TaskDuration'),
    scriptMsPerS: spent('ScriptDuration'),
    ...(flags.demo === true ? {} : { paintedP50Ms: quantile(0.5), paintedP95Ms: quantile(0.95) }),
    messages: painted.length,
  };
}

/** Sends the next message of one speaker after the other: a word more each time, of which the last three may still change. */
function startTalk(speakers: number): () => void {
  let step = 0;
  return () => {
    const speaker = step % speakers;
    const said = Math.floor(step / speakers);
    step += 1;
    const count = (said % WORDS_PER_SEGMENT) + 1;
    const stable = Math.max(0, count - 3);
    const words = Array.from(
      { length: count },
      (_, at) => SPOKEN[(at + speaker + (at < stable ? 0 : said % 2)) % SPOKEN.length] ?? '',
    );
    stage.say({
      speaker: String(speaker + 1),
      segment: `${speaker} ${Math.floor(said / WORDS_PER_SEGMENT)}`,
      revision: count,
      words,
      // The words that have just become settled were other ones, perhaps.
      keep: Math.max(0, count - 4),
      stable,
      isFinal: count === WORDS_PER_SEGMENT,
      atMs: Date.now(),
    });
  };
}

async function talkFor(talk: () => void, seconds: number): Promise<void> {
  const stepMs = 1000 / (MESSAGES_PER_S * Number(flags.speakers));
  const startMs = performance.now();
  for (let step = 1; step * stepMs <= seconds * 1000; step++) {
    talk();
    await pause(Math.max(0, startMs + step * stepMs - performance.now()));
  }
}
