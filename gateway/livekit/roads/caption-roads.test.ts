/** All roads at once, over a connection that is slow, breaks, and loses things, whatever people say meanwhile. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  applyMessage,
  type CaptionState,
  decodeMessage,
  encodeMessage,
  initialState,
  type ParticipantIdentity,
  resyncMessage,
  segmentsOf,
} from '../../../protocol/index.js';
import { visible } from '../../../protocol/testing/arbitrary-messages.js';
import { ScriptedOutlet } from '../testing/scripted-outlet.js';
import { ana, bo, type OpenedRoads, openRoads, ROOM, SpokenRoom, viewer } from '../testing/spoken-room.js';

type Step =
  | {
      readonly kind: 'say';
      readonly who: number;
      readonly lasting: number;
      readonly guesses: readonly string[];
    }
  | { readonly kind: 'end'; readonly who: number; readonly words: number }
  | { readonly kind: 'take'; readonly count: number }
  | { readonly kind: 'refuse'; readonly isDelivered: boolean }
  | { readonly kind: 'disconnect'; readonly isDelivered: boolean }
  | { readonly kind: 'reconnect' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'join' };

const who = fc.nat({ max: 1 });
const say: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('say' as const),
  who,
  lasting: fc.nat({ max: 3 }),
  guesses: fc.array(fc.constantFrom('uh', 'maybe', 'what'), { maxLength: 3 }),
});
const end: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('end' as const),
  who,
  words: fc.nat({ max: 2 }),
});
const take: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('take' as const),
  count: fc.integer({ min: 1, max: 5 }),
});
const wait: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('wait' as const),
  ms: fc.constantFrom(1, 100, 600, 2500),
});
const join = fc.constant<Step>({ kind: 'join' });
const isDelivered = fc.boolean();
const disturbance: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('refuse' as const), isDelivered }),
  fc.record({ kind: fc.constant('disconnect' as const), isDelivered }),
  fc.constant<Step>({ kind: 'reconnect' }),
);
/** Slow, but never so slow that an answer is given up: whoever waits, takes everything first. */
const calmSteps = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: say },
      { weight: 2, arbitrary: end },
      { weight: 3, arbitrary: take },
      { weight: 2, arbitrary: wait },
      { weight: 1, arbitrary: join },
    ),
    { maxLength: 80, size: 'max' },
  )
  .map((steps) =>
    steps.flatMap((step): Step[] => (step.kind === 'wait' ? [{ kind: 'take', count: 100 }, step] : [step])),
  );
const roughSteps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: say },
    { weight: 2, arbitrary: end },
    { weight: 3, arbitrary: take },
    { weight: 2, arbitrary: wait },
    { weight: 3, arbitrary: disturbance },
    { weight: 1, arbitrary: join },
  ),
  { maxLength: 80, size: 'max' },
);

/** People who talk: words that last are numbered, so that a missing or a doubled one shows. */
class Talk {
  readonly transcripts = new Map<ParticipantIdentity, string[]>([
    [ana, []],
    [bo, []],
  ]);
  readonly #spoken: SpokenRoom;
  readonly #open = new Map<ParticipantIdentity, { segment: string; words: string[] }>();
  #words = 0;
  #segments = 0;

  constructor(spoken: SpokenRoom) {
    this.#spoken = spoken;
  }

  say(speaker: ParticipantIdentity, lasting: number, guesses: readonly string[]): void {
    const open = this.#opened(speaker);
    open.words.push(...this.#newWords(speaker, lasting));
    const text = [...open.words, ...guesses].join(' ');
    this.#spoken.revise(open.segment, { speaker, text, stable: open.words.length });
  }

  end(speaker: ParticipantIdentity, words: number): void {
    const open = this.#opened(speaker);
    open.words.push(...this.#newWords(speaker, words));
    this.#spoken.finish(open.segment, { speaker, text: open.words.join(' ') });
    this.#open.delete(speaker);
  }

  #opened(speaker: ParticipantIdentity): { segment: string; words: string[] } {
    let open = this.#open.get(speaker);
    if (open === undefined) {
      this.#segments += 1;
      open = { segment: `s${this.#segments}`, words: [] };
      this.#open.set(speaker, open);
    }
    return open;
  }

  #newWords(speaker: ParticipantIdentity, count: number): string[] {
    const words = Array.from({ length: count }, () => `w${(this.#words += 1)}`);
    this.transcripts.get(speaker)?.push(...words);
    return words;
  }
}

