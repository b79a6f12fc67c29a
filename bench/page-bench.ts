#!/usr/bin/env node
/**
 * `npm run bench:page`: what captions cost in a browser, seen from outside: main-thread time per second of captions, and the time from a
 * message to the painted word. The built component in Chromium; the gateway is a script with so many people talking at once.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { type Browser, chromium } from 'playwright-core';
import { type WebSocket, WebSocketServer } from 'ws';
import { servePage } from '../gateway/server/page.js';
import {
  encodeMessage,
  epochMs,
  participantIdentity,
  roomName,
  segmentId,
  snapshotMessages,
  startEpoch,
} from '../protocol/index.js';

const ROOM = roomName('bench');
/** Messages of one speaker: as often as the quickest engine tells something new. */
const MESSAGES_PER_S = 10;
const WORDS_PER_SEGMENT = 25;
const SPOKEN =
  'so what I wanted to say about the new service is that extraordinary care will be needed'.split(' ');

interface PageResult {
  readonly layout: string;
  readonly mainThreadMsPerS: number;
  readonly scriptMsPerS: number;
  readonly paintedP50Ms: number;
  readonly paintedP95Ms: number;
  readonly messages: number;
}

/** In the page: the time from a message's arrival to the moment after the frame that shows it has been drawn. */
const NOTE_PAINTED = `
  const painted = (window.painted = []);
  const Original = WebSocket;
  window.WebSocket = class extends Original {
    constructor(...options) {
      super(...options);
      this.addEventListener('message', ({ timeStamp }) => {
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => painted.push(performance.now() - timeStamp);
          port2.postMessage(undefined);
        });
      });
    }
  };
`;

const program = new Command('bench:page')
  .option('--speakers <n>', 'how many people talk at once', '4')
  .option('--seconds <s>', 'for how long, in each layout', '20')
  .option('--chromium <file>', 'the browser', '/usr/bin/chromium')
  .option('--json', 'print one JSON document')
  .parse();
const flags = program.opts<{ speakers: string; seconds: string; chromium: string; json?: boolean }>();
const { server, sockets, url } = await startServer();
const browser = await chromium.launch({
  executablePath: flags.chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  const results: PageResult[] = [];
  for (const layout of ['transcript', 'overlay']) results.push(await measure(browser, layout));
  if (flags.json === true) process.stdout.write(`${JSON.stringify(results)}\n`);
  else
    for (const result of results)
      process.stdout.write(
        `${result.layout.padEnd(10)}  main thread ${result.mainThreadMsPerS.toFixed(1)} ms/s (script ${result.scriptMsPerS.toFixed(1)})  ` +
          `message to painted word p50 ${result.paintedP50Ms.toFixed(1)}, p95 ${result.paintedP95Ms.toFixed(1)} ms  ` +
          `${result.messages} messages\n`,
      );
} finally {
  await browser.close();
  server.close();
  server.closeAllConnections();
}

async function startServer(): Promise<{ server: Server; sockets: Set<WebSocket>; url: string }> {
  const http = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    void servePage(path, { request, response }).then((isServed) => {
      if (!isServed) response.writeHead(404).end();
    });
  });
  const open = new Set<WebSocket>();
  new WebSocketServer({ server: http, handleProtocols: ([first]) => first ?? false }).on(
    'connection',
    (socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      for (const part of snapshotMessages(startEpoch(ROOM, epochMs(1)))) socket.send(encodeMessage(part));
    },
  );
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return { server: http, sockets: open, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

async function measure(inBrowser: Browser, layout: string): Promise<PageResult> {
  const context = await inBrowser.newContext({ viewport: { width: 1280, height: 720 } });
  const page = await context.newPage();
  await page.addInitScript({ content: NOTE_PAINTED });
  await page.goto(`${url}/?room=${ROOM}&layout=${layout}`);
  await page.locator('#log').waitFor({ state: 'attached' });
  const session = await context.newCDPSession(page);
  // Time of the processor, not of the clock: other programs do not count.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const read = async (): Promise<ReadonlyMap<string, number>> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return new Map(metrics.map(({ name, value }) => [name, value]));
  };
  const seconds = Number(flags.seconds);
  const talk = startTalk(Number(flags.speakers));
  await talkFor(talk, 3);
  await page.evaluate('window.painted.length = 0');
  const before = await read();
  await talkFor(talk, seconds);
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
    paintedP50Ms: quantile(0.5),
    paintedP95Ms: quantile(0.95),
    messages: painted.length,
  };
}

/** Sends the next message of one speaker after the other: a word more each time, of which the last three may still change. */
function startTalk(speakers: number): () => void {
  let seq = 0;
  let step = 0;
  return () => {
    const speaker = step % speakers;
    const said = Math.floor(step / speakers);
    step += 1;
    const segment = Math.floor(said / WORDS_PER_SEGMENT);
    const count = (said % WORDS_PER_SEGMENT) + 1;
    const keep = Math.max(0, count - 3);
    const nowMs = epochMs(Date.now());
    const words = Array.from({ length: count - keep }, (_, at) => ({
      text: SPOKEN[(keep + at + speaker + (said % 2)) % SPOKEN.length] ?? '',
      startMs: nowMs,
      endMs: nowMs,
    }));
    const message = encodeMessage({
      kind: 'delta',
      room: ROOM,
      epochMs: epochMs(1),
      seq: (seq += 1),
      speaker: { identity: participantIdentity(`p${speaker}`), name: `Speaker ${speaker + 1}` },
      segment: segmentId(`${speaker} ${segment}`),
      revision: count,
      keep: Math.min(keep, count - 1),
      words,
      stable: keep,
      isFinal: count === WORDS_PER_SEGMENT,
      language: 'en',
    });
    for (const socket of sockets) socket.send(message);
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
