import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { msToSamples, sampleIndex } from '../../protocol/index.js';
import { toFloat32 } from '../audio/audio-frame.js';
import { DecodeScheduler } from '../child/decode-scheduler.js';
import type { DecodedPiece } from '../child/messages.js';
import {
  FAKE_CHUNK_SAMPLES as CHUNK,
  FakeRecogniser,
  fakeSpeech,
  fakeWord,
} from '../testing/fake-recogniser.js';
import type { Hypothesis } from '../token.js';
import { Utterance } from './utterance.js';

const FLOW_WINDOW = msToSamples(3000);

interface Setup {
  readonly utterance: Utterance;
  readonly told: Hypothesis[];
  failures: number;
}

function setUp(firstSample = 0): Setup {
  const told: Hypothesis[] = [];
  const listener = {
    hypothesis: (hypothesis: Hypothesis) => void told.push(hypothesis),
    failed: () => void (setup.failures += 1),
  };
  const utterance = new Utterance({ id: 1, firstSample: sampleIndex(firstSample), listener, nowMs: 0 });
  const setup: Setup = { utterance, told, failures: 0 };
  return setup;
}

/** A child that decoded through `sample` and heard these words in the last step. */
const piece = (through: number, words: readonly string[] = [], isFinal = false): DecodedPiece => ({
  utterance: 1,
  appended: words.map((word) => ({ text: ` ${word}`, atSample: sampleIndex(through) })),
  provisional: [],
  decodedThroughSample: through,
  isFinal,
});

