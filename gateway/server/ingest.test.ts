import { beforeAll, expect, it } from 'vitest';
import { loadSpeex, SpeexStream } from '../../asr/audio/speex-wasm.js';
import { type InstalledModel, toSixteenKilohertz } from '../../asr/index.js';
import {
  type IngestSampleRateHz,
  participantIdentity,
  roomName,
  type RoomName,
  segmentsOf,
} from '../../protocol/index.js';
import { type CaptionClient, connectCaptions } from '../client/caption-client.js';
import { connectIngest } from '../client/ingest-client.js';
import { playPaced } from '../meeting/paced-playback.js';
import type { SpeakerTrack } from '../meeting/meeting.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { RawPeer, helloWith, welcomedPeer } from '../testing/raw-peer.js';
import { framesOf, longestTrack, shownWords, undisturbedWords } from '../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { describeWithModel } from '../../asr/testing/real-model.js';

describeWithModel('a speaker on /v1/ingest', (model: InstalledModel) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;
  let track: SpeakerTrack;
  let expected: string[];
  let rooms = 0;

  beforeAll(async () => {
    gateway = await startTestGateway(model);
    afterAllTests(() => gateway.close());
    track = await longestTrack();
    expected = await undisturbedWords(gateway, track.pcm);
    expect(expected.length).toBeGreaterThan(5);
  });

  const freshRoom = (): RoomName => roomName(`room-${++rooms}`);

  async function viewerOf(room: RoomName): Promise<CaptionClient> {
    const viewer = connectCaptions({ url: gateway.url, room, changed: () => undefined });
    afterwards(() => viewer.close());
    await viewer.ready;
    return viewer;
  }

  function speakerIn(room: RoomName, options: { identity?: string; sampleRateHz?: IngestSampleRateHz } = {}) {
    const { identity = 'ana', sampleRateHz } = options;
    const speaker = connectIngest({
      url: gateway.url,
      room,
      speaker: { identity: participantIdentity(identity), name: identity.toUpperCase() },
      ...(sampleRateHz === undefined ? {} : { sampleRateHz }),
    });
    afterwards(() => speaker.close());
    return speaker;
  }

  const allFinal = (viewer: CaptionClient): string | undefined =>
    viewer.state.open.length === 0 && viewer.state.finals.length > 0 ? undefined : 'not everything is final';

  it('is captioned for a viewer: the words, the speaker, the time, the final', async () => {
    const room = freshRoom();
    const viewer = await viewerOf(room);
    const speaker = speakerIn(room);
    await speaker.ready;
    const startAtMs = performance.now();
    const firstWords = track.spoken.slice(0, 6);
    const startSample = Math.round(((firstWords[0]?.startMs ?? 0) - 500) * 16);
    const endSample = Math.round(((firstWords.at(-1)?.endMs ?? 0) + 100) * 16);
    const pcm = track.pcm.subarray(Math.max(0, startSample), endSample);
    const expectedHere = await undisturbedWords(gateway, pcm);
    const beganAtMs = performance.timeOrigin + startAtMs;
    await playPaced([{ pcm, send: (frame) => speaker.send(frame) }], { startAtMs });
    await speaker.end();
    await waitUntil(() => allFinal(viewer));
    expect(shownWords(viewer.state, 'ana')).toEqual(expectedHere);
    expect(viewer.resyncs).toBe(0);
    const segments = segmentsOf(viewer.state);
    expect(segments.every(({ isFinal, stable, words }) => isFinal && stable === words.length)).toBe(true);
    expect(segments.every(({ speaker, language }) => speaker.name === 'ANA' && language === 'en')).toBe(true);
    const words = segments.flatMap(({ words }) => words);
    // The sound begins 500 ms after the audio does. Loaded machines only ever make it later.
    expect(words[0]?.startMs).toBeGreaterThan(beganAtMs);
    expect(words[0]?.startMs).toBeLessThan(beganAtMs + 2000);
    expect(words.at(-1)?.endMs).toBeLessThan(beganAtMs + pcm.length / 16 + 1000);
    words.reduce((before, word) => {
      expect(word.startMs).toBeGreaterThanOrEqual(before.startMs);
      return word;
    });
  });

  it.each([8000, 16_000, 24_000, 48_000] as const)('may send %i samples a second', async (sampleRateHz) => {
    const room = freshRoom();
    const viewer = await viewerOf(room);
    const speaker = speakerIn(room, { sampleRateHz });
    const pcm = await resampled(track.pcm, sampleRateHz);
    for (const frame of framesOf(pcm, sampleRateHz / 50)) speaker.send(frame);
    await speaker.end();
    await waitUntil(() => allFinal(viewer));
    // Fewer words are understood in half the band of 8 kHz; what counts here is that they are the same ones.
    const whole = await toSixteenKilohertz(pcm, sampleRateHz);
    expect(shownWords(viewer.state, 'ana')).toEqual(await undisturbedWords(gateway, whole));
  });

  it('who mutes has what was said finished at once, and goes on when unmuted', async () => {
    const room = freshRoom();
    const viewer = await viewerOf(room);
    const speaker = speakerIn(room);
    await speaker.ready;
    const [first, second] = twoHalvesOfAnUtterance(track);
    for (const frame of framesOf(first)) speaker.send(frame);
    speaker.mute();
    await waitUntil(() => allFinal(viewer));
    speaker.unmute();
    for (const frame of framesOf(second)) speaker.send(frame);
    await speaker.end();
    await waitUntil(() => (viewer.state.finals.length >= 2 ? allFinal(viewer) : 'no second segment'));
    const once = await undisturbedWords(gateway, joined(first, second));
    expect(Math.abs(shownWords(viewer.state, 'ana').length - once.length)).toBeLessThanOrEqual(2);
  });

  it('who ends is told when the last final is out, and how much was heard', async () => {
    const peer = await welcomedPeer(gateway.url, { room: freshRoom(), sampleRateHz: 48_000 });
    const pcm = await resampled(track.pcm, 48_000);
    for (const frame of framesOf(pcm, 4800)) peer.sendPcm(frame);
    peer.send({ kind: 'end' });
    expect(await peer.received('ended')).toEqual({ kind: 'ended', receivedThroughSample: pcm.length });
    expect(await peer.closed()).toEqual({ code: 1000, reason: 'ended' });
    const room = gateway.rooms.rooms.find(({ name }) => name === `room-${rooms}`);
    expect(room?.state.open).toEqual([]);
    expect(room?.state.finals.length).toBeGreaterThan(0);
    expect(room?.speakerCount).toBe(0);
  });

  it('is told in acknowledgements how far recognition is behind', async () => {
    const peer = await welcomedPeer(gateway.url, { room: freshRoom(), sampleRateHz: 24_000 });
    afterwards(() => peer.socket.terminate());
    const [pid] = gateway.engine.childPids;
    if (pid === undefined) throw new Error('there is no child');
    process.kill(pid, 'SIGSTOP');
    afterwards(() => void process.kill(pid, 'SIGCONT'));
    const pcm = await resampled(track.pcm, 24_000);
    peer.sendPcm(pcm);
    await waitUntil(() =>
      peer.messages.some(isAckBehind(1000)) ? undefined : 'no acknowledgement tells of a delay',
    );
    process.kill(pid, 'SIGCONT');
    const behind = peer.messages.find(isAckBehind(1000));
    expect(behind).toMatchObject({ receivedThroughSample: pcm.length });
    await waitUntil(() =>
      peer.messages.some((message) => message.kind === 'ack' && message.behindMs < 100)
        ? undefined
        : 'still behind',
    );
    for (const message of peer.messages) {
      if (message.kind !== 'ack') continue;
      const behindSamples = message.receivedThroughSample - message.recognisedThroughSample;
      expect(Math.abs(behindSamples / 24 - message.behindMs)).toBeLessThanOrEqual(1);
    }
  });

  it('need not wait for the welcome', async () => {
    const room = freshRoom();
    const viewer = await viewerOf(room);
    const peer = await new RawPeer(`${gateway.url}/v1/ingest`).opened();
    peer.send(helloWith({ room }));
    peer.send({ kind: 'mute' });
    peer.send({ kind: 'unmute' });
    for (const frame of framesOf(track.pcm)) peer.sendPcm(frame);
    peer.send({ kind: 'end' });
    expect(await peer.received('ended')).toMatchObject({ receivedThroughSample: track.pcm.length });
    await waitUntil(() => allFinal(viewer));
    expect(shownWords(viewer.state, 'ana')).toEqual(expected);
  });

  it('may mute before it is welcome', async () => {
    const speaker = speakerIn(freshRoom());
    speaker.mute();
    await speaker.ready;
    await expect(speaker.end()).resolves.toBeUndefined();
  });

  it('may send frames of any length', async () => {
    const room = freshRoom();
    const viewer = await viewerOf(room);
    const peer = await welcomedPeer(gateway.url, { room });
    let first = 0;
    for (let index = 0; first < track.pcm.length; index++) {
      const length = [1, 0, 7, 333, 16_000][index % 5] ?? 1;
      peer.sendPcm(track.pcm.subarray(first, first + length));
      first += length;
    }
    peer.send({ kind: 'end' });
    await peer.received('ended');
    await waitUntil(() => allFinal(viewer));
    expect(shownWords(viewer.state, 'ana')).toEqual(expected);
  });

  it('may change its vocabulary while it speaks', async () => {
    const peer = await welcomedPeer(gateway.url, { room: freshRoom(), vocabulary: ['ProConnect'] });
    peer.send({ kind: 'vocabulary', vocabulary: ['La Suite'] });
    peer.send({ kind: 'end' });
    expect(await peer.received('ended')).toMatchObject({ receivedThroughSample: 0 });
  });

  it('is told which phrases recognition cannot favour, and goes on', async () => {
    const peer = await welcomedPeer(gateway.url, { room: freshRoom() });
    peer.send({ kind: 'vocabulary', vocabulary: ['La Suite', '日本'] });
    const warning = await peer.received('warning');
    expect(warning.code).toBe('vocabulary_not_favoured');
    expect(warning.message).toContain('日本');
    peer.send({ kind: 'end' });
    await peer.received('ended');
  });
});

const isAckBehind = (behindMs: number) => (message: { kind: string; behindMs?: number }) =>
  message.kind === 'ack' && (message.behindMs ?? 0) > behindMs;

async function resampled(pcm: Int16Array, toHz: number): Promise<Int16Array> {
  if (toHz === 16_000) return pcm;
  const stream = new SpeexStream(await loadSpeex(), { fromHz: 16_000, toHz, quality: 8 });
  const output = stream.resample(pcm);
  stream.destroy();
  return output;
}

/** Cut in the pause before the middle word. */
function twoHalvesOfAnUtterance(track: SpeakerTrack): [Int16Array, Int16Array] {
  const cut = Math.round((track.spoken[6]?.startMs ?? 0) * 16);
  return [track.pcm.subarray(0, cut), track.pcm.subarray(cut)];
}

function joined(...parts: Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
