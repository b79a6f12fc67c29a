import {
  applyMessage,
  CAPTIONS_TOPIC,
  encodeMessage,
  epochMs,
  MAX_EPOCH_MS,
  participantIdentity,
  roomName,
  segmentId,
  snapshotMessages,
  startEpoch,
} from '../../../protocol/index.js';
import { joinUnbound } from '../../../gateway/livekit/index.js';
import type { Attack, AttackContext } from '../attack.js';
import {
  captionedRoom,
  liveKitOf,
  type WatchingPage,
  watchingPage,
  within,
  writeLine,
} from './livekit-room.js';

const ROOM = 'forged';
const TRANSCRIPTION_TOPIC = 'lk.transcription';
const QUICK_TRIES = 4;
/** More than there are. */
const FORGERIES = 100;
const SHOWN_DEADLINE_MS = 1500;
const GENUINE_DEADLINE_MS = 8000;

export const forgedPackets: Attack = {
  name: 'F2',
  title:
    'captions forged by a hidden participant, by one who has just come and by a known one, in the room page',
  venue: 'livekit',
  async run(context) {
    await captionedRoom(context, { room: ROOM });
    const page = await watchingPage(context, ROOM);
    try {
      await writeLine(context, { room: ROOM, seq: 1, text: 'genuine before' });
      if (!(await within(GENUINE_DEADLINE_MS, () => page.shows('genuine before'))))
        context.tally.remark('the page did not show the genuine line before the attack');
      await forge(context, page, { who: 'hidden', video: { hidden: true }, waitMs: 0 });
      for (let index = 0; index < QUICK_TRIES; index += 1)
        await forge(context, page, { who: `quick ${index}`, video: {}, waitMs: 0 });
      await forge(context, page, { who: 'known', video: {}, waitMs: SHOWN_DEADLINE_MS });
      await writeLine(context, { room: ROOM, seq: 2, text: 'genuine after' });
      if (!(await within(GENUINE_DEADLINE_MS, () => page.shows('genuine after'))))
        context.tally.breach('what the gateway says after the forgery is not shown any more');
    } finally {
      await page.close();
    }
  },
};

async function forge(
  context: AttackContext,
  page: WatchingPage,
  by: { readonly who: string; readonly video: Readonly<Record<string, unknown>>; readonly waitMs: number },
): Promise<void> {
  const identity = `eve ${by.who}`;
  const token = await context.token({ room: ROOM, identity, video: { canPublishData: true, ...by.video } });
  const eve = await joinUnbound({ url: liveKitOf(context).url, token });
  context.tally.connected();
  await new Promise((resolve) => setTimeout(resolve, by.waitMs));
  const roads = { packet: `forged packet by ${by.who}`, stream: `forged stream by ${by.who}` };
  for (const packet of forgery(
    roads.packet,
    MAX_EPOCH_MS - FORGERIES + context.tally.outcome().connections,
  )) {
    context.tally.sent(packet.length);
    await eve.sendData(CAPTIONS_TOPIC, packet);
  }
  context.tally.sent(roads.stream.length);
  await eve.streamText(TRANSCRIPTION_TOPIC, [roads.stream]);
  await new Promise((resolve) => setTimeout(resolve, SHOWN_DEADLINE_MS));
  for (const [road, words] of Object.entries(roads)) {
    const isShown = await page.shows(words);
    context.tally.answered(`${road} ${isShown ? 'shown' : 'not shown'}`);
    if (isShown)
      context.tally.breach(`a ${road} that somebody ${by.who.replace(/ \d+$/, '')} forged is shown`);
  }
  await eve.leave();
}

/** Of a later epoch than any of the gateway's and of those forged before: what comes afterwards is old, where that is believed. */
function forgery(words: string, epoch: number): Uint8Array[] {
  const delta = {
    kind: 'delta',
    room: roomName(ROOM),
    epochMs: epochMs(epoch),
    seq: 1,
    speaker: { identity: participantIdentity('ana'), name: 'Ana' },
    segment: segmentId(`forged-${words}`),
    revision: 1,
    keep: 0,
    words: words
      .split(' ')
      .map((text) => ({ text, startMs: epochMs(Date.now()), endMs: epochMs(Date.now() + 100) })),
    stable: 3,
    isFinal: true,
    language: 'en',
  } as const;
  const state = applyMessage(startEpoch(roomName(ROOM), epochMs(epoch)), delta);
  return [...snapshotMessages(state), delta].map(encodeMessage);
}
