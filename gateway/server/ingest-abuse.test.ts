import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { participantIdentity, roomName, type RoomName } from '../../protocol/index.js';
import { connectIngest } from '../client/ingest-client.js';
import { connectCaptions } from '../client/caption-client.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { rawTcp, textFrame, upgradeRequest } from '../testing/raw-tcp.js';
import { helloWith, RawPeer, welcomedPeer } from '../testing/raw-peer.js';
import { framesOf, longestTrack, shownWords, undisturbedWords } from '../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';

const AHEAD_S = 6;

/** What a client does wrong after its connection is open, and what it is told. */
interface Abuse {
  readonly what: string;
  readonly attack: (peer: RawPeer) => void;
  readonly code: string;
  readonly closeCode: number;
}

const manyPhrases = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `phrase ${index}`);
const afterHello =
  (attack: (peer: RawPeer) => void, changes: Record<string, unknown> = {}) =>
  (peer: RawPeer) => {
    peer.send(helloWith({ room: 'abused', ...changes }));
    attack(peer);
  };
const hello = (changes: Record<string, unknown>) => (peer: RawPeer) =>
  peer.send(helloWith({ room: 'abused', ...changes }));
const bytes = (length: number) => (peer: RawPeer) => peer.socket.send(new Uint8Array(length));

const ABUSES: readonly Abuse[] = [
  { what: 'half a sample', attack: afterHello(bytes(641)), code: 'frame_incomplete', closeCode: 4400 },
  {
    what: 'a rate that is not supported',
    attack: hello({ sampleRateHz: 44_100 }),
    code: 'sample_rate_unsupported',
    closeCode: 4400,
  },
  {
    what: 'a rate that is a text',
    attack: hello({ sampleRateHz: '16000' }),
    code: 'sample_rate_unsupported',
    closeCode: 4400,
  },
  {
    what: 'audio as text',
    attack: afterHello((peer) => peer.send('AAAAAAA=')),
    code: 'message_not_json',
    closeCode: 4400,
  },
  {
    what: 'a JSON list',
    attack: afterHello((peer) => peer.send('[]')),
    code: 'message_malformed',
    closeCode: 4400,
  },
  {
    what: 'a message without a kind',
    attack: afterHello((peer) => peer.send('{}')),
    code: 'message_malformed',
    closeCode: 4400,
  },
  {
    what: 'a text frame of 100 kB',
    attack: afterHello((peer) => peer.send(JSON.stringify({ kind: 'x'.repeat(100_000) }))),
    code: 'message_too_large',
    closeCode: 4400,
  },
  {
    what: 'vocabularies without end',
    attack: afterHello((peer) => {
      for (let index = 0; index < 500; index++) peer.send({ kind: 'vocabulary', vocabulary: ['ProConnect'] });
    }),
    code: 'messages_too_fast',
    closeCode: 4429,
  },
  {
    what: 'frames of one sample without end',
    attack: afterHello((peer) => {
      for (let index = 0; index < 40_000; index++) bytes(2)(peer);
    }),
    code: 'messages_too_fast',
    closeCode: 4429,
  },
  { what: 'audio before hello', attack: bytes(640), code: 'hello_missing', closeCode: 4400 },
  {
    what: 'mute before hello',
    attack: (peer) => peer.send({ kind: 'mute' }),
    code: 'hello_missing',
    closeCode: 4400,
  },
  {
    what: 'hello twice',
    attack: afterHello((peer) => peer.send(helloWith({ room: 'abused' }))),
    code: 'hello_repeated',
    closeCode: 4400,
  },
  { what: 'another version', attack: hello({ version: 2 }), code: 'version_unsupported', closeCode: 4400 },
  { what: 'no room', attack: hello({ room: '' }), code: 'message_malformed', closeCode: 4400 },
  {
    what: 'a name of 300 characters',
    attack: hello({ speaker: { identity: 'x', name: 'x'.repeat(300) } }),
    code: 'message_malformed',
    closeCode: 4400,
  },
  {
    what: 'a language tag that no caption can carry',
    attack: hello({ language: `en-${'x'.repeat(40)}` }),
    code: 'message_malformed',
    closeCode: 4400,
  },
  {
    what: 'a language in letters of three bytes each',
    attack: hello({ language: 'ಠ'.repeat(35) }),
    code: 'message_malformed',
    closeCode: 4400,
  },
  {
    what: 'a language that the model does not know',
    attack: hello({ language: 'fr-FR' }),
    code: 'language_unsupported',
    closeCode: 4400,
  },
  {
    what: 'a vocabulary of 2,000 phrases',
    attack: hello({ vocabulary: manyPhrases(2000) }),
    code: 'vocabulary_invalid',
    closeCode: 4400,
  },
  {
    what: 'such a vocabulary later',
    attack: afterHello((peer) => peer.send({ kind: 'vocabulary', vocabulary: manyPhrases(2000) })),
    code: 'vocabulary_invalid',
    closeCode: 4400,
  },
  {
    what: 'a vocabulary of numbers',
    attack: hello({ vocabulary: [1] }),
    code: 'message_malformed',
    closeCode: 4400,
  },
  {
    what: 'a resume before the beginning',
    attack: hello({ resume: { stream: 'x', fromSample: -1 } }),
    code: 'message_malformed',
    closeCode: 4400,
  },
  {
    what: 'audio at 100 times real time',
    attack: afterHello((peer) => {
      for (let second = 0; second < 100; second++) peer.sendPcm(new Int16Array(16_000));
    }),
    code: 'audio_too_fast',
    closeCode: 4429,
  },
];