describe('the roads out of a room', () => {
  let outlet: ScriptedOutlet;
  let spoken: SpokenRoom;
  let talk: Talk;
  let opened: OpenedRoads;
  let refusals: number;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const step = async (action: Step): Promise<void> => {
    const speaker = 'who' in action && action.who === 1 ? bo : ana;
    switch (action.kind) {
      case 'say':
        talk.say(speaker, action.lasting, action.guesses);
        return;
      case 'end':
        talk.end(speaker, action.words);
        return;
      case 'take':
        for (let taken = 0; taken < action.count; taken += 1) {
          outlet.takeOne();
          await vi.advanceTimersByTimeAsync(0);
        }
        return;
      case 'refuse':
        // What is refused seven times in a row is given up, which another test shows.
        if ((refusals += 1) <= 6) outlet.failOne(action);
        await vi.advanceTimersByTimeAsync(0);
        return;
      case 'disconnect':
        outlet.disconnect(action);
        await vi.advanceTimersByTimeAsync(0);
        return;
      case 'reconnect':
        if (outlet.isConnected) return;
        outlet.reconnect();
        opened.roads.reconnected();
        await vi.advanceTimersByTimeAsync(0);
        return;
      case 'wait':
        await vi.advanceTimersByTimeAsync(action.ms);
        return;
      case 'join':
        opened.roads.participantJoined(viewer);
    }
  };
  const run = async (steps: readonly Step[], legacy: 'visio' | 'agents'): Promise<void> => {
    outlet = new ScriptedOutlet();
    outlet.isQuick = false;
    spoken = new SpokenRoom();
    talk = new Talk(spoken);
    refusals = 0;
    opened = openRoads(spoken.room, outlet, { captions: true, transcription: true, legacy });
    for (const action of steps) await step(action);
    await step({ kind: 'reconnect' });
    outlet.becomeQuick();
    const flushed = opened.roads.flushed();
    await vi.advanceTimersByTimeAsync(5000);
    await flushed;
    opened.roads.close();
  };

  const captionsSeen = (): CaptionState => {
    let state = initialState(ROOM);
    for (const { bytes } of outlet.dataPackets) {
      const message = decodeMessage(bytes);
      if (message !== undefined) state = applyMessage(state, message);
    }
    return state;
  };
  /** As La Suite Meet's view does it: the first text of an id stands, texts are joined by a space. */
  const meetShows = (speaker: ParticipantIdentity): string[] => {
    const texts = new Map<string, string>();
    for (const packet of outlet.transcriptions) {
      if (packet.speaker === speaker && !texts.has(packet.segmentId))
        texts.set(packet.segmentId, packet.text);
    }
    return [...texts.values()].map((text) => text.trim()).filter((text) => text !== '');
  };

  it('show in every viewer of the contract what the room says', async () => {
    await fc.assert(
      fc.asyncProperty(roughSteps, async (steps) => {
        await run(steps, 'visio');
        const seen = captionsSeen();
        expect(visible(seen)).toEqual(visible(spoken.room.state));
        expect(seen.needsResync).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('give La Suite Meet’s view every lasting word once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(roughSteps, async (steps) => {
        await run(steps, 'visio');
        for (const [speaker, words] of talk.transcripts) {
          expect(meetShows(speaker).join(' ')).toBe(words.join(' '));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('send no word twice to anybody while the connection holds', async () => {
    await fc.assert(
      fc.asyncProperty(calmSteps, async (steps) => {
        await run(steps, 'visio');
        const ids = outlet.transcriptions.map(({ segmentId }) => segmentId);
        expect(new Set(ids).size).toBe(ids.length);
        for (const [speaker, words] of talk.transcripts) {
          const pieces = outlet.transcriptions.filter((packet) => packet.speaker === speaker);
          expect(pieces.map(({ text }) => text).join(' ')).toBe(words.join(' '));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('end every segment’s streams and packets with its last text', async () => {
    await fc.assert(
      fc.asyncProperty(roughSteps, async (steps) => {
        await run(steps, 'agents');
        const streams = new Map(
          outlet.streams.map(({ attributes, text }) => [
            attributes['lk.segment_id'],
            `${attributes['lk.transcription_final'] ?? ''}: ${text}`,
          ]),
        );
        const packets = new Map(
          outlet.transcriptions.map(({ segmentId, isFinal, text }) => [segmentId, `${isFinal}: ${text}`]),
        );
        for (const { segment, words, stable, isFinal } of segmentsOf(spoken.room.state)) {
          const text = words.map((word) => word.text).join(' ');
          // What has only ever been empty is not told; what became empty is told as a space.
          if (text === '') expect(streams.get(segment) ?? `${isFinal}:  `).toBe(`${isFinal}:  `);
          else expect(streams.get(segment)).toBe(`${isFinal}: ${text}`);
          const lasting = words.slice(0, isFinal ? words.length : stable).map((word) => word.text);
          if (lasting.length > 0) expect(packets.get(segment)).toBe(`${isFinal}: ${lasting.join(' ')}`);
          else expect(packets.get(segment)).toBeUndefined();
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never have two sendings of one lane under way', async () => {
    await fc.assert(
      fc.asyncProperty(calmSteps, async (steps) => {
        await run(steps, 'visio');
        // The contract; streams and packets of two speakers; the history.
        expect(outlet.mostPending).toBeLessThanOrEqual(6);
      }),
      { numRuns: 150 },
    );
  });

  it('resolve flushed when the connection never comes back', async () => {
    await run([], 'visio');
    outlet = new ScriptedOutlet();
    outlet.isQuick = false;
    opened = openRoads(spoken.room, outlet, { captions: true, transcription: true, legacy: 'visio' });
    talk.end(ana, 2);
    const flushed = opened.roads.flushed();
    outlet.disconnect();
    await vi.advanceTimersByTimeAsync(1000);
    outlet.end();
    await flushed;
    opened.roads.close();
    expect(outlet.pending).toEqual([]);
  });

  it('answer a viewer that lost packets', async () => {
    await run([], 'visio');
    opened = openRoads(spoken.room, outlet, { captions: true });
    talk.end(ana, 3);
    await vi.advanceTimersByTimeAsync(0);
    const before = outlet.dataPackets.length;
    opened.roads.received(viewer, encodeMessage(resyncMessage(initialState(ROOM))));
    await vi.advanceTimersByTimeAsync(0);
    expect(outlet.dataPackets.slice(before).map(({ to }) => to)).toEqual([[viewer]]);
    opened.roads.close();
  });
});