/** One life of a child that holds one utterance. */
class FakeChild {
  readonly #utterance: Utterance;
  readonly #scheduler = new DecodeScheduler({
    recogniser: new FakeRecogniser(),
    decodeCallBudgetMs: 40,
    now: () => 0,
  });

  constructor(utterance: Utterance) {
    this.#utterance = utterance;
    const { id, firstSample, saved } = utterance;
    this.#scheduler.open(id, { firstSample, ...(saved === undefined ? {} : { saved }) });
  }

  /** Its state, as a child tells it between two calls. */
  save(): void {
    const saved = this.#scheduler.save(this.#utterance.id);
    if (saved !== undefined) this.#utterance.noteSaved(saved);
  }

  async decodeOnce(): Promise<void> {
    const pcm = this.#utterance.takeUnsentAudio();
    if (pcm !== undefined) this.#scheduler.accept(this.#utterance.id, toFloat32(pcm));
    if (this.#utterance.takeFinish()) this.#scheduler.finish(this.#utterance.id);
    for (const decoded of (await this.#scheduler.decodeOnce()).pieces) this.#utterance.decoded(decoded, 0);
  }
}

const textOf = (hypothesis: Hypothesis | undefined): string =>
  hypothesis?.committed
    .map(({ text }) => text)
    .join('')
    .trim() ?? '';

describe('Utterance', () => {
  it('hands out each sample once, in order', () => {
    const { utterance } = setUp(50);
    utterance.append(Int16Array.of(1, 2));
    expect([...(utterance.takeUnsentAudio() ?? [])]).toEqual([1, 2]);
    expect(utterance.takeUnsentAudio()).toBeUndefined();
    utterance.append(Int16Array.of(3));
    utterance.append(Int16Array.of(4));
    expect([...(utterance.takeUnsentAudio() ?? [])]).toEqual([3, 4]);
    expect(utterance.endSample).toBe(54);
  });

  it('keeps back what lies more than the flow window ahead of what the child has decoded', () => {
    const { utterance } = setUp();
    utterance.append(new Int16Array(FLOW_WINDOW + 3 * CHUNK));
    expect(utterance.takeUnsentAudio()).toHaveLength(FLOW_WINDOW);
    expect(utterance.takeUnsentAudio()).toBeUndefined();
    utterance.decoded(piece(CHUNK), 1);
    expect(utterance.takeUnsentAudio()).toHaveLength(CHUNK);
  });

  it('keeps which phrases are favoured from where on, for whoever decodes it next', () => {
    const { utterance } = setUp(50);
    expect(utterance.vocabularies).toEqual([]);
    utterance.append(new Int16Array(CHUNK));
    expect(utterance.changeVocabulary(['a'])).toEqual({ fromSample: 50 + CHUNK, phrases: ['a'] });
    utterance.changeVocabulary(['b']);
    utterance.append(new Int16Array(CHUNK));
    utterance.changeVocabulary([]);
    const kept = [
      { fromSample: 50 + CHUNK, phrases: ['b'] },
      { fromSample: 50 + 2 * CHUNK, phrases: [] },
    ];
    expect(utterance.vocabularies).toEqual(kept);
    utterance.rewind(1);
    expect(utterance.vocabularies).toEqual(kept);
    utterance.markFinishing();
    expect(utterance.changeVocabulary(['c'])).toBeUndefined();
    expect(utterance.vocabularies).toEqual(kept);
  });

  it('keeps no more changes of vocabulary than a person makes', () => {
    const { utterance } = setUp();
    for (let change = 0; change < 100; change++) {
      utterance.append(new Int16Array(10));
      utterance.changeVocabulary([String(change)]);
    }
    expect(utterance.vocabularies.length).toBeLessThan(10);
    expect(utterance.vocabularies.at(-1)?.phrases).toEqual(['99']);
  });

  it('tells the end once, after all audio', () => {
    const { utterance } = setUp();
    utterance.append(new Int16Array(FLOW_WINDOW + CHUNK));
    utterance.markFinishing();
    utterance.append(new Int16Array(CHUNK));
    expect(utterance.endSample).toBe(FLOW_WINDOW + CHUNK);
    utterance.takeUnsentAudio();
    expect(utterance.takeFinish()).toBe(false);
    utterance.decoded(piece(CHUNK), 1);
    utterance.takeUnsentAudio();
    expect([utterance.takeFinish(), utterance.takeFinish()]).toEqual([true, false]);
  });

  it('tells what was decoded, and nothing after the final', () => {
    const { utterance, told } = setUp();
    utterance.append(new Int16Array(2 * CHUNK));
    utterance.markFinishing();
    utterance.takeUnsentAudio();
    utterance.takeFinish();
    utterance.decoded(piece(CHUNK, ['good']), 1);
    utterance.decoded(piece(2 * CHUNK, ['morning'], true), 2);
    utterance.decoded(piece(2 * CHUNK, ['again']), 3);
    utterance.fail();
    expect(told.map(textOf)).toEqual(['good', 'good morning']);
    expect(told.map(({ isFinal }) => isFinal)).toEqual([false, true]);
    expect(utterance.isDone).toBe(true);
  });

  it('holds a replay back until it knows as much as was told', () => {
    const { utterance, told } = setUp();
    utterance.append(new Int16Array(3 * CHUNK));
    utterance.takeUnsentAudio();
    utterance.decoded(piece(CHUNK, ['one']), 1);
    utterance.decoded(piece(2 * CHUNK, ['two']), 2);
    expect(utterance.rewind(3)).toBe(true);
    expect(utterance.isCatchingUp).toBe(true);
    expect(utterance.takeUnsentAudio()).toHaveLength(3 * CHUNK);
    utterance.decoded(piece(CHUNK, ['one']), 4);
    expect(told).toHaveLength(2);
    expect(utterance.decodedThroughSample).toBe(2 * CHUNK);
    utterance.decoded(piece(2 * CHUNK, ['two']), 5);
    expect(utterance.isCatchingUp).toBe(false);
    utterance.decoded(piece(3 * CHUNK, ['three']), 6);
    expect(told.slice(2).map(textOf)).toEqual(['one two', 'one two three']);
  });

  it('tells the final of a replay even if it comes early', () => {
    const { utterance, told } = setUp();
    utterance.append(new Int16Array(2 * CHUNK));
    utterance.takeUnsentAudio();
    utterance.decoded(piece(2 * CHUNK, ['long']), 1);
    utterance.rewind(2);
    utterance.markFinishing();
    utterance.takeUnsentAudio();
    utterance.takeFinish();
    utterance.decoded(piece(CHUNK, ['short'], true), 3);
    expect(told.at(-1)).toMatchObject({ isFinal: true, decodedThroughSample: 2 * CHUNK });
  });

  it('fails when a child calls it final unasked, so that the rest is not lost without a word', () => {
    const setup = setUp();
    setup.utterance.append(new Int16Array(CHUNK));
    setup.utterance.takeUnsentAudio();
    setup.utterance.decoded(piece(CHUNK, ['what'], true), 1);
    expect(setup.failures).toBe(1);
    expect(setup.told).toEqual([]);
  });

  it('is given up after three crashes without progress, under suspicion after two', () => {
    const setup = setUp();
    const { utterance } = setup;
    utterance.append(new Int16Array(CHUNK));
    const crash = (): boolean => {
      utterance.takeUnsentAudio();
      return utterance.rewind(0);
    };
    expect([crash(), utterance.isSuspect]).toEqual([true, false]);
    expect([crash(), utterance.isSuspect]).toEqual([true, true]);
    expect([crash(), setup.failures]).toEqual([false, 1]);
    expect(utterance.isDone).toBe(true);
  });

  it('is not blamed for crashes before it was in the child, nor after it got on', () => {
    const { utterance } = setUp();
    utterance.append(new Int16Array(20 * CHUNK));
    for (let i = 0; i < 10; i++) expect(utterance.rewind(0)).toBe(true);
    for (let i = 1; i < 20; i++) {
      utterance.takeUnsentAudio();
      utterance.decoded(piece(i * CHUNK), i);
      utterance.rewind(0);
      expect(utterance.isSuspect).toBe(false);
    }
  });

  it('goes on from its saved state after a crash, and from its beginning after a second one without progress', () => {
    const { utterance } = setUp();
    utterance.append(new Int16Array(4 * CHUNK));
    utterance.takeUnsentAudio();
    utterance.decoded(piece(2 * CHUNK, ['a', 'b']), 1);
    const saved = {
      state: Uint8Array.of(7),
      reportedTokens: 2,
      acceptedThroughSample: 3 * CHUNK,
      decodedThroughSample: 2 * CHUNK,
    };
    utterance.noteSaved(saved);
    expect(utterance.unsavedSamples).toBe(0);
    utterance.decoded(piece(3 * CHUNK, ['c']), 2);
    expect(utterance.unsavedSamples).toBe(CHUNK);
    utterance.rewind(3);
    expect([utterance.saved, utterance.isCatchingUp]).toEqual([saved, true]);
    expect(utterance.takeUnsentAudio()).toHaveLength(CHUNK);
    utterance.rewind(4);
    expect(utterance.saved).toBeUndefined();
    expect(utterance.takeUnsentAudio()).toHaveLength(4 * CHUNK);
  });

  it('keeps its newest state whatever becomes of the memory it came in', () => {
    const { utterance } = setUp();
    utterance.append(new Int16Array(2 * CHUNK));
    utterance.takeUnsentAudio();
    for (const chunks of [1, 2]) {
      utterance.decoded(piece(chunks * CHUNK), chunks);
      const state = new Uint8Array(8 - chunks).fill(chunks);
      utterance.noteSaved({
        state,
        reportedTokens: 0,
        acceptedThroughSample: 2 * CHUNK,
        decodedThroughSample: chunks * CHUNK,
      });
      state.fill(0);
    }
    expect(utterance.saved?.state).toEqual(new Uint8Array(6).fill(2));
  });

  it.each([{ reportedTokens: 2 }, { acceptedThroughSample: 5 * CHUNK }, { decodedThroughSample: CHUNK }])(
    'does not go on from a state that does not fit what was told: %o',
    (wrong) => {
      const { utterance } = setUp();
      utterance.append(new Int16Array(4 * CHUNK));
      utterance.takeUnsentAudio();
      utterance.decoded(piece(2 * CHUNK, ['a']), 1);
      utterance.noteSaved({
        state: Uint8Array.of(7),
        reportedTokens: 1,
        acceptedThroughSample: 4 * CHUNK,
        decodedThroughSample: 2 * CHUNK,
        ...wrong,
      });
      expect(utterance.saved).toBeUndefined();
    },
  );

  it('holds neither audio nor state once it is final, and still says where it lay', () => {
    const { utterance } = setUp(100);
    utterance.append(new Int16Array(2 * CHUNK));
    utterance.takeUnsentAudio();
    utterance.decoded(piece(100 + CHUNK, ['one']), 1);
    utterance.noteSaved({
      state: new Uint8Array(8),
      reportedTokens: 1,
      acceptedThroughSample: 100 + 2 * CHUNK,
      decodedThroughSample: 100 + CHUNK,
    });
    expect(utterance.saved).toBeDefined();
    utterance.markFinishing();
    expect(utterance.takeFinish()).toBe(true);
    utterance.decoded(piece(100 + 2 * CHUNK, ['two'], true), 2);
    expect(utterance.saved).toBeUndefined();
    expect(utterance.heldSamples).toBe(0);
    expect([utterance.firstSample, utterance.endSample]).toEqual([100, 100 + 2 * CHUNK]);
  });

  it('is cleared of suspicion when it rests in a child that lives on', () => {
    const { utterance } = setUp();
    utterance.append(new Int16Array(CHUNK));
    for (let i = 0; i < 2; i++) {
      utterance.takeUnsentAudio();
      utterance.rewind(1000);
    }
    utterance.takeUnsentAudio();
    utterance.clearIfHarmless(1500);
    expect(utterance.isSuspect).toBe(true);
    utterance.clearIfHarmless(4000);
    expect(utterance.isSuspect).toBe(false);
  });

  it('says nothing after it was cancelled', () => {
    const setup = setUp();
    setup.utterance.append(new Int16Array(CHUNK));
    setup.utterance.takeUnsentAudio();
    setup.utterance.cancel();
    setup.utterance.decoded(piece(CHUNK, ['late']), 1);
    setup.utterance.fail();
    expect([setup.told, setup.failures]).toEqual([[], 0]);
  });

  it('comes to the same words as without crashes, and its text only ever grows', async () => {
    const step = fc.constantFrom('audio', 'decode', 'decode', 'crash', 'save', 'move');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { utterance, told } = setUp();
        let child = new FakeChild(utterance);
        const said: number[] = [];
        for (const what of steps) {
          if (what === 'audio') {
            said.push(said.length + 1);
            utterance.append(fakeSpeech(said.slice(-1)));
          } else if (what === 'decode') {
            await child.decodeOnce();
          } else if (what === 'save') {
            child.save();
          } else if (what === 'move') {
            child.save();
            utterance.leave(0);
            child = new FakeChild(utterance);
          } else if (!utterance.isSuspect) {
            utterance.rewind(0);
            child = new FakeChild(utterance);
          }
        }
        utterance.markFinishing();
        while (!utterance.isDone) await child.decodeOnce();
        expect(textOf(told.at(-1))).toBe(said.map(fakeWord).join(' '));
        expect(told.filter(({ isFinal }) => isFinal)).toHaveLength(1);
        for (let i = 1; i < told.length; i++) {
          expect(textOf(told[i]).startsWith(textOf(told[i - 1]))).toBe(true);
        }
      }),
    );
  });
});