describeWithModel('a client that misbehaves', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;
  /** Short enough to be sent at once. */
  let speech: Int16Array;
  let expected: string[];
  let rooms = 0;
  let speakers = 0;

  beforeAll(async () => {
    gateway = await startTestGateway(model, { settings: { CAPTION_INGEST_AHEAD_S: AHEAD_S } });
    afterAllTests(() => gateway.close());
    const track = await longestTrack();
    const firstSample = Math.round((track.spoken[0]?.startMs ?? 0) * 16) - 4000;
    speech = track.pcm.subarray(firstSample, firstSample + (AHEAD_S - 1) * 16_000);
    expected = await undisturbedWords(gateway, speech);
    expect(expected.length).toBeGreaterThan(5);
  });

  /** Somebody else speaks; `meanwhile` happens in the middle of a sentence. */
  async function whileSomebodySpeaks(room: RoomName, meanwhile: () => Promise<void>): Promise<string[]> {
    // Somebody new each time: one person's audio is not to run ahead, whatever stream it comes on.
    const identity = participantIdentity(`paul-${++speakers}`);
    const viewer = connectCaptions({ url: gateway.url, room, changed: () => undefined });
    afterwards(() => viewer.close());
    await viewer.ready;
    const speaker = connectIngest({
      url: gateway.url,
      room,
      speaker: { identity, name: 'Paul' },
    });
    afterwards(() => speaker.close());
    await speaker.ready;
    const half = Math.floor(speech.length / 2);
    for (const frame of framesOf(speech.subarray(0, half))) speaker.send(frame);
    await meanwhile();
    for (const frame of framesOf(speech.subarray(half))) speaker.send(frame);
    await speaker.end();
    await waitUntil(() =>
      viewer.state.open.length === 0 && viewer.state.finals.length > 0 ? undefined : 'not final',
    );
    return shownWords(viewer.state, identity);
  }

  it.each(ABUSES)(
    'by sending $what is told $code, and nobody else is disturbed',
    async ({ attack, code, closeCode }) => {
      // In the room of the other speaker, where it could do most harm.
      const words = await whileSomebodySpeaks(roomName('abused'), async () => {
        const peer = await new RawPeer(`${gateway.url}/v1/ingest`).opened();
        attack(peer);
        const error = await peer.received('error');
        expect(error.code).toBe(code);
        expect(error.message.length).toBeGreaterThan(20);
        const closed = await peer.closed();
        expect(closed.code).toBe(closeCode);
        expect(closed.reason.startsWith(`${code}: `)).toBe(true);
      });
      expect(words.slice(-expected.length)).toEqual(expected);
    },
  );

  it('by sending a frame of 2 MB is disconnected as too big, and nobody else is disturbed', async () => {
    const words = await whileSomebodySpeaks(roomName(`room-${++rooms}`), async () => {
      const peer = await welcomedPeer(gateway.url, { room: 'abused' });
      bytes(2_000_000)(peer);
      expect(await peer.closed()).toMatchObject({ code: 1009 });
    });
    expect(words).toEqual(expected);
  });

  it('and does not answer when it is disconnected is cut off', async () => {
    const client = await rawTcp(gateway.url, upgradeRequest('/v1/ingest'));
    client.socket.write(textFrame('nonsense'));
    await waitUntil(() => (client.isClosed() ? undefined : 'the connection is open'));
    expect(client.received().toString('latin1')).toContain('message_not_json');
  });

  it('by sending messages of kinds that are not known is not minded', async () => {
    const peer = await welcomedPeer(gateway.url, { room: `room-${++rooms}` });
    peer.send({ kind: 'reaction', emoji: 'x' });
    peer.send({ kind: 'end', reason: 'an unknown field' });
    expect(await peer.received('ended')).toMatchObject({ receivedThroughSample: 0 });
  });

  it('by asking for more speakers than there may be is told to try later', async () => {
    const small = await startTestGateway(model, {
      settings: { CAPTION_MAX_SPEAKERS: 1, CAPTION_MAX_ROOMS: 1 },
    });
    afterwards(() => small.close());
    // A room in which nobody spoke goes when nobody is there any more.
    const viewer = connectCaptions({
      url: small.url,
      room: roomName('council'),
      changed: () => undefined,
    });
    afterwards(() => viewer.close());
    await viewer.ready;
    await welcomedPeer(small.url);
    const second = await new RawPeer(`${small.url}/v1/ingest`).opened();
    second.send(helloWith({ speaker: { identity: 'bob', name: 'Bob' } }));
    expect(await second.received('error')).toMatchObject({ code: 'too_many_speakers', retryable: true });
    expect(await second.closed()).toMatchObject({ code: 4503 });
    const again = await welcomedPeer(small.url);
    again.send({ kind: 'end' });
    await again.received('ended');
    const elsewhere = await new RawPeer(`${small.url}/v1/ingest`).opened();
    elsewhere.send(helloWith({ room: 'elsewhere' }));
    expect(await elsewhere.received('error')).toMatchObject({ code: 'too_many_rooms', retryable: true });
    expect(await elsewhere.closed()).toMatchObject({ code: 4503 });
  });

  describe('or that falls silent', () => {
    it('is disconnected when it sends nothing for long, but not when it is muted', async () => {
      const strict = await startTestGateway(model, { settings: { CAPTION_INGEST_IDLE_S: 1 } });
      afterwards(() => strict.close());
      const speakerOf = (identity: string) => ({ speaker: { identity, name: '' } });
      const muted = await welcomedPeer(strict.url, speakerOf('muted'));
      muted.send({ kind: 'mute' });
      const talking = await welcomedPeer(strict.url, speakerOf('talking'));
      const talk = setInterval(() => talking.sendPcm(new Int16Array(640)), 40);
      afterwards(() => clearInterval(talk));
      const idle = await welcomedPeer(strict.url, speakerOf('idle'));
      const { stream } = await idle.received('welcome');
      expect(await idle.received('error')).toMatchObject({ code: 'ingest_idle', retryable: true });
      expect(await idle.closed()).toMatchObject({ code: 4408 });
      const back = await welcomedPeer(strict.url, {
        ...speakerOf('idle'),
        resume: { stream, fromSample: 0 },
      });
      expect(await back.received('welcome')).toMatchObject({ stream });
      expect(await back.received('error')).toMatchObject({ code: 'ingest_idle' });
      expect([muted, talking].map(({ socket }) => socket.readyState)).toEqual([1, 1]);
      muted.send({ kind: 'unmute' });
      expect(await muted.received('error')).toMatchObject({ code: 'ingest_idle' });
    });

    it('and is gone without a word is disconnected once', async () => {
      const strict = await startTestGateway(model, { settings: { CAPTION_INGEST_IDLE_S: 1 } });
      afterwards(() => strict.close());
      const client = await rawTcp(strict.url, upgradeRequest('/v1/ingest'));
      client.socket.write(textFrame(JSON.stringify(helloWith())));
      await waitUntil(() => (client.isClosed() ? undefined : 'the connection is open'));
      expect(client.received().toString('latin1').split('"ingest_idle"')).toHaveLength(2);
      const metrics = await (await fetch(`${strict.url}/metrics`)).text();
      expect(metrics).toContain('caption_refused_connections_total{code="ingest_idle"} 1');
    });

    it('before hello is disconnected', async () => {
      const hasty = await startTestGateway(model, { timing: { helloDeadlineMs: 100 } });
      afterwards(() => hasty.close());
      const peer = await new RawPeer(`${hasty.url}/v1/ingest`).opened();
      expect(await peer.received('error')).toMatchObject({ code: 'hello_missing' });
      expect(await peer.closed()).toMatchObject({ code: 4400 });
    });
  });
});
