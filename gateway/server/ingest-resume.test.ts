import { beforeAll, describe, expect, it } from 'vitest';
import { participantIdentity, roomName, type RoomName } from '../../protocol/index.js';
import { type CaptionClient, connectCaptions } from '../client/caption-client.js';
import { connectIngest } from '../client/ingest-client.js';
import type { SpeakerTrack } from '../meeting/meeting.js';
import { playPaced } from '../meeting/paced-playback.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { helloWith, RawPeer, welcomedPeer } from '../testing/raw-peer.js';
import { framesOf, longestTrack, shownWords, undisturbedWords } from '../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitFor, waitUntil } from '../testing/wait-until.js';
import { joinPcm } from '../../asr/testing/clips.js';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { textWith } from '../testing/matchers.js';

describeWithModel('a speaker whose connection drops', (model) => {
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
  });

  const freshRoom = (): RoomName => roomName(`room-${++rooms}`);

  async function viewerOf(room: RoomName, url = gateway.url): Promise<CaptionClient> {
    const viewer = connectCaptions({ url, room, changed: () => undefined });
    afterwards(() => viewer.close());
    await viewer.ready;
    return viewer;
  }

  const shows = (viewer: CaptionClient, words: readonly string[]): Promise<void> =>
    waitUntil(() => {
      const shown = shownWords(viewer.state, 'ana').join(' ');
      return viewer.state.open.length === 0 && shown === words.join(' ') ? undefined : `shown: ${shown}`;
    });

  const streamCount = (room: RoomName): number =>
    gateway.rooms.rooms.find(({ name }) => name === room)?.speakerCount ?? 0;

  it.each([1, 2, 3])(
    'several times in mid-sentence loses no word and doubles none (seed %i)',
    async (seed) => {
      const room = freshRoom();
      const viewer = await viewerOf(room);
      const speaker = connectIngest({
        url: gateway.url,
        room,
        speaker: { identity: participantIdentity('ana'), name: 'Ana' },
      });
      afterwards(() => speaker.close());
      await speaker.ready;
      const words = track.spoken.filter((_, index) => index % 4 === seed);
      const dropAtSamples = words.map(({ startMs, endMs }) => Math.round(((startMs + endMs) / 2) * 16));
      let sentSamples = 0;
      const send = (frame: Int16Array): void => {
        speaker.send(frame);
        sentSamples += frame.length;
        while (sentSamples >= (dropAtSamples[0] ?? Infinity)) {
          dropAtSamples.shift();
          speaker.dropConnection();
        }
      };
      await playPaced([{ pcm: track.pcm, send }], { startAtMs: performance.now(), speed: 4 });
      await speaker.end();
      await shows(viewer, expected);
      expect(dropAtSamples).toEqual([]);
      expect(viewer.state.gaps).toEqual([]);
    },
  );

  it('for longer than a stall may take, loses and doubles no part of the word it was in', async () => {
    const impatient = await startTestGateway(model, { timing: { stallFlushMs: 1000 } });
    afterwards(() => impatient.close());
    const viewer = await viewerOf(roomName('council'), impatient.url);
    const first = await welcomedPeer(impatient.url);
    const { stream } = await first.received('welcome');
    const word = track.spoken[8]!;
    const cutSample = Math.round(((word.startMs + word.endMs) / 2) * 16);
    first.sendPcm(track.pcm.subarray(0, cutSample));
    // Frames without samples: nothing stalls as long as the connection is there.
    const noStall = setInterval(() => first.sendPcm(new Int16Array(0)), 10);
    afterwards(() => clearInterval(noStall));
    await waitUntil(() => (viewer.state.open.length > 0 ? undefined : 'no words'));
    clearInterval(noStall);
    first.socket.terminate();
    await first.closed();
    // Bob stalls after that, between two words; when what he said is finished, Ana's would have been, too.
    const bob = await welcomedPeer(impatient.url, { speaker: { identity: 'bob', name: 'Bob' } });
    bob.sendPcm(joinPcm([track.pcm.subarray(0, Math.round(word.endMs * 16)), new Int16Array(4800)]));
    await waitUntil(() => (viewer.state.finals.length > 0 ? undefined : 'Bob is not finished'));
    expect(viewer.state.finals.map(({ speaker }) => speaker.identity)).toEqual(['bob']);
    const second = await welcomedPeer(impatient.url, { resume: { stream, fromSample: 0 } });
    second.sendPcm(track.pcm.subarray(cutSample));
    second.send({ kind: 'end' });
    await second.received('ended');
    await shows(viewer, expected);
  });

  it('is asked to go on where the gateway stopped hearing it', async () => {
    const room = freshRoom();
    const first = await welcomedPeer(gateway.url, { room });
    const { stream } = await first.received('welcome');
    first.sendPcm(track.pcm.subarray(0, 32_000));
    await waitUntil(() =>
      first.messages.some(({ kind }) => kind === 'ack') ? undefined : 'no acknowledgement',
    );
    first.socket.terminate();
    const second = await welcomedPeer(gateway.url, { room, resume: { stream, fromSample: 16_000 } });
    expect(await second.received('welcome')).toMatchObject({ stream, expectSample: 32_000 });
    second.sendPcm(track.pcm.subarray(32_000));
    second.send({ kind: 'end' });
    expect(await second.received('ended')).toMatchObject({ receivedThroughSample: track.pcm.length });
    await shows(await viewerOf(room), expected);
  });

  it('and cannot send everything any more is shown with a gap', async () => {
    const room = freshRoom();
    const viewer = await viewerOf(room);
    const first = await welcomedPeer(gateway.url, { room });
    const { stream } = await first.received('welcome');
    first.sendPcm(track.pcm.subarray(0, 16_000));
    first.socket.terminate();
    const second = await welcomedPeer(gateway.url, { room, resume: { stream, fromSample: 48_000 } });
    expect(await second.received('welcome')).toMatchObject({ stream, expectSample: 48_000 });
    second.sendPcm(track.pcm.subarray(48_000));
    second.send({ kind: 'end' });
    await second.received('ended');
    await waitUntil(() => (viewer.state.gaps.length === 1 ? undefined : 'no gap told'));
    const [gap] = viewer.state.gaps;
    expect(gap).toMatchObject({ reason: 'audio_missing', speaker: { identity: 'ana' } });
    expect((gap?.endMs ?? 0) - (gap?.startMs ?? 0)).toBeGreaterThan(1000);
  });

  it('cannot claim that a year of audio is missing', async () => {
    const tight = await startTestGateway(model, { settings: { CAPTION_INGEST_AHEAD_S: 20 } });
    afterwards(() => tight.close());
    const first = await welcomedPeer(tight.url);
    const { stream } = await first.received('welcome');
    const viewer = await viewerOf(roomName('council'), tight.url);
    const second = await new RawPeer(`${tight.url}/v1/ingest`).opened();
    second.send(helloWith({ resume: { stream, fromSample: 16_000 * 86_400 * 365 } }));
    expect(await second.received('error')).toMatchObject({ code: 'audio_too_fast' });
    const third = await welcomedPeer(tight.url, { resume: { stream, fromSample: 0 } });
    expect(await third.received('welcome')).toMatchObject({ stream, expectSample: 0 });
    expect(viewer.state.gaps).toEqual([]);
  });

  it('after its end is told that it has ended no sooner than its last final is out', async () => {
    // No recogniser comes back for a while, longer than a hello may take.
    const slow = await startTestGateway(model, {
      supervision: { backoff: { firstDelayMs: 1500, maxDelayMs: 1500, healthyAfterMs: 3_600_000 } },
      timing: { helloDeadlineMs: 500 },
    });
    afterwards(() => slow.close());
    const viewer = await viewerOf(roomName('council'), slow.url);
    const first = await welcomedPeer(slow.url);
    const { stream } = await first.received('welcome');
    for (let kill = 0; kill < 2; kill++) {
      const pid = await waitFor('no recogniser runs', () => slow.engine.childPids[0]);
      process.kill(pid, 'SIGKILL');
      await waitUntil(() => (slow.engine.childPids[0] === pid ? 'the recogniser still runs' : undefined));
    }
    for (const frame of framesOf(track.pcm)) first.sendPcm(frame);
    first.send({ kind: 'end' });
    await waitUntil(() => (slow.engine.backlog.totalMs > 0 ? undefined : 'nothing was heard'));
    first.socket.terminate();
    await first.closed();
    const second = await new RawPeer(`${slow.url}/v1/ingest`).opened();
    second.send(helloWith({ resume: { stream, fromSample: 0 } }));
    await second.received('welcome');
    second.send({ kind: 'end' });
    await second.received('ended');
    await viewer.settled();
    expect(viewer.state.open).toEqual([]);
    expect(shownWords(viewer.state, 'ana')).toEqual(expected);
  });

  it.each([
    ['a stream that is not known', { stream: 'nobody', fromSample: 5 }, {}],
    ['the stream of another speaker', undefined, { speaker: { identity: 'bob', name: 'Bob' } }],
    ['a stream in another room', undefined, { room: 'another-room' }],
    ['a stream of another rate', undefined, { sampleRateHz: 48_000 }],
  ])('and asks to resume %s begins a new one', async (_, resume, changes) => {
    const room = freshRoom();
    const first = await welcomedPeer(gateway.url, { room });
    const { stream } = await first.received('welcome');
    first.sendPcm(track.pcm.subarray(0, 16_000));
    const second = await welcomedPeer(gateway.url, {
      room,
      resume: resume ?? { stream, fromSample: 16_000 },
      ...changes,
    });
    const welcome = await second.received('welcome');
    expect(welcome.expectSample).toBe(0);
    expect(welcome.stream).not.toBe(stream);
    second.send({ kind: 'end' });
    await second.received('ended');
    first.socket.terminate();
  });

  it('and does not come back has what was said finished', async () => {
    const brief = await startTestGateway(model, { settings: { CAPTION_INGEST_RESUME_S: 0 } });
    afterwards(() => brief.close());
    const viewer = await viewerOf(roomName('council'), brief.url);
    const peer = await welcomedPeer(brief.url);
    for (const frame of framesOf(track.pcm)) peer.sendPcm(frame);
    await waitUntil(() =>
      viewer.state.finals.length + viewer.state.open.length > 0 ? undefined : 'no words',
    );
    peer.socket.close();
    await shows(viewer, expected);
    await waitUntil(() =>
      brief.rooms.rooms[0]?.speakerCount === 0 ? undefined : 'the stream is still there',
    );
  });

  describe('and who connects twice', () => {
    it('is heard on the newer connection; the older one is told', async () => {
      const room = freshRoom();
      const older = await welcomedPeer(gateway.url, { room });
      const newer = await welcomedPeer(gateway.url, { room });
      expect(await older.received('error')).toMatchObject({ code: 'stream_taken_over', retryable: false });
      expect(await older.closed()).toMatchObject({
        code: 4409,
        reason: textWith('stream_taken_over'),
      });
      for (const frame of framesOf(track.pcm)) newer.sendPcm(frame);
      newer.send({ kind: 'end' });
      await newer.received('ended');
      await shows(await viewerOf(room), expected);
    });

    it('by resuming while the old connection still seems to live, goes on in the same stream', async () => {
      const room = freshRoom();
      const older = await welcomedPeer(gateway.url, { room });
      const { stream } = await older.received('welcome');
      older.sendPcm(track.pcm.subarray(0, 40_000));
      await older.received('ack');
      const newer = await welcomedPeer(gateway.url, { room, resume: { stream, fromSample: 0 } });
      expect(await newer.received('welcome')).toMatchObject({ stream, expectSample: 40_000 });
      expect(await older.closed()).toMatchObject({ code: 4409 });
      newer.sendPcm(track.pcm.subarray(40_000));
      newer.send({ kind: 'end' });
      await newer.received('ended');
      await shows(await viewerOf(room), expected);
    });

    it('many times at once is one speaker in the end', async () => {
      const room = freshRoom();
      const peers = await Promise.all(
        Array.from({ length: 8 }, () => new RawPeer(`${gateway.url}/v1/ingest`).opened()),
      );
      for (const peer of peers) peer.send(helloWith({ room }));
      await waitUntil(() => {
        const open = peers.filter(({ messages }) => messages.at(-1)?.kind === 'welcome').length;
        const answered = peers.every(({ messages }) => messages.length > 0);
        return answered && open === 1 && streamCount(room) === 1
          ? undefined
          : `${open} connections are welcome`;
      });
      const last = peers.find(({ messages }) => messages.at(-1)?.kind === 'welcome')!;
      for (const frame of framesOf(track.pcm)) last.sendPcm(frame);
      last.send({ kind: 'end' });
      await last.received('ended');
      await shows(await viewerOf(room), expected);
      expect(streamCount(room)).toBe(0);
    });

    it('from a room without captions is still heard in the room that viewers see', async () => {
      const fleeting = await startTestGateway(model, { settings: { CAPTION_ROOM_RETENTION_S: 0 } });
      afterwards(() => fleeting.close());
      await welcomedPeer(fleeting.url);
      const newer = await welcomedPeer(fleeting.url);
      const viewer = await viewerOf(roomName('council'), fleeting.url);
      for (const frame of framesOf(track.pcm)) newer.sendPcm(frame);
      newer.send({ kind: 'end' });
      await newer.received('ended');
      await shows(viewer, expected);
    });
  });
});
