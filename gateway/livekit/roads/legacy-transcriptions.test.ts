import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TranscriptionPacket } from '../room-outlet.js';
import { ScriptedOutlet } from '../testing/scripted-outlet.js';
import { ana, bo, type OpenedRoads, openRoads, SpokenRoom } from '../testing/spoken-room.js';

const GATHER_MS = 500;

describe('legacy packets', () => {
  let outlet: ScriptedOutlet;
  let spoken: SpokenRoom;
  let opened: OpenedRoads | undefined;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    outlet = new ScriptedOutlet();
    spoken = new SpokenRoom();
    opened = undefined;
  });
  afterEach(async () => {
    opened?.roads.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const open = (legacy: 'visio' | 'agents'): OpenedRoads =>
    (opened = openRoads(spoken.room, outlet, { legacy }));
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
  const gather = (): Promise<unknown> => vi.advanceTimersByTimeAsync(GATHER_MS);
  const texts = (): string[] => outlet.transcriptions.map(({ text }) => text);
  const says = ({ segmentId, text, isFinal }: TranscriptionPacket): string =>
    `${segmentId}${isFinal ? '!' : ''} ${text}`;

  describe('in the manner visio', () => {
    it('carry words that never change, each once, under ids of their own', async () => {
      open('visio');
      spoken.revise('s1', { text: 'good mourning', stable: 1, startMs: 7000 });
      await gather();
      spoken.revise('s1', { text: 'good morning to all', stable: 3, startMs: 7000 });
      await gather();
      spoken.finish('s1', { text: 'good morning to everybody here.', startMs: 7000 });
      await settle();
      const common = { speaker: ana, trackSid: 'TR_ana', isFinal: true, language: 'en' };
      expect(outlet.transcriptions).toEqual([
        { ...common, segmentId: 's1.0', text: 'good', startMs: 7000, endMs: 7100 },
        { ...common, segmentId: 's1.1', text: 'morning to', startMs: 7100, endMs: 7300 },
        { ...common, segmentId: 's1.3', text: 'everybody here.', startMs: 7300, endMs: 7500 },
      ]);
    });

    it('gather the words of half a second, so that two who talk at once do not make a row of every word', async () => {
      open('visio');
      const ofAna = ['one', 'two', 'three', 'four'];
      for (let word = 1; word <= 4; word += 1) {
        spoken.revise('s1', { text: ofAna.slice(0, word).join(' ') });
        spoken.revise('t1', { text: ofAna.slice(0, word).join(' '), speaker: bo });
        await vi.advanceTimersByTimeAsync(100);
      }
      expect(texts()).toEqual([]);
      await vi.advanceTimersByTimeAsync(100);
      expect(outlet.transcriptions.map(({ speaker, text }) => `${speaker}: ${text}`)).toEqual([
        'ana: one two three four',
        'bo: one two three four',
      ]);
    });

    it('go out at once when a segment ends', async () => {
      open('visio');
      spoken.revise('s1', { text: 'yes' });
      spoken.finish('s1', { text: 'yes please.' });
      await settle();
      expect(texts()).toEqual(['yes please.']);
    });

    it('keep the order of speech when a segment begins before the one before it is final', async () => {
      open('visio');
      spoken.revise('s1', { text: 'first but', stable: 1 });
      spoken.revise('s2', { text: 'second' });
      await gather();
      spoken.revise('s2', { text: 'second too' });
      await gather();
      expect(texts()).toEqual(['first']);
      spoken.finish('s1', { text: 'first and' });
      await gather();
      expect(texts()).toEqual(['first', 'and', 'second too']);
    });

    it('do not let somebody’s shared screen wait for their voice', async () => {
      open('visio');
      spoken.revise('s1', { text: 'look here' });
      spoken.revise('v1', { text: 'welcome back', trackSid: 'TR_screen' });
      await gather();
      expect(outlet.transcriptions.map(({ trackSid, text }) => `${trackSid} ${text}`)).toEqual([
        'TR_ana look here',
        'TR_screen welcome back',
      ]);
    });

    it('follow a speaker to another track in mid-sentence, in order', async () => {
      open('visio');
      spoken.revise('s1', { text: 'one', trackSid: 'TR_1' });
      spoken.revise('s1', { text: 'one two', trackSid: 'TR_2' });
      spoken.finish('s1', { text: 'one two three', trackSid: 'TR_2' });
      await settle();
      expect(outlet.transcriptions.map(({ trackSid, text }) => `${trackSid} ${text}`)).toEqual([
        'TR_1 one',
        'TR_2 two three',
      ]);
    });

    it('join what waits while the network is slower than speech', async () => {
      const { counts } = open('visio');
      outlet.isQuick = false;
      spoken.finish('s1', { text: 'one' });
      spoken.finish('s2', { text: 'two' });
      spoken.finish('s3', { text: 'three' });
      spoken.finish('s4', { text: 'vier', trackSid: 'TR_other' });
      outlet.becomeQuick();
      await settle();
      expect(outlet.transcriptions.map(says)).toEqual(['s1.0! one', 's2.0! two three', 's4.0! vier']);
      expect(counts.get('legacy merged')).toBe(1);
    });

    it('are bounded while nothing goes out: the oldest are dropped, and counted', async () => {
      const { counts } = open('visio');
      outlet.isQuick = false;
      for (let said = 1; said <= 300; said += 1)
        spoken.finish(`s${said}`, { text: `n${said}`, trackSid: `TR_${said}` });
      outlet.becomeQuick();
      await settle();
      expect(counts.get('legacy dropped')).toBe(99);
      expect(texts()).toEqual(['n1', ...Array.from({ length: 200 }, (_, index) => `n${index + 101}`)]);
    });

    it('send again under the same id, and unchanged, what may not have arrived', async () => {
      const { roads } = open('visio');
      outlet.isQuick = false;
      spoken.finish('s1', { text: 'one' });
      spoken.finish('s2', { text: 'two' });
      outlet.disconnect({ isDelivered: true });
      spoken.finish('s3', { text: 'three' });
      await vi.advanceTimersByTimeAsync(1000);
      outlet.isQuick = true;
      outlet.reconnect();
      roads.reconnected();
      await settle();
      expect(outlet.transcriptions.map(says)).toEqual(['s1.0! one', 's1.0! one', 's2.0! two three']);
      // Taken just before the connection broke: perhaps it went nowhere.
      outlet.disconnect();
      outlet.reconnect();
      roads.reconnected();
      await settle();
      expect(outlet.transcriptions.slice(3).map(says)).toEqual(['s1.0! one', 's2.0! two three']);
      await vi.advanceTimersByTimeAsync(11_000);
      roads.reconnected();
      await settle();
      expect(outlet.transcriptions).toHaveLength(5);
    });

    it('wait ten seconds for a reader, since people come back one by one', async () => {
      outlet.readerCount = 0;
      const { roads } = open('visio');
      spoken.finish('s1', { text: 'too early' });
      await vi.advanceTimersByTimeAsync(8000);
      spoken.finish('s2', { text: 'just now' });
      await vi.advanceTimersByTimeAsync(4000);
      outlet.readerCount = 1;
      roads.participantJoined(bo);
      await settle();
      expect(texts()).toEqual(['just now']);
    });

    it('do not wait for readers where the room keeps its history to itself', async () => {
      spoken.room.showsHistory = false;
      outlet.readerCount = 0;
      const { roads } = open('visio');
      spoken.revise('s1', { text: 'not for you' });
      await gather();
      outlet.readerCount = 1;
      roads.participantJoined(bo);
      spoken.finish('s1', { text: 'not for you hello' });
      await settle();
      expect(texts()).toEqual(['hello']);
    });

    it('leave out what was said before the road was opened', async () => {
      spoken.finish('s0', { text: 'long ago' });
      spoken.revise('s1', { text: 'before and', stable: 1 });
      open('visio');
      spoken.revise('s1', { text: 'before and after' });
      await gather();
      expect(texts()).toEqual(['and after']);
    });

    it('are never too large', async () => {
      open('visio');
      const word = 'x'.repeat(999);
      spoken.finish('s1', { text: [word, word, word].join(' ') });
      await settle();
      expect(texts().map(({ length }) => length)).toEqual([1999, 999]);
    });

    it('go out at once when the road is flushed', async () => {
      const { roads } = open('visio');
      spoken.revise('s1', { text: 'last words' });
      await roads.flushed();
      expect(texts()).toEqual(['last words']);
    });

    it('wait for a track that is not known yet', async () => {
      const { counts } = open('visio');
      spoken.revise('s1', { text: 'who', trackSid: undefined });
      await gather();
      spoken.revise('s1', { text: 'who is' });
      spoken.finish('s1', { text: 'who is this?' });
      spoken.finish('s2', { text: 'nobody', trackSid: 'mic' });
      await settle();
      expect(texts()).toEqual(['who is this?']);
      expect(counts.get('legacy no_track')).toBe(1);
    });
  });

  describe('in the manner agents', () => {
    it('carry the whole text of a segment under its id, partials without words that may change', async () => {
      open('agents');
      spoken.revise('s1', { text: 'hm', stable: 0 });
      await settle();
      spoken.revise('s1', { text: 'good mourning', stable: 1, startMs: 7000 });
      await settle();
      spoken.revise('s1', { text: 'good morning', stable: 1, startMs: 7000 });
      await settle();
      spoken.finish('s1', { text: 'Good morning.', startMs: 7000 });
      await settle();
      const common = { speaker: ana, trackSid: 'TR_ana', segmentId: 's1', startMs: 7000, language: 'en' };
      expect(outlet.transcriptions).toEqual([
        { ...common, text: 'good', endMs: 7100, isFinal: false },
        { ...common, text: 'Good morning.', endMs: 7200, isFinal: true },
      ]);
    });

    it('leave out partials that a newer text has overtaken, and no final', async () => {
      open('agents');
      outlet.isQuick = false;
      for (const text of ['a', 'a b', 'a b c']) spoken.revise('s1', { text });
      spoken.finish('s1', { text: 'a b c d' });
      spoken.revise('s2', { text: 'e' });
      outlet.becomeQuick();
      await settle();
      expect(outlet.transcriptions.map(says)).toEqual(['s1 a', 's1! a b c d', 's2 e']);
    });

    it('need a track of LiveKit', async () => {
      const { counts } = open('agents');
      spoken.revise('s1', { text: 'who', trackSid: undefined });
      spoken.finish('s1', { text: 'who?', trackSid: 'mic' });
      await settle();
      expect(texts()).toEqual([]);
      expect(counts.get('legacy no_track')).toBe(1);
    });
  });

  it.each(['visio', 'agents'] as const)('are never sent in an encrypted room (%s)', async (manner) => {
    const { roads } = open(manner);
    outlet.isQuick = false;
    spoken.finish('s1', { text: 'under way' });
    spoken.finish('s2', { text: 'waiting' });
    outlet.isEncrypted = true;
    outlet.becomeQuick();
    await settle();
    spoken.revise('s3', { text: 'secret' });
    await gather();
    spoken.finish('s3', { text: 'secret plan' });
    roads.participantJoined(bo);
    roads.reconnected();
    await roads.flushed();
    expect(texts()).toEqual(['under way']);
    spoken.revise('s4', { text: 'another secret' });
    outlet.isEncrypted = false;
    await vi.advanceTimersByTimeAsync(20_000);
    spoken.finish('s4', { text: 'another secret' });
    await roads.flushed();
    expect(texts().filter((text) => text.includes('plan'))).toEqual([]);
  });

  describe.each(['visio', 'agents'] as const)('after the server was restarted (%s)', (manner) => {
    /** The connection goes, everybody with it, and only Ana is back with it. */
    const restart = async (): Promise<OpenedRoads['roads']> => {
      const { roads } = open(manner);
      roads.participantJoined(ana);
      roads.participantJoined(bo);
      outlet.disconnect();
      roads.participantLeft(ana);
      roads.participantLeft(bo);
      spoken.finish('s1', { text: 'meanwhile' });
      roads.participantJoined(ana);
      outlet.reconnect();
      roads.reconnected();
      await settle();
      return roads;
    };

    it('wait for those who were there before', async () => {
      const roads = await restart();
      expect(texts()).toEqual([]);
      roads.participantJoined(bo);
      await settle();
      expect(texts()).toEqual(['meanwhile']);
    });

    it('wait no longer than ten seconds for who does not come back', async () => {
      await restart();
      await vi.advanceTimersByTimeAsync(9_900);
      expect(texts()).toEqual([]);
      await vi.advanceTimersByTimeAsync(200);
      expect(texts()).toEqual(['meanwhile']);
    });
  });

  it('stay away where the room wants none of them', async () => {
    opened = openRoads(spoken.room, outlet, { transcription: true, captions: true, legacy: 'off' });
    spoken.finish('s1', { text: 'hello' });
    await opened.roads.flushed();
    expect(outlet.transcriptions).toEqual([]);
    expect(outlet.streams).toHaveLength(1);
    expect(outlet.dataPackets).toHaveLength(2);
  });
});
