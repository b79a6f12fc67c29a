/** Gateways in processes of their own that are stopped or killed while people talk, and what viewers see of it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { textWith } from '../testing/matchers.js';
import { startProgram } from '../testing/program.js';
import { waitUntil } from '../testing/wait-until.js';
import {
  finalWordsOf,
  isHeard,
  legacyWordsOf,
  loadVoices,
  MeetingRoom,
  say,
  type Speech,
  type Voice,
  wordsOf,
} from './testing/captioned-meeting.js';
import { environmentFor, startServing } from './testing/gateway-program.js';
import { describeWithModelAndLiveKit, startTestLiveKit, type TestLiveKit } from './testing/livekit-server.js';
import { disposeSdk } from './dispose-sdk.js';

const TIMEOUT_MS = 180_000;

describeWithModelAndLiveKit('a gateway that ends', () => {
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;
  let voices: Readonly<Record<Voice, Speech>>;

  beforeAll(async () => {
    voices = await loadVoices();
    server = await startTestLiveKit();
  });
  afterAll(async () => {
    await server.stop();
    await disposeSdk();
  });

  function meeting(name: string): MeetingRoom {
    const room = new MeetingRoom(server, name);
    afterThis(() => room.leave());
    return room;
  }

  it(
    'by kill -9 in mid-sentence is replaced by another, and the captions say what was missed',
    async () => {
      const room = meeting('killed');
      const viewer = await room.viewer('vera');
      const claire = await room.speaker('claire');
      // He is there, and says nothing before the gateway has ended.
      const david = await room.speaker('david');
      const first = await startServing(server);
      afterThis(() => first.kill());
      await room.dispatch();
      await viewer.ready;
      const second = await startServing(server);
      afterThis(() => second.kill());
      const talking = say(claire, { pcm: new Int16Array([...voices.claire.pcm, ...voices.claire.pcm]) });
      await waitUntil(() => (viewer.state.open.length > 0 ? undefined : 'nothing is said'));
      const epochBefore = viewer.state.epochMs;
      await first.kill();
      await talking;
      await waitUntil(() => (viewer.state.epochMs > epochBefore ? undefined : 'nobody took over'), 60_000);
      const missed = (): string[] =>
        viewer.state.gaps.map(({ speaker, reason }) => `${speaker.identity}: ${reason}`).sort();
      await waitUntil(() => (missed().length === 2 ? undefined : `told as missed: ${missed().join()}`));
      expect(missed()).toEqual(['claire: gateway_restarted', 'david: gateway_restarted']);
      await say(claire, voices.claire);
      await waitUntil(() =>
        isHeard(finalWordsOf(viewer.state, 'claire').slice(-voices.claire.words.length), voices.claire.words)
          ? undefined
          : `shown: ${wordsOf(viewer.state, 'claire').join(' ')}`,
      );
      await say(david, voices.david);
      await waitUntil(() => (finalWordsOf(viewer.state, 'david').length > 0 ? undefined : 'no captions'));
      expect(missed()).toHaveLength(2);
      const url = /"url":"(http[^"]+)"/.exec(second.stderr())?.[1];
      const transcript = await room.transcript(url ?? '');
      expect(transcript.match(/captions were interrupted/g)).toHaveLength(2);
    },
    TIMEOUT_MS,
  );

  it(
    'by SIGTERM in mid-sentence loses no word: finals on every road, and then the process is gone',
    async () => {
      const room = meeting('stopped');
      const viewer = await room.viewer('vera');
      const claire = await room.speaker('claire');
      const gateway = await startServing(server);
      afterThis(() => gateway.kill());
      await room.dispatch();
      await viewer.ready;
      // No trailing silence: the sentence is still open when the signal comes.
      const talking = say(claire, voices.claire);
      await waitUntil(() => (wordsOf(viewer.state, 'claire').length >= 4 ? undefined : 'too little is said'));
      const shownBefore = wordsOf(viewer.state, 'claire');
      gateway.child.kill('SIGTERM');
      expect((await gateway.ended).code).toBe(0);
      await talking;
      await waitUntil(() => (viewer.state.open.length === 0 ? undefined : 'the sentence was never finished'));
      const final = finalWordsOf(viewer.state, 'claire');
      expect(final.slice(0, shownBefore.length)).toEqual(shownBefore);
      await waitUntil(() =>
        legacyWordsOf(viewer, 'claire').length === final.length ? undefined : 'the legacy road lost words',
      );
      expect(legacyWordsOf(viewer, 'claire')).toEqual(final);
    },
    TIMEOUT_MS,
  );

  it(
    'when everybody has left: `join` captions one room, says when another one has it, and ends by itself',
    async () => {
      const room = meeting('joined');
      const viewer = await room.viewer('vera');
      const david = await room.speaker('david');
      const environment = environmentFor(server);
      const program = startProgram(['join', room.name], { env: environment });
      afterThis(() => program.kill());
      await viewer.ready;
      await waitUntil(
        () => (program.stderr().includes('joined the room') ? undefined : program.stderr()),
        60_000,
      );
      const rival = startProgram(['join', room.name], { env: environment });
      expect(await rival.ended).toMatchObject({
        code: 1,
        stderr: textWith('livekit_room_captioned'),
      });
      await say(david, voices.david);
      await waitUntil(() => (finalWordsOf(viewer.state, 'david').length > 0 ? undefined : 'no captions'));
      expect(isHeard(finalWordsOf(viewer.state, 'david'), voices.david.words)).toBe(true);
      await room.leave();
      expect((await program.ended).code).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'before it began: `join` tells a wrong key from a server that is not there',
    async () => {
      const environment = environmentFor(server);
      const [wrongKey, nobody, unset] = await Promise.all(
        [
          { ...environment, LIVEKIT_API_SECRET: 'a secret that is not the one of the server' },
          { ...environment, LIVEKIT_URL: 'ws://127.0.0.1:9' },
          { ...environment, LIVEKIT_URL: '' },
        ].map((env) => startProgram(['join', 'somewhere'], { env }).ended),
      );
      expect(wrongKey).toMatchObject({
        code: 2,
        stderr: textWith('livekit_unauthorised'),
      });
      expect(nobody).toMatchObject({
        code: 4,
        stderr: textWith('livekit_unreachable'),
      });
      expect(unset).toMatchObject({ code: 2, stderr: textWith('LIVEKIT_URL') });
    },
    TIMEOUT_MS,
  );
});
