/** Mutes, stalls and planned stops of a gateway, with recorded speech. */
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { joinPcm } from '../../asr/testing/clips.js';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { participantIdentity, roomName } from '../../protocol/index.js';
import { connectIngest } from '../client/ingest-client.js';
import type { SpeakerTrack } from '../meeting/meeting.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { textWith } from '../testing/matchers.js';
import { PublishedFinals } from '../testing/published-finals.js';
import { welcomedPeer } from '../testing/raw-peer.js';
import { framesOf, longestTrack, undisturbedWords } from '../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { startCuttableProxy } from '../web/testing/cuttable-proxy.js';

const ROOM = roomName('council');
const ANA = participantIdentity('ana');

describeWithModel('a break in what a speaker sends', (model) => {
  const afterwards = cleanupsAfterEach();
  let track: SpeakerTrack;
  let expected: string[];
  let gateway: TestGateway;
  let published: PublishedFinals;

  beforeAll(async () => {
    track = await longestTrack();
    const undisturbed = await startTestGateway(model);
    expected = await undisturbedWords(undisturbed, track.pcm);
    await undisturbed.close();
  });

  beforeEach(async () => {
    gateway = await startTestGateway(model, { timing: { stallFlushMs: 200 } });
    afterwards(() => gateway.close());
    published = await publishedAt(gateway.url);
  });

  async function publishedAt(url: string): Promise<PublishedFinals> {
    const finals = new PublishedFinals(url, ROOM);
    afterwards(() => finals.close());
    await finals.viewer.ready;
    return finals;
  }

  const middleOf = (word: number): number => {
    const { startMs, endMs } = track.spoken.at(word)!;
    return Math.round(((startMs + endMs) / 2) * 16);
  };

  it('in the middle of a word, for longer than what ends a sentence, leaves the word whole', async () => {
    const ana = await welcomedPeer(gateway.url);
    const cut = middleOf(8);
    ana.sendPcm(track.pcm.subarray(0, cut));
    await waitUntil(() => (published.viewer.state.open.length > 0 ? undefined : 'no words'));
    const finalsBefore = published.segmentsOf(ANA).length;
    // Bob stalls later, between two words; when what he said is finished, Ana's would have been, too.
    const bob = await welcomedPeer(gateway.url, { speaker: { identity: 'bob', name: 'Bob' } });
    const wordEnd = Math.round(track.spoken[8]!.endMs * 16);
    bob.sendPcm(joinPcm([track.pcm.subarray(0, wordEnd), new Int16Array(4800)]));
    await waitUntil(() =>
      published.segmentsOf(participantIdentity('bob')).length > finalsBefore
        ? undefined
        : 'Bob is not finished',
    );
    expect(published.segmentsOf(ANA)).toHaveLength(finalsBefore);
    ana.sendPcm(track.pcm.subarray(cut));
    ana.send({ kind: 'end' });
    await ana.received('ended');
    await published.viewer.settled();
    expect(published.textsOf(ANA)).toEqual(expected);
  });

  it('by a mute is no part of the first word after it, which stands where it was said', async () => {
    const ana = await welcomedPeer(gateway.url);
    const spoken = track.spoken.slice(0, 6);
    // Speech to its very end, and again at once after the mute.
    const pcm = track.pcm.subarray(spoken[0]!.startMs * 16, Math.round(spoken.at(-1)!.endMs * 16));
    ana.sendPcm(pcm);
    await waitUntil(() => (published.viewer.state.open.length > 0 ? undefined : 'no words'));
    const mutedAfterMs = Date.now();
    ana.send({ kind: 'mute' });
    await waitUntil(() => (published.segmentsOf(ANA).length > 0 ? undefined : 'not finished by the mute'));
    const before = published.segmentsOf(ANA).length;
    ana.send({ kind: 'unmute' });
    ana.sendPcm(pcm);
    ana.send({ kind: 'end' });
    await ana.received('ended');
    await published.viewer.settled();
    const [first, after] = [
      published.segmentsOf(ANA).slice(0, before),
      published.segmentsOf(ANA).slice(before),
    ];
    expect(after.length).toBeGreaterThan(0);
    expect(after[0]!.words[0]!.startMs).toBeGreaterThanOrEqual(mutedAfterMs - 1);
    for (const { words } of first)
      expect(words.at(-1)!.endMs).toBeLessThanOrEqual(after[0]!.words[0]!.startMs);
  });

  it('by a mute holds until unmute, also when audio goes on, which the client is told', async () => {
    const ana = await welcomedPeer(gateway.url);
    ana.send({ kind: 'mute' });
    for (const frame of framesOf(track.pcm)) ana.sendPcm(frame);
    expect(await ana.received('warning')).toMatchObject({
      code: 'audio_while_muted',
      message: textWith('Send unmute'),
    });
    ana.send({ kind: 'unmute' });
    for (const frame of framesOf(track.pcm)) ana.sendPcm(frame);
    ana.send({ kind: 'end' });
    expect(await ana.received('ended')).toMatchObject({ receivedThroughSample: 2 * track.pcm.length });
    await published.viewer.settled();
    expect(published.textsOf(ANA)).toEqual(expected);
    expect(ana.messages.filter(({ kind }) => kind === 'warning')).toHaveLength(1);
  });

  it('comes with an acknowledgement of everything that is final, in the moment in which it is', async () => {
    const ana = await welcomedPeer(gateway.url);
    expect(await ana.received('welcome')).toMatchObject({ expectSample: 0, finalThroughSample: 0 });
    ana.sendPcm(track.pcm);
    ana.send({ kind: 'mute' });
    await waitUntil(() => {
      const acks = ana.messages.filter((message) => message.kind === 'ack');
      return acks.at(-1)?.finalThroughSample === track.pcm.length ? undefined : 'not everything is final';
    });
    await published.viewer.settled();
    expect(published.textsOf(ANA)).toEqual(expected);
  });

  it('by a gateway that is stopped costs no word and doubles none: the next one is sent the rest', async () => {
    const next = await startTestGateway(model);
    afterwards(() => next.close());
    const proxy = await startCuttableProxy(gateway.url);
    afterwards(() => proxy.close());
    const finals = await publishedAt(proxy.url);
    const speaker = connectIngest({ url: proxy.url, room: ROOM, speaker: { identity: ANA, name: 'Ana' } });
    afterwards(() => speaker.close());
    await speaker.ready;
    const pause = track.spoken.findIndex(
      ({ endMs }, index) => (track.spoken[index + 1]?.startMs ?? 0) - endMs > 200,
    );
    const cut = Math.round(track.spoken[pause]!.endMs * 16) + 1600;
    speaker.send(track.pcm.subarray(0, cut));
    await waitUntil(() => (finals.viewer.state.open.length > 0 ? undefined : 'no words'));
    proxy.aimAt(next.url);
    await gateway.close();
    speaker.send(track.pcm.subarray(cut));
    await speaker.end();
    await waitUntil(() =>
      finals.textsOf(ANA).length >= expected.length
        ? undefined
        : `published: ${finals.textsOf(ANA).join(' ')}`,
    );
    expect(finals.textsOf(ANA)).toEqual(expected);
  });
});
