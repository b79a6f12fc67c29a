/** Serves the clients of this folder to browsers, bundled from their sources. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { normaliseWords } from '../../../../asr/index.js';
import {
  type CaptionState,
  participantIdentity,
  type RoomName,
  segmentsOf,
} from '../../../../protocol/index.js';
import { type LiveKitAccess, participantToken } from '../../participant/joined-room.js';
import type { ClientKind, Visit } from './visit.js';

/** Of all that a build gives. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

export interface BrowserClients {
  /** `http://127.0.0.1:…`: a place where browsers allow microphones. */
  readonly url: string;
  close(): Promise<void>;
}

/** Whoever calls it closes it. */
export async function serveBrowserClients(): Promise<BrowserClients> {
  const files = await bundle();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname.slice(1) || 'index.html';
    const file = files.get(path);
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const extension = path.slice(path.lastIndexOf('.') + 1);
    response.writeHead(200, { 'content-type': MEDIA_TYPES[extension] ?? 'text/plain' }).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Contents by path. Nothing is written. */
async function bundle(): Promise<Map<string, string | Uint8Array>> {
  const built = (await build({
    root: fileURLToPath(new URL('.', import.meta.url)),
    configFile: false,
    logLevel: 'warn',
    // Not the development builds of libraries, which a test's environment would choose.
    resolve: { conditions: ['module', 'browser', 'production'] },
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, minify: false, target: 'es2023', chunkSizeWarningLimit: 10_000 },
  })) as Rolldown.RolldownOutput;
  return new Map(
    built.output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : file.source]),
  );
}

/** Lets clients of these kinds, each a participant of its own, join the room. Resolves when all are in. */
export async function visitRoom(
  page: Page,
  options: {
    readonly clients: BrowserClients;
    readonly server: LiveKitAccess;
    readonly room: RoomName;
    readonly kinds: readonly ClientKind[];
    /** Goes before the kind in a client's identity. Default: nothing. */
    readonly prefix?: string;
  },
): Promise<void> {
  const { clients, server, room, kinds, prefix = '' } = options;
  const visit: Visit = {
    url: server.url,
    room,
    clients: await Promise.all(
      kinds.map(async (kind) => {
        const identity = participantIdentity(prefix + kind);
        return { kind, token: await participantToken({ server, room, identity }) };
      }),
    ),
  };
  await page.goto(`${clients.url}/#${encodeURIComponent(JSON.stringify(visit))}`);
  for (const kind of kinds) await page.locator(`#${kind}[data-joined]`).waitFor({ state: 'attached' });
}

/** Normalised words by speaker. */
export type SpokenWords = Readonly<Record<string, readonly string[]>>;

/** What a client shows, in the order in which it shows it. */
export async function wordsOn(page: Page, kind: ClientKind): Promise<SpokenWords> {
  const rows = await page
    .locator(`#${kind} [data-speaker]`)
    .evaluateAll((elements) =>
      elements.map((element) => [element.getAttribute('data-speaker') ?? '', element.textContent] as const),
    );
  return wordsBySpeaker(rows);
}

export const finalWords = ({ finals }: Pick<CaptionState, 'finals'>): SpokenWords =>
  wordsBySpeaker(
    finals.map(({ speaker, words }) => [speaker.identity, words.map(({ text }) => text).join(' ')] as const),
  );

/** Open segments too. */
export const captionedWords = (state: CaptionState): SpokenWords => finalWords({ finals: segmentsOf(state) });

function wordsBySpeaker(rows: readonly (readonly [speaker: string, text: string])[]): SpokenWords {
  const words: Record<string, string[]> = {};
  for (const [speaker, text] of rows) (words[speaker] ??= []).push(...normaliseWords(text));
  return words;
}
