import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { normaliseWords } from '../../asr/index.js';
import {
  type CaptionState,
  participantIdentity,
  type RoomName,
  roomName,
  segmentsOf,
} from '../../protocol/index.js';
import { type CaptionClient, connectCaptions } from '../client/caption-client.js';
import { accessToken, CAPTIONER_ATTRIBUTE, TEST_KEYS } from '../testing/access-token.js';
import { captionerHello, CaptionerPeer, welcomedCaptioner } from '../testing/captioner-peer.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { textMatching, textWith } from '../testing/matchers.js';
import { welcomedPeer } from '../testing/raw-peer.js';
import { framesOf, longestTrack, undisturbedWords } from '../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';

const CAPTIONER = { isCaptioner: true };

const textOf = ({ words }: CaptionState['open'][number]): string => words.map(({ text }) => text).join(' ');
const shown = (state: CaptionState): string[] =>
  segmentsOf(state).map(
    (segment) => `${segment.speaker.name}${segment.isFinal ? '' : '…'} ${textOf(segment)}`,
  );

describeWithModel('a person who writes captions', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;
  let rooms = 0;

  beforeAll(async () => {
    gateway = await startTestGateway(model);
    afterAllTests(() => gateway.close());
  });

  const freshRoom = (): RoomName => roomName(`room ${(rooms += 1)}`);

  async function watch(room: RoomName): Promise<CaptionClient> {
    const viewer = connectCaptions({ url: gateway.url, room, changed: () => undefined });
    afterwards(() => viewer.close());
    await viewer.ready;
    return viewer;
  }
  const sees = (viewer: CaptionClient, expected: readonly string[]): Promise<void> =>
    waitUntil(() => {
      const seen = JSON.stringify(shown(viewer.state));
      return seen === JSON.stringify(expected)
        ? undefined
        : `it shows ${seen}, not ${JSON.stringify(expected)}`;
    });
  const transcript = async (room: RoomName): Promise<string> =>
    (await fetch(`${gateway.url}/v1/rooms/${encodeURIComponent(room)}/transcript.txt`)).text();

  it('is seen writing, word by word, and can correct the last lines until they settle', async () => {
    const room = freshRoom();
    const viewer = await watch(room);
    const carol = await welcomedCaptioner(gateway.url, room, { correctableLines: 1, settleAfterMs: 120_000 });
    carol.line(1, 'Good mor');
    await sees(viewer, ['Carol… Good mor']);
    carol.line(1, 'Good mourning.', { isCommitted: true });
    carol.line(2, 'Next');
    await sees(viewer, ['Carol… Good mourning.', 'Carol… Next']);
    expect(viewer.state.open.every(({ stable }) => stable === 0)).toBe(true);
    carol.line(1, 'Good morning.');
    await sees(viewer, ['Carol… Good morning.', 'Carol… Next']);
    carol.line(3, 'More');
    await sees(viewer, ['Carol Good morning.', 'Carol… Next', 'Carol… More']);
    expect(await carol.received('settled')).toEqual({ kind: 'settled', line: 1, text: 'Good morning.' });
    carol.line(1, 'Too late.');
    carol.send({ kind: 'settle', line: 2 });
    await sees(viewer, ['Carol Good morning.', 'Carol Next', 'Carol… More']);
    carol.line(3, '');
    carol.send({ kind: 'end' });
    await carol.received('ended');
    await sees(viewer, ['Carol Good morning.', 'Carol Next', 'Carol ']);
    expect(await transcript(room)).toMatch(/^\[.*\] Carol: Good morning\.\n\[.*\] Carol: Next\n$/m);
    expect(await carol.ended()).toEqual({ code: 1000, reason: 'ended' });
  });

  it('has lines settle after a while', async () => {
    const room = freshRoom();
    const viewer = await watch(room);
    const carol = await welcomedCaptioner(gateway.url, room, { settleAfterMs: 20 });
    carol.line(1, 'Still writing');
    carol.line(1, 'Done.', { isCommitted: true });
    await sees(viewer, ['Carol Done.']);
  });

  it('leaves nothing open when the connection breaks, and comes back to the same line numbers', async () => {
    const room = freshRoom();
    const viewer = await watch(room);
    const carol = await welcomedCaptioner(gateway.url, room);
    const { session } = await carol.received('welcome');
    carol.line(1, 'One.', { isCommitted: true });
    carol.line(2, 'Two, and');
    await carol.received('shown', ({ line }) => line === 2);
    carol.socket.terminate();
    await sees(viewer, ['Carol One.', 'Carol Two, and']);
    const again = await new CaptionerPeer(gateway.url, { room }).opened();
    again.send(captionerHello({ session }));
    expect(await again.received('welcome')).toMatchObject({ session, nextLine: 3 });
    again.line(2, 'Two, and three.');
    expect(await again.received('settled')).toEqual({ kind: 'settled', line: 2, text: 'Two, and' });
    again.line(3, 'three.', { isCommitted: true });
    await sees(viewer, ['Carol One.', 'Carol Two, and', 'Carol… three.']);
    // A third connection with the session is the newer one.
    const third = await new CaptionerPeer(gateway.url, { room }).opened();
    third.send(captionerHello({ session }));
    await third.received('welcome');
    expect(await again.ended()).toMatchObject({ code: 4409, reason: textMatching(/^stream_taken_over/) });
    const other = await new CaptionerPeer(gateway.url, { room }).opened();
    other.send(captionerHello({ session, captioner: { identity: 'mallory' } }));
    expect((await other.received('welcome')).session).not.toBe(session);
  });

  it('comes back to a room that was forgotten meanwhile, because nothing had been said in it, and is seen', async () => {
    const room = freshRoom();
    const carol = await welcomedCaptioner(gateway.url, room);
    const { session } = await carol.received('welcome');
    carol.socket.terminate();
    await waitUntil(() => (gateway.rooms.find(room) === undefined ? undefined : 'the room is still there'));
    const viewer = await watch(room);
    const again = await welcomedCaptioner(gateway.url, room, { session });
    again.line(1, 'Good morning.', { isCommitted: true });
    await sees(viewer, ['Carol… Good morning.']);
  });

  it('shares a room with another one: both are seen, each with their own lines', async () => {
    const room = freshRoom();
    const viewer = await watch(room);
    const carol = await welcomedCaptioner(gateway.url, room);
    const dave = await welcomedCaptioner(gateway.url, room, {
      captioner: { identity: 'dave', name: 'Dave' },
    });
    carol.line(1, 'From Carol');
    await carol.received('shown');
    dave.line(1, 'From Dave');
    await sees(viewer, ['Carol… From Carol', 'Dave… From Dave']);
    carol.send({ kind: 'settle', line: 1 });
    await sees(viewer, ['Carol From Carol', 'Dave… From Dave']);
    dave.socket.terminate();
    await sees(viewer, ['Carol From Carol', 'Dave From Dave']);
  });

  it('stands in for recognition of a speaker while there, and nothing is lost before and after', async () => {
    const room = freshRoom();
    const { pcm, spoken } = await longestTrack();
    const word = spoken[6]!;
    const begun = pcm.subarray(0, word.endMs * 16);
    const before = await undisturbedWords(gateway, begun);
    const all = await undisturbedWords(gateway, pcm);
    const viewer = await watch(room);
    const ana = await welcomedPeer(gateway.url, { room });
    const say = (audio: Int16Array): void => {
      for (const frame of framesOf(audio)) ana.sendPcm(frame);
    };
    say(begun);
    await waitUntil(() => (viewer.state.open.length > 0 ? undefined : 'nothing is recognised'));
    const carol = await new CaptionerPeer(gateway.url, { room }).opened();
    carol.send(captionerHello({ replaces: ['ana'], settleAfterMs: 0 }));
    // The microphone goes on.
    await waitUntil(() => {
      say(new Int16Array(640));
      return carol.messages.some(({ kind }) => kind === 'welcome') ? undefined : 'not welcomed';
    });
    expect(viewer.state.open).toEqual([]);
    const recognised = (): string[] =>
      normaliseWords(
        segmentsOf(viewer.state)
          .filter(({ words }) => !textOf({ words } as never).includes('by hand'))
          .map(textOf)
          .join(' '),
      );
    expect(recognised()).toEqual(before);
    expect(await carol.received('speakers')).toMatchObject({
      speakers: [{ identity: 'ana', name: 'Ana', isReplaced: true }],
    });
    say(pcm);
    carol.line(1, 'Written by hand.', { as: 'ana', isCommitted: true });
    await waitUntil(() => (shown(viewer.state).at(-1) === 'Ana Written by hand.' ? undefined : 'not seen'));
    const { receivedThroughSample } = await ana.received('ack');
    expect(receivedThroughSample).toBeGreaterThan(0);
    carol.socket.terminate();
    await waitUntil(() =>
      gateway.rooms.enter(room).isReplaced(participantIdentity('ana')) ? 'still replaced' : undefined,
    );
    say(new Int16Array(16_000));
    say(pcm);
    ana.send({ kind: 'end' });
    await ana.received('ended');
    await viewer.settled();
    expect(recognised()).toEqual([...before, ...all]);
    const text = await transcript(room);
    expect(text).toContain('Ana (written by Carol): Written by hand.');
  });

  it('stands in for everybody, also for those who come later, until the last of two has left', async () => {
    const room = freshRoom();
    const carol = await welcomedCaptioner(gateway.url, room, { replaces: 'everybody' });
    const dave = await welcomedCaptioner(gateway.url, room, {
      captioner: { identity: 'dave' },
      replaces: 'everybody',
    });
    await welcomedPeer(gateway.url, { room });
    const isReplaced = (): boolean => gateway.rooms.enter(room).isReplaced(participantIdentity('ana'));
    await carol.received('speakers', ({ speakers }) => speakers[0]?.isReplaced === true);
    carol.send({ kind: 'end' });
    await carol.received('ended');
    expect(isReplaced()).toBe(true);
    dave.send({ kind: 'replace', replaces: [] });
    await dave.received('speakers', ({ speakers }) => speakers[0]?.isReplaced === false);
    expect(isReplaced()).toBe(false);
  });

  it.each<[string, (string | object)[], number, string]>([
    ['no JSON', ['Hello'], 4400, 'message_not_json'],
    ['nothing but lines', [{ kind: 'line', line: 1, text: 'x' }], 4400, 'hello_missing'],
    ['two hellos', [captionerHello(), captionerHello()], 4400, 'hello_repeated'],
    [
      'a huge line',
      [captionerHello(), { kind: 'line', line: 1, text: 'x'.repeat(1001) }],
      4400,
      'message_malformed',
    ],
    ['a huge message', [captionerHello(), 'x'.repeat(100_000)], 4400, 'message_too_large'],
    [
      'a flood',
      [captionerHello(), ...Array<object>(500).fill({ kind: 'line', line: 1, text: 'x' })],
      4429,
      'captioner_too_fast',
    ],
  ])('is refused with %s, and told why', async (...[, messages, code, error]) => {
    const peer = await new CaptionerPeer(gateway.url, { room: freshRoom() }).opened();
    for (const message of messages) peer.send(message);
    expect(await peer.ended()).toMatchObject({ code, reason: textMatching(new RegExp(`^${error}: `)) });
    expect(peer.messages.at(-1)).toMatchObject({ kind: 'error', code: error });
  });

  it('writes in nobody’s name whose recognition goes on', async () => {
    const room = freshRoom();
    await welcomedPeer(gateway.url, { room });
    const carol = await welcomedCaptioner(gateway.url, room);
    carol.line(1, 'x', { as: 'ana' });
    expect(await carol.ended()).toMatchObject({ reason: textMatching(/^speaker_not_replaced/) });
  });

  it('is one of eight at most', async () => {
    const room = freshRoom();
    const many = Array.from({ length: 8 }, (_, index) =>
      welcomedCaptioner(gateway.url, room, { captioner: { identity: `c${index}` } }),
    );
    const [first] = await Promise.all(many);
    const ninth = await new CaptionerPeer(gateway.url, { room }).opened();
    ninth.send(captionerHello());
    expect(await ninth.ended()).toMatchObject({ code: 4503, reason: textMatching(/^too_many_captioners/) });
    first?.send({ kind: 'end' });
    await first?.ended();
    await welcomedCaptioner(gateway.url, room);
  });

  it('is told when the gateway stops, and what was written is final', async () => {
    const stopping = await startTestGateway(model);
    afterwards(() => stopping.close());
    const room = freshRoom();
    const finals: string[] = [];
    const viewer = connectCaptions({
      url: stopping.url,
      room,
      changed: ({ finals: now }) => finals.splice(0, finals.length, ...now.map(textOf)),
    });
    afterwards(() => viewer.close());
    await viewer.ready;
    const carol = await welcomedCaptioner(stopping.url, room);
    carol.line(1, 'The last words.');
    await carol.received('shown');
    await stopping.close();
    expect(await carol.ended()).toMatchObject({ code: 1001 });
    await waitUntil(() => (finals.length === 1 ? undefined : 'not final'));
    expect(finals).toEqual(['The last words.']);
  });

  describe('with keys', () => {
    let guarded: TestGateway;
    beforeAll(async () => {
      guarded = await startTestGateway(model, { settings: TEST_KEYS });
      afterAllTests(() => guarded.close());
    });

    it.each<[string, Parameters<typeof accessToken>[0] | undefined, Record<string, unknown>, number]>([
      ['no token', undefined, {}, 4401],
      ['a token of a participant', {}, {}, 4403],
      ['the attribute that participants may give themselves', { attributes: CAPTIONER_ATTRIBUTE }, {}, 4403],
      ['a token for another room', { ...CAPTIONER, video: { room: 'x', roomJoin: true } }, {}, 4403],
      ['a token for another identity', CAPTIONER, { captioner: { identity: 'bo' } }, 4403],
    ])('is refused with %s', async (...[, token, hello, code]) => {
      const peer = new CaptionerPeer(guarded.url, {
        room: 'council',
        ...(token === undefined ? {} : { token: await accessToken(token) }),
      });
      await peer.opened();
      peer.send(captionerHello(hello));
      expect(await peer.ended()).toMatchObject({ code });
    });

    it('says what to do where a token has the attribute of before', async () => {
      const token = await accessToken({ attributes: CAPTIONER_ATTRIBUTE });
      const answer = await fetch(`${guarded.url}/v1/rooms/council/captions?seq=1&access_token=${token}`, {
        method: 'POST',
        body: 'Hello.',
      });
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({
        code: 'forbidden',
        message: textWith('"captionGateway": {"captioner": true}'),
      });
    });

    it('is let in with the claim, under the name of the token', async () => {
      const token = await accessToken(CAPTIONER);
      const peer = await new CaptionerPeer(guarded.url, { room: 'council', token }).opened();
      peer.send(captionerHello({ captioner: { identity: 'ana' }, settleAfterMs: 0 }));
      await peer.received('welcome');
      peer.line(1, 'Hello.', { isCommitted: true });
      await peer.received('settled');
      const { speaker } = guarded.rooms.enter(roomName('council')).state.finals[0]!;
      expect(speaker).toEqual({ identity: 'ana', name: 'Ana' });
    });
  });
});
