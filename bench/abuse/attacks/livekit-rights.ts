/** Rights in rooms of LiveKit: who becomes a captioner, who stays after being removed, who reads what they may not. */
import { once } from 'node:events';
import { SignalRequest, SignalResponse } from '@livekit/protocol';
import { WebSocket } from 'ws';
import { CAPTIONS_TOPIC } from '../../../protocol/index.js';
import { joinUnbound } from '../../../gateway/livekit/index.js';
import type { Attack, AttackContext } from '../attack.js';
import { captionsPath, HostileSocket, resyncOf } from '../hostile-socket.js';
import { captionedRoom, liveKitOf, within, writeLine } from './livekit-room.js';

const ATTRIBUTE = 'caption-gateway.captioner';
const TOKEN_DEADLINE_MS = 10_000;
const TOLD_AFTER_MS = 4000;
const CUT_OFF_DEADLINE_MS = 10_000;
const READ_DEADLINE_MS = 3000;
const TRANSCRIPTION_TOPIC = 'lk.transcription';

export const refreshedToken: Attack = {
  name: 'F3',
  title: 'a participant makes itself a captioner by an attribute, with the token that LiveKit signs for that',
  venue: 'livekit',
  async run(context) {
    const room = 'captioner-by-attribute';
    await captionedRoom(context, { room });
    const token = await context.token({
      room,
      identity: 'mallory',
      video: { canUpdateOwnMetadata: true, canPublish: true, canSubscribe: true },
    });
    const refreshed = await tokenWithAttributes(context, token, { [ATTRIBUTE]: 'true' });
    if (refreshed === undefined) {
      context.tally.remark('LiveKit sent no token with the attribute');
      return;
    }
    const socket = new HostileSocket(context, { path: `/v1/captioner?room=${room}`, token: refreshed });
    await socket.opened;
    socket.sendJson({
      kind: 'hello',
      version: 1,
      captioner: { identity: 'mallory', name: 'The Minister' },
      replaces: 'everybody',
    });
    if ((await socket.waitFor('welcome', READ_DEADLINE_MS)) !== undefined)
      context.tally.breach('a participant made itself a captioner');
    else if (socket.closed?.code !== 4403)
      context.tally.breach(`refused with ${socket.closed?.code ?? 'nothing'} instead of 4403`);
    socket.leave();
  },
};

/** Over LiveKit's own signalling, as a client of it does. Undefined when it answers with no token. */
async function tokenWithAttributes(
  context: AttackContext,
  token: string,
  attributes: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const { url } = liveKitOf(context);
  const socket = new WebSocket(`${url}/rtc?access_token=${token}&protocol=15&auto_subscribe=0&sdk=js`);
  let refreshed: string | undefined;
  socket.on('error', () => undefined);
  socket.on('message', (data) => {
    const { message } = SignalResponse.fromBinary(data as Buffer);
    if (message.case !== 'refreshToken') return;
    const claims: unknown = JSON.parse(
      Buffer.from(message.value.split('.')[1] ?? '', 'base64url').toString(),
    );
    if (JSON.stringify(claims).includes(ATTRIBUTE)) refreshed = message.value;
  });
  await once(socket, 'message');
  const request = new SignalRequest({
    message: {
      case: 'updateMetadata',
      value: { name: '', metadata: '', attributes: { ...attributes }, requestId: 1 },
    },
  });
  socket.send(request.toBinary());
  await within(TOKEN_DEADLINE_MS, () => Promise.resolve(refreshed !== undefined));
  socket.terminate();
  return refreshed;
}

export const historyOff: Attack = {
  name: 'F5',
  title: 'a latecomer in a room without history asks for a snapshot',
  venue: 'livekit',
  async run(context) {
    const room = 'without-history';
    await captionedRoom(context, { room, metadata: JSON.stringify({ history: false }) });
    const token = await context.token({ room, identity: 'early' });
    const early = new HostileSocket(context, { path: captionsPath(room), token });
    await early.opened;
    await writeLine(context, { room, seq: 1, text: 'said before anybody came' });
    await early.waitFor('delta', READ_DEADLINE_MS);
    const late = new HostileSocket(context, {
      path: captionsPath(room),
      token: await context.token({ room, identity: 'late' }),
    });
    await late.waitFor('snapshot', READ_DEADLINE_MS);
    late.send(resyncOf(room));
    await within(READ_DEADLINE_MS, () =>
      Promise.resolve(late.received.filter(({ kind }) => kind === 'snapshot').length > 1),
    );
    if (JSON.stringify(late.received).includes('anybody'))
      context.tally.breach('the latecomer reads what was said before');
    early.leave();
    late.leave();
  },
};

export const removedParticipant: Attack = {
  name: 'F6-removed',
  title: 'somebody removed from the room by LiveKit goes on reading, and comes back with the same token',
  venue: 'livekit',
  async run(context) {
    const room = 'removed';
    const { url, admin } = liveKitOf(context);
    await captionedRoom(context, { room });
    const token = await context.token({ room, identity: 'eve', video: { canSubscribe: true } });
    const eve = await joinUnbound({ url, token });
    const reading = new HostileSocket(context, { path: captionsPath(room), token });
    await reading.waitFor('snapshot', READ_DEADLINE_MS);
    // LiveKit tells the others late of somebody who publishes nothing.
    await new Promise((resolve) => setTimeout(resolve, TOLD_AFTER_MS));
    await admin.removeParticipant(room, 'eve');
    if (!(await reading.isClosedWithin(CUT_OFF_DEADLINE_MS)))
      context.tally.breach(`whoever was removed still reads ${CUT_OFF_DEADLINE_MS / 1000} s later`);
    const again = new HostileSocket(context, { path: captionsPath(room), token });
    await again.opened;
    if (!(await again.isClosedWithin(READ_DEADLINE_MS)))
      context.tally.breach('whoever was removed comes back with the same token');
    reading.leave();
    again.leave();
    await eve.leave();
  },
};

export const withoutSubscribing: Attack = {
  name: 'F7',
  title: 'somebody who may not subscribe reads data packets and text streams',
  venue: 'livekit',
  async run(context) {
    const room = 'waiting-room';
    await captionedRoom(context, { room });
    const read: string[] = [];
    const token = await context.token({
      room,
      identity: 'eve',
      video: { canSubscribe: false, canPublishData: true },
    });
    const eve = await joinUnbound({
      url: liveKitOf(context).url,
      token,
      textTopics: [TRANSCRIPTION_TOPIC],
      dataReceived: (topic, bytes) => {
        context.tally.answered(`packet on ${topic}`);
        read.push(Buffer.from(bytes).toString('utf8'));
      },
      textReceived: (topic, text) => {
        context.tally.answered(`stream on ${topic}`);
        read.push(text);
      },
    });
    for (let seq = 1; seq <= 5; seq += 1) {
      await writeLine(context, { room, seq, text: 'confidential words' });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const ask = resyncOf(room);
    context.tally.sent(ask.length);
    await eve.sendData(CAPTIONS_TOPIC, Buffer.from(ask));
    await within(READ_DEADLINE_MS, () => Promise.resolve(read.some((text) => text.includes('confidential'))));
    if (read.some((text) => text.includes('confidential')))
      context.tally.breach('captions reached somebody who may not subscribe');
    await eve.leave();
  },
};
