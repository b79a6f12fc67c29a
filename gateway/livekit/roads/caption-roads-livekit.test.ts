/** The roads over a real livekit-server, from a hidden bot to participants on LiveKit's own SDK. */
import { DataPacket_Kind, RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  CAPTIONS_TOPIC,
  type CaptionState,
  decodeMessage,
  participantIdentity,
  type ParticipantIdentity,
  roomName,
  segmentsOf,
  STREAM_NUMBER_ATTRIBUTE,
} from '../../../protocol/index.js';
import { visible } from '../../../protocol/testing/arbitrary-messages.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitUntil } from '../../testing/wait-until.js';
import { joinAsPublisher, type PublishingParticipant } from '../participant/publishing-participant.js';
import {
  joinAsViewer,
  type ReceivedTextStream,
  type ViewingParticipant,
} from '../participant/viewing-participant.js';
import { prepareSdk } from '../prepare-sdk.js';
import type { RoadsOut } from '../room-settings.js';
import { type EarlessBot, startEarlessBot } from '../testing/earless-bot.js';
import { describeWithLiveKit, startTestLiveKit, type TestLiveKit } from '../testing/livekit-server.js';
import { joinAsMember } from '../testing/room-member.js';
import { botIdentity } from '../tokens.js';
import { disposeSdk } from '../dispose-sdk.js';

const AGENT_NAME = 'multi-user-transcriber';
const START_MS = 1_700_000_000_000;
const claire = participantIdentity('claire');
const paul = participantIdentity('paul');

const numberOf = ({ attributes }: ReceivedTextStream): number => Number(attributes[STREAM_NUMBER_ATTRIBUTE]);
const textOf = (state: CaptionState): string =>
  segmentsOf(state)
    .flatMap(({ words }) => words.map(({ text }) => text))
    .join(' ');

