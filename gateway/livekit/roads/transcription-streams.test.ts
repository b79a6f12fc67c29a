import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { participantIdentity } from '../../../protocol/index.js';
import { ScriptedOutlet } from '../testing/scripted-outlet.js';
import { ana, bo, type OpenedRoads, openRoads, silentLog, SpokenRoom } from '../testing/spoken-room.js';
import { Readers } from './readers.js';
import { TranscriptionStreams } from './transcription-streams.js';

describe('text streams', () => {
  let outlet: ScriptedOutlet;
  let spoken: SpokenRoom;
  let opened: OpenedRoads;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    outlet = new ScriptedOutlet();
    spoken = new SpokenRoom();
    opened = openRoads(spoken.room, outlet, { transcription: true });
  });
  afterEach(async () => {
    opened.roads.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
  const told = (): string[] =>
    outlet.streams.map(
      ({ text, attributes }) =>
        `${attributes['lk.segment_id'] ?? ''}${attributes['lk.transcription_final'] === 'true' ? '!' : ''} ${text}`,
    );

  it('are what LiveKit’s agents send: the whole text of a segment, partial and final, as its speaker', async () => {
    spoken.revise('s1', { text: 'good morning', stable: 1 });
    await settle();
    spoken.finish('s1', { text: 'Good morning, all.' });
    await settle();
    const common = { topic: 'lk.transcription', speaker: ana };
    expect(outlet.streams).toEqual([
      {
        ...common,
        text: 'good morning',
        attributes: {
          'lk.segment_id': 's1',
          'lk.transcription_final': 'false',
          'lk.transcribed_track_id': 'TR_ana',
        },
      },
      {
        ...common,
        text: 'Good morning, all.',
        attributes: {
          'lk.segment_id': 's1',
          'lk.transcription_final': 'true',
          'lk.transcribed_track_id': 'TR_ana',
        },
      },
    ]);
  });

  it.each([undefined, '', 'TR_', 'ingest-7'])(
    'name no track that is not one of LiveKit’s: %s',
    async (sid) => {
      // The contract has no empty track id.
      spoken.finish('s1', { text: 'hello', trackSid: sid === '' ? undefined : sid });
      await settle();
      expect(outlet.streams[0]?.attributes).toEqual({
        'lk.segment_id': 's1',
        'lk.transcription_final': 'true',
      });
    },
  );

  it('leave out partials that a newer text has overtaken, and no final', async () => {
    outlet.isQuick = false;
    for (const text of ['a', 'a b', 'a b c']) spoken.revise('s1', { text });
    spoken.finish('s1', { text: 'a b c d' });
    for (const text of ['e', 'e f']) spoken.revise('s2', { text });
    spoken.finish('s2', { text: 'e f g' });
    spoken.revise('s3', { text: 'h' });
    outlet.becomeQuick();
    await settle();
    expect(told()).toEqual(['s1 a', 's1! a b c d', 's2! e f g', 's3 h']);
    expect(opened.counts.get('transcription replaced')).toBe(4);
  });

  it('are bounded while nothing goes out: the oldest segments are dropped, and counted', async () => {
    outlet.isQuick = false;
    for (let said = 1; said <= 600; said += 1) spoken.finish(`s${said}`, { text: `n${said}` });
    outlet.becomeQuick();
    await settle();
    expect(opened.counts.get('transcription dropped')).toBe(99);
    expect(outlet.streams.map(({ text }) => text)).toEqual([
      'n1',
      ...Array.from({ length: 500 }, (_, index) => `n${index + 101}`),
    ]);
  });

  it('of one speaker do not wait for those of another', async () => {
    outlet.isQuick = false;
    spoken.revise('s1', { text: 'a' });
    spoken.revise('s1', { text: 'a b' });
    spoken.revise('t1', { text: 'x', speaker: bo });
    expect(
      outlet.pending.map(({ sending }) => (sending.kind === 'stream' ? sending.stream.text : '')),
    ).toEqual(['a', 'x']);
    outlet.becomeQuick();
    await settle();
  });

  it('say again, with the newest text, what a lost connection left undone', async () => {
    outlet.isQuick = false;
    spoken.finish('s1', { text: 'first' });
    spoken.revise('s2', { text: 'second' });
    outlet.disconnect();
    spoken.revise('s2', { text: 'second thought' });
    await vi.advanceTimersByTimeAsync(60_000);
    outlet.isQuick = true;
    outlet.reconnect();
    opened.roads.reconnected();
    await settle();
    expect(told()).toEqual(['s1! first', 's2 second thought']);
  });

  it('say nothing twice', async () => {
    spoken.revise('s1', { text: 'same', stable: 0 });
    await settle();
    spoken.revise('s1', { text: 'same', stable: 1 });
    await settle();
    spoken.finish('s2', { text: '' });
    await settle();
    expect(told()).toEqual(['s1 same']);
  });

  it('take back words that turned out to be none, which an empty stream could not', async () => {
    spoken.revise('s1', { text: 'hm', stable: 0 });
    await settle();
    spoken.finish('s1', { text: '' });
    await settle();
    expect(told()).toEqual(['s1 hm', 's1!  ']);
  });

  it('show those who come late the last finals, after their client had time to listen, and nobody else', async () => {
    const { roads } = opened;
    for (let sentence = 1; sentence <= 30; sentence += 1)
      spoken.finish(`s${sentence}`, { text: `n${sentence}` });
    spoken.finish('s31', { text: '' });
    await settle();
    const before = outlet.streams.length;
    const leaver = participantIdentity('leaver');
    roads.participantJoined(bo);
    roads.participantJoined(leaver);
    roads.participantLeft(leaver);
    await vi.advanceTimersByTimeAsync(999);
    expect(outlet.streams).toHaveLength(before);
    await vi.advanceTimersByTimeAsync(1);
    const history = outlet.streams.slice(before);
    expect(history.map(({ text }) => text)).toEqual(
      Array.from({ length: 20 }, (_, index) => `n${index + 11}`),
    );
    expect(history.every(({ to }) => to?.length === 1 && to[0] === bo)).toBe(true);
    expect(history[0]).toMatchObject({ speaker: ana, attributes: { 'lk.transcription_final': 'true' } });
  });

  it('serve newcomers of one moment together, and keep the history bounded and for those who are still there', async () => {
    const { roads } = opened;
    spoken.finish('s1', { text: 'one' });
    await settle();
    outlet.isQuick = false;
    roads.participantJoined(ana);
    roads.participantJoined(bo);
    await vi.advanceTimersByTimeAsync(1000);
    roads.participantJoined(participantIdentity('third'));
    await vi.advanceTimersByTimeAsync(1000);
    roads.participantLeft(participantIdentity('third'));
    outlet.becomeQuick();
    await settle();
    expect(outlet.streams.map(({ to }) => to)).toEqual([undefined, [ana, bo]]);
  });

  it('show nothing of before where the room keeps its history to itself', async () => {
    spoken.room.showsHistory = false;
    spoken.finish('s1', { text: 'one' });
    await settle();
    opened.roads.participantJoined(bo);
    await vi.advanceTimersByTimeAsync(5000);
    expect(told()).toEqual(['s1! one']);
  });

  it('go nowhere while nobody reads', async () => {
    outlet.readerCount = 0;
    spoken.revise('s1', { text: 'a' });
    await settle();
    outlet.readerCount = 1;
    spoken.revise('s1', { text: 'a b' });
    await settle();
    expect(told()).toEqual(['s1 a b']);
  });

  it('can be told to show only words that never change', async () => {
    const streams = new TranscriptionStreams(
      {
        outlet,
        room: spoken.room,
        readers: new Readers(outlet, spoken.room),
        log: silentLog,
        withholdsLegacy: false,
        observe: () => undefined,
      },
      { showsProvisionalWords: false },
    );
    const tell = (): void => streams.tell([...spoken.room.state.open, ...spoken.room.state.finals][0]!);
    opened.roads.close();
    for (const stable of [0, 2, 2]) {
      spoken.revise('s1', { text: 'good morning everyone', stable });
      tell();
      await settle();
    }
    spoken.finish('s1', { text: 'good morning everybody' });
    tell();
    await streams.flushed();
    streams.close();
    expect(told()).toEqual(['s1 good morning', 's1! good morning everybody']);
  });
});
