/** What attacks in rooms of LiveKit have in common: a captioned room, somebody who writes in it, and a page that watches. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { RoomServiceClient } from 'livekit-server-sdk';
import { roomName } from '../../../protocol/index.js';
import { createDispatch, roomPageAddress } from '../../../gateway/livekit/index.js';
import { captionerClaims } from '../access-token.js';
import type { AttackContext, AttackTarget } from '../attack.js';
import { request } from '../hostile-request.js';

const CAPTIONED_DEADLINE_MS = 20_000;
const LOOK_MS = 100;
const CHROMIUM = '/usr/bin/chromium';
const CHROMIUM_ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];

export interface LiveKitPlace extends NonNullable<AttackTarget['liveKit']> {
  readonly admin: RoomServiceClient;
}

/** Throws where the attack was given no LiveKit server. */
export function liveKitOf({ target }: AttackContext): LiveKitPlace {
  const { liveKit, apiKey, apiSecret } = target;
  if (liveKit === undefined) throw new Error('This attack needs a LiveKit server.');
  return { ...liveKit, admin: new RoomServiceClient(liveKit.httpUrl, apiKey, apiSecret) };
}

/** A room with the gateway's bot in it. Throws when none comes. */
export async function captionedRoom(
  context: AttackContext,
  { room, metadata }: { readonly room: string; readonly metadata?: string },
): Promise<void> {
  const { target } = context;
  const { url, agentName, admin } = liveKitOf(context);
  await createDispatch(
    { url, apiKey: target.apiKey, apiSecret: target.apiSecret },
    { room: roomName(room), agentName, ...(metadata === undefined ? {} : { metadata }) },
  );
  const isThere = await within(CAPTIONED_DEADLINE_MS, async () => {
    const participants = await admin.listParticipants(room).catch(() => []);
    return participants.some(({ identity }) => identity.startsWith(agentName));
  });
  if (!isThere) throw new Error(`The room ${room} got no captioner.`);
}

/** As a person who writes captions; lines are numbered by the caller. */
export async function writeLine(
  context: AttackContext,
  line: { readonly room: string; readonly seq: number; readonly text: string },
): Promise<void> {
  const { room, seq, text } = line;
  const token = await context.token({ room, identity: 'writer', name: 'Writer', claims: captionerClaims });
  await request(context, `/v1/rooms/${room}/captions?seq=${seq}`, { method: 'POST', token, body: text });
}

export interface WatchingPage {
  shows(text: string): Promise<boolean>;
  /** The longest time for which it did not answer, until `work` is done and it answers again. */
  longestStandstillMs(work: Promise<unknown>): Promise<number>;
  close(): Promise<void>;
}

/** The gateway's own room page in Chromium. Throws where there is none. */
export async function watchingPage(context: AttackContext, room: string): Promise<WatchingPage> {
  const { url } = liveKitOf(context);
  const token = await context.token({
    room,
    identity: 'page-viewer',
    video: { canPublish: false, canPublishData: true, canSubscribe: true },
  });
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS });
  const page: Page = await browser.newPage();
  await page.goto(roomPageAddress(context.target.url, { url, token }));
  const { admin } = liveKitOf(context);
  const isThere = await within(CAPTIONED_DEADLINE_MS, async () =>
    (await admin.listParticipants(room)).some(({ identity }) => identity === 'page-viewer'),
  );
  if (!isThere) throw new Error('The page did not join the room.');
  return {
    shows: async (text) => (await page.getByText(text).count()) > 0,
    async longestStandstillMs(work) {
      let longestMs = 0;
      const progress = { isDone: false };
      const settled = work
        // A flood that is refused is over, too.
        .catch(() => undefined)
        .finally(() => (progress.isDone = true));
      do {
        const askedAtMs = performance.now();
        await page.evaluate('1');
        longestMs = Math.max(longestMs, performance.now() - askedAtMs);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      } while (!progress.isDone);
      await settled;
      return longestMs;
    },
    close: () => browser.close(),
  };
}

/** Whether it becomes true in time. */
export async function within(deadlineMs: number, isTrue: () => Promise<boolean>): Promise<boolean> {
  const givesUpAtMs = performance.now() + deadlineMs;
  for (;;) {
    if (await isTrue()) return true;
    if (performance.now() > givesUpAtMs) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
