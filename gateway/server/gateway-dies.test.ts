/** The program as a user starts it, killed while somebody speaks over ingest: what is said is captioned by the next one. */
import { beforeAll, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { participantIdentity, roomName } from '../../protocol/index.js';
import { connectIngest } from '../client/ingest-client.js';
import { freePort } from '../livekit/server/free-ports.js';
import type { SpeakerTrack } from '../meeting/meeting.js';
import { playPaced } from '../meeting/paced-playback.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { type Program, startProgram } from '../testing/program.js';
import { PublishedFinals } from '../testing/published-finals.js';
import { longestTrack, undisturbedWords } from '../testing/short-meeting.js';
import { startTestGateway } from '../testing/test-gateway.js';
import { waitFor, waitUntil } from '../testing/wait-until.js';
import { startCuttableProxy } from '../web/testing/cuttable-proxy.js';

const ROOM = roomName('council');
const ANA = participantIdentity('ana');

describeWithModel('a gateway that is killed while somebody speaks', (model) => {
  const afterwards = cleanupsAfterEach();
  let track: SpeakerTrack;
  let expected: string[];

  beforeAll(async () => {
    track = await longestTrack();
    const gateway = await startTestGateway(model);
    expected = await undisturbedWords(gateway, track.pcm);
    await gateway.close();
  });

  async function serve(port = 0): Promise<Program & { readonly url: string }> {
    const program = startProgram(['serve'], {
      env: { CAPTION_PORT: String(port), CAPTION_RECOGNISERS: '1', CAPTION_STANDBY: 'off' },
    });
    afterwards(() => program.kill());
    const url = await waitFor(
      'the gateway is not ready',
      () => /"url":"([^"]+)"/.exec(program.stderr())?.[1],
    );
    return { ...program, url };
  }

  /** Speaks the track at the pace of speech; `cut` is called in the middle of each of these words. */
  async function speak(
    url: string,
    words: readonly number[],
    cut: () => void,
  ): Promise<PublishedFinals & { startMs: number }> {
    const published = new PublishedFinals(url, ROOM);
    afterwards(() => published.close());
    await published.viewer.ready;
    const speaker = connectIngest({ url, room: ROOM, speaker: { identity: ANA, name: 'Ana' } });
    afterwards(() => speaker.close());
    await speaker.ready;
    const cuts = words.map((index) => {
      const { startMs, endMs } = track.spoken.at(index)!;
      return Math.round(((startMs + endMs) / 2) * 16);
    });
    let sent = 0;
    const startMs = Date.now();
    await playPaced(
      [
        {
          pcm: track.pcm,
          send: (frame) => {
            speaker.send(frame);
            sent += frame.length;
            if (sent < (cuts[0] ?? Infinity)) return;
            cuts.shift();
            cut();
          },
        },
      ],
      { startAtMs: performance.now() },
    );
    await speaker.end();
    await waitUntil(() =>
      published.textsOf(ANA).length >= expected.length && published.viewer.state.open.length === 0
        ? undefined
        : `published: ${published.textsOf(ANA).join(' ')}`,
    );
    expect(cuts).toEqual([]);
    return Object.assign(published, { startMs });
  }

  function expectEverythingOnce(published: PublishedFinals & { startMs: number }): void {
    expect(published.textsOf(ANA)).toEqual(expected);
    expect(published.viewer.state.gaps).toEqual([]);
    // Each word stands where it was said, also one that was sent again seconds later.
    const words = published.wordsOf(ANA);
    const [firstSpoken, lastSpoken] = [track.spoken[0]!, track.spoken.at(-1)!];
    expect(Math.abs(words[0]!.startMs - published.startMs - firstSpoken.startMs)).toBeLessThan(1500);
    expect(Math.abs(words.at(-1)!.endMs - published.startMs - lastSpoken.endMs)).toBeLessThan(1500);
    words
      .slice(1)
      .forEach((word, index) => expect(word.startMs).toBeGreaterThanOrEqual(words[index]!.startMs));
  }

  it('and started again loses no word and doubles none', async () => {
    const port = await freePort();
    const first = await serve(port);
    let second: Promise<unknown> | undefined;
    const published = await speak(first.url, [Math.floor(track.spoken.length / 2)], () => {
      second = first.kill().then(() => serve(port));
    });
    await second;
    expectEverythingOnce(published);
  }, 120_000);

  it('is followed by another one behind the same address, again and again, and no word is lost or doubled', async () => {
    const gateways = [await serve(), await serve(), await serve()];
    const proxy = await startCuttableProxy(gateways[0]!.url);
    afterwards(() => proxy.close());
    let current = 0;
    const published = await speak(proxy.url, [4, -4], () => {
      const dead = gateways[current++]!;
      proxy.aimAt(gateways[current]!.url);
      void dead.kill();
    });
    expect(current).toBe(2);
    expectEverythingOnce(published);
  }, 120_000);
});