describeWithLiveKit('the roads over LiveKit', () => {
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;
  let rooms = 0;
  let room = roomName('');

  beforeAll(async () => {
    prepareSdk();
    server = await startTestLiveKit();
  });
  beforeEach(() => {
    rooms += 1;
    room = roomName(`room-${rooms}`);
  });
  afterAll(async () => {
    await server.stop();
    await disposeSdk();
  });

  /** The bot's connection and its roads, without ears. */
  const startBot = async (legacy: RoadsOut['legacy']): Promise<EarlessBot> => {
    const roads = { captions: true, transcription: true, legacy };
    const bot = await startEarlessBot(server, { room, agentName: AGENT_NAME, roads });
    afterThis(() => bot.leave());
    return bot;
  };
  const view = async (identity: ParticipantIdentity): Promise<ViewingParticipant> => {
    const viewer = await joinAsViewer({ server, room, identity });
    afterThis(() => viewer.leave());
    return viewer;
  };
  const joinSpeaker = async (identity: ParticipantIdentity): Promise<PublishingParticipant> => {
    const publisher = await joinAsPublisher({ server, room, identity });
    afterThis(() => publisher.leave());
    return publisher;
  };
  const joinClaire = (): Promise<PublishingParticipant> => joinSpeaker(claire);
  const showsWhatWasSaid = (viewer: ViewingParticipant, { spoken }: EarlessBot): Promise<void> =>
    waitUntil(() => {
      const [seen, said] = [visible(viewer.state), visible(spoken.room.state)];
      return JSON.stringify(seen) === JSON.stringify(said)
        ? undefined
        : `${viewer.identity} sees "${textOf(viewer.state)}", not "${textOf(spoken.room.state)}"`;
    });
  const hasStreams = (viewer: ViewingParticipant, count: number): Promise<void> =>
    waitUntil(() =>
      viewer.textStreams.length >= count ? undefined : `${viewer.textStreams.length} of ${count} streams`,
    );
  const hasPackets = (viewer: ViewingParticipant, count: number): Promise<void> =>
    waitUntil(() =>
      viewer.transcriptions.length >= count
        ? undefined
        : `${viewer.transcriptions.length} of ${count} legacy packets`,
    );

  it('lead captions to everybody with the right speaker, track and times, although the bot is hidden', async () => {
    const publisher = await joinClaire();
    const viewer = await view(paul);
    const bot = await startBot('visio');
    const trackSid = publisher.trackSid;
    const say = { speaker: claire, trackSid, startMs: START_MS };
    bot.spoken.revise('s1', { ...say, text: 'Good mourning', stable: 1 });
    await bot.roads.flushed();
    bot.spoken.finish('s1', { ...say, text: 'Good morning, everybody.' });
    await showsWhatWasSaid(viewer, bot);
    await hasStreams(viewer, 2);
    await hasPackets(viewer, 2);
    expect(trackSid).toMatch(/^TR_/);
    expect(visible(viewer.state).segments[0]).toMatchObject({
      speaker: { identity: claire },
      trackSid,
      isFinal: true,
      words: [{ text: 'Good', startMs: START_MS }, { text: 'morning,' }, { endMs: START_MS + 300 }],
    });
    const attributes = { 'lk.segment_id': 's1', 'lk.transcribed_track_id': trackSid };
    expect(viewer.textStreams).toMatchObject([
      {
        speaker: claire,
        text: 'Good mourning',
        attributes: { ...attributes, 'lk.transcription_final': 'false' },
      },
      {
        speaker: claire,
        text: 'Good morning, everybody.',
        attributes: { ...attributes, 'lk.transcription_final': 'true' },
      },
    ]);
    const packet = { speaker: claire, trackSid };
    const segment = { isFinal: true, language: 'en' };
    expect(viewer.transcriptions).toMatchObject([
      {
        ...packet,
        segments: [{ ...segment, id: 's1.0', text: 'Good', startMs: START_MS, endMs: START_MS + 100 }],
      },
      {
        ...packet,
        segments: [
          {
            ...segment,
            id: 's1.1',
            text: 'morning, everybody.',
            startMs: START_MS + 100,
            endMs: START_MS + 300,
          },
        ],
      },
    ]);
    expect(viewer.transcriptions.every(({ segments }) => segments.length === 1)).toBe(true);
    expect(botIdentity(AGENT_NAME, room)).not.toBe(viewer.textStreams[0]?.speaker);
  });

  it('lead whole segments as LiveKit’s agents send them, in the manner agents', async () => {
    const { trackSid } = await joinClaire();
    const viewer = await view(paul);
    const bot = await startBot('agents');
    bot.spoken.revise('s1', { speaker: claire, trackSid, text: 'Good mourning', stable: 1 });
    await bot.roads.flushed();
    bot.spoken.finish('s1', { speaker: claire, trackSid, text: 'Good morning.' });
    await hasPackets(viewer, 2);
    expect(viewer.transcriptions.map(({ segments }) => segments[0])).toMatchObject([
      { id: 's1', text: 'Good', isFinal: false },
      { id: 's1', text: 'Good morning.', isFinal: true },
    ]);
  });

  it('show those who come late what was said, over the contract and as text streams, and them alone', async () => {
    const { trackSid } = await joinClaire();
    const early = await view(paul);
    const bot = await startBot('visio');
    for (const [index, text] of ['First.', 'Second.', 'Third.'].entries()) {
      bot.spoken.finish(`s${index}`, { speaker: claire, trackSid, text });
    }
    await hasStreams(early, 3);
    const late = await view(participantIdentity('late'));
    await showsWhatWasSaid(late, bot);
    await hasStreams(late, 3);
    expect(late.textStreams.map(({ text, speaker }) => `${speaker}: ${text}`)).toEqual([
      'claire: First.',
      'claire: Second.',
      'claire: Third.',
    ]);
    bot.spoken.finish('s9', { speaker: claire, trackSid, text: 'Last.' });
    await hasStreams(early, 4);
    await hasStreams(late, 4);
    expect(early.textStreams.map(({ text }) => text)).toEqual(['First.', 'Second.', 'Third.', 'Last.']);
    expect(late.transcriptions.length).toBeLessThanOrEqual(1);
  });

  it('keep up with three who talk at once, none missing, none twice', async () => {
    const speakers = await Promise.all(
      ['ana', 'bo', 'cleo'].map((name) => joinSpeaker(participantIdentity(name))),
    );
    const viewer = await view(paul);
    const bot = await startBot('visio');
    const said = new Map<ParticipantIdentity, string[]>(speakers.map(({ identity }) => [identity, []]));
    for (let segment = 0; segment < 20; segment += 1) {
      for (const { identity: speaker, trackSid } of speakers) {
        const words = Array.from({ length: 10 }, (_, word) => `${speaker}-${segment}-${word}`);
        said.get(speaker)?.push(...words);
        for (let told = 1; told < 10; told += 1) {
          bot.spoken.revise(`${speaker}${segment}`, {
            speaker,
            trackSid,
            text: words.slice(0, told).join(' '),
          });
          if (told % 4 === 0) await new Promise(setImmediate);
        }
        bot.spoken.finish(`${speaker}${segment}`, { speaker, trackSid, text: words.join(' ') });
      }
    }
    await bot.roads.flushed();
    await showsWhatWasSaid(viewer, bot);
    for (const [speaker, words] of said) {
      await waitUntil(() => {
        const shown = viewer.transcriptions
          .filter((packet) => packet.speaker === speaker)
          .map(({ segments }) => segments[0]?.text)
          .join(' ');
        return shown === words.join(' ') ? undefined : `legacy of ${speaker}: ${shown}`;
      });
      await waitUntil(() => {
        const newest = new Map<string | undefined, string>();
        // The SDK may finish reading a stream after a later one: the gateway's numbers say which is newer.
        const inOrder = viewer.textStreams
          .filter((stream) => stream.speaker === speaker)
          .toSorted((one, other) => numberOf(one) - numberOf(other));
        for (const { attributes, text } of inOrder) newest.set(attributes['lk.segment_id'], text);
        const shown = [...newest.values()].join(' ');
        return shown === words.join(' ') ? undefined : `streams of ${speaker}: ${shown}`;
      });
    }
  });

  it('go on after the server was restarted: what was told meanwhile arrives', async () => {
    const publisher = await joinClaire();
    const viewer = await view(paul);
    const bot = await startBot('visio');
    const { trackSid } = publisher;
    bot.spoken.finish('s1', { speaker: claire, trackSid, text: 'Before.' });
    await showsWhatWasSaid(viewer, bot);
    await server.kill();
    bot.spoken.finish('s2', { speaker: claire, trackSid, text: 'Meanwhile.' });
    await server.restart();
    await waitUntil(() => (bot.outlet.isConnected ? undefined : 'the bot is not back'), 60_000);
    bot.spoken.finish('s3', { speaker: claire, trackSid, text: 'After.' });
    await showsWhatWasSaid(viewer, bot);
    const legacy = (): string[] =>
      [
        ...new Map(
          viewer.transcriptions.map(({ segments }) => [segments[0]?.id, segments[0]?.text]),
        ).values(),
      ].map(String);
    await waitUntil(() => {
      const shown = legacy().join(' ');
      return shown.includes('Meanwhile.') && shown.includes('After.') ? undefined : `legacy shows "${shown}"`;
    });
  }, 120_000);

  it('reach those who may subscribe, from the moment they may and until they no longer may', async () => {
    const seen: string[] = [];
    const paulsRoom = await joinAsMember(server, { room, identity: paul }, (joined) => {
      joined.on('dataReceived', (...[bytes, , , topic]) => {
        if (topic === 'mark') seen.push(`mark ${Buffer.from(bytes).toString()}`);
        if (topic !== CAPTIONS_TOPIC) return;
        const message = decodeMessage(bytes);
        if (message?.kind === 'delta') seen.push(message.words.map(({ text }) => text).join(' '));
      });
      joined.registerTextStreamHandler('lk.transcription', (reader) => {
        void reader.readAll().then((text) => seen.push(`stream ${text}`));
      });
    });
    afterThis(() => paulsRoom.disconnect());
    const publisher = await joinClaire();
    const reader = await view(participantIdentity('reader'));
    const roads = { captions: true, transcription: true, legacy: 'agents' } as const;
    const options = { room, agentName: AGENT_NAME, roads, withholdsLegacy: true };
    const bot = await startEarlessBot(server, options);
    afterThis(() => bot.leave());
    const admin = new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
    const permit = async (canSubscribe: boolean): Promise<void> => {
      const permission = { canSubscribe, canPublish: true, canPublishData: true };
      await admin.updateParticipant(room, paul, { permission });
      await waitUntil(() =>
        bot.outlet.isSomebodyKeptOut === canSubscribe ? 'the bot does not know yet' : undefined,
      );
    };
    /** Says it, and resolves when Paul has been sent what he is sent of it. */
    const say = async (text: string): Promise<void> => {
      const { trackSid } = publisher;
      bot.spoken.finish(text, { speaker: claire, trackSid, startMs: START_MS, text });
      await bot.roads.flushed();
      await showsWhatWasSaid(reader, bot);
      await admin.sendData(room, Buffer.from(text), DataPacket_Kind.RELIABLE, {
        destinationIdentities: [paul],
        topic: 'mark',
      });
      await waitUntil(() => (seen.includes(`mark ${text}`) ? undefined : 'no mark yet'));
    };
    await waitUntil(() => (bot.outlet.readerCount === 3 ? undefined : 'not all are known'));
    await say('before');
    await permit(false);
    await say('meanwhile');
    await permit(true);
    await say('after');
    await waitUntil(() => (seen.includes('stream after') ? undefined : `Paul got ${seen.join(', ')}`));
    await hasPackets(reader, 2);
    expect(seen.filter((text) => !text.startsWith('stream'))).toEqual([
      'before',
      'mark before',
      'mark meanwhile',
      'after',
      'mark after',
    ]);
    expect(seen).not.toContain('stream meanwhile');
    // Everybody in the room is given legacy packets: they are withheld while Paul may not have them, and only then.
    expect(reader.transcriptions.flatMap(({ segments }) => segments.map(({ text }) => text))).toEqual([
      'before',
      'after',
    ]);
  });
});
