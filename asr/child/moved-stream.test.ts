/** A stream that leaves one recogniser child for another in the middle of its words. Real children, real model, real speech. */
import { type ChildProcess, fork } from 'node:child_process';
import { afterAll, expect, it } from 'vitest';
import { joinPcm, ownSpeech, realSpeech } from '../testing/clips.js';
import { REAL_CHILD } from '../testing/misbehaviour.js';
import { describeWithModel } from '../testing/real-model.js';
import type { InstalledModel } from '../models/index.js';
import { parseFromChild } from './from-child.js';
import { CHILD_PROTOCOL_VERSION, type FromChild, type SavedUtterance, type ToChild } from './messages.js';

const MOVES = 100;

/** A child and what it said, told to whoever waits for it. */
class TestChild {
  readonly #process: ChildProcess;
  readonly #heard: FromChild[] = [];
  #wake: () => void = () => undefined;

  constructor() {
    this.#process = fork(REAL_CHILD, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process.on('message', (received) => {
      const message = parseFromChild(received);
      if (message === undefined) throw new Error('no message of the contract');
      this.#heard.push(message);
      this.#wake();
    });
  }

  send(message: ToChild): void {
    this.#process.send(message);
  }

  /** The next message of that kind; those before it are handed to `others`. */
  async next<Kind extends FromChild['kind']>(
    kind: Kind,
    others: (message: FromChild) => void = () => undefined,
  ): Promise<Extract<FromChild, { kind: Kind }>> {
    for (;;) {
      const message = this.#heard.shift();
      if (message === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (message.kind === kind) return message as Extract<FromChild, { kind: Kind }>;
      else others(message);
    }
  }

  async configure({ files }: InstalledModel): Promise<void> {
    const { encoder, decoder, joiner, tokens } = files;
    await this.next('hello');
    this.send({
      kind: 'configure',
      version: CHILD_PROTOCOL_VERSION,
      recogniser: {
        engine: 'zipformer',
        encoder,
        decoder,
        joiner,
        tokens,
        threads: 1,
        changedWordsAllowed: 0.05,
      },
      decodeCallBudgetMs: 40,
    });
    expect(await this.next('ready')).toMatchObject({ engine: 'zipformer', savesStreams: true });
  }

  close(): void {
    this.send({ kind: 'shutdown' });
  }
}

describeWithModel('A stream that moves between children', (model) => {
  const children = [new TestChild(), new TestChild()] as const;
  afterAll(() => children.forEach((child) => child.close()));

  /** What is said when the stream leaves for the other child after each of these pieces. */
  async function recognise(utterance: number, pieces: readonly Int16Array[]): Promise<string> {
    const texts: string[] = [];
    let finals = 0;
    const read = (message: FromChild): void => {
      if (message.kind !== 'decoded') return;
      for (const piece of message.pieces.filter((decoded) => decoded.utterance === utterance)) {
        texts.push(...piece.appended.map(({ text }) => text));
        finals += Number(piece.isFinal);
      }
    };
    let saved: SavedUtterance | undefined;
    let sentSamples = 0;
    for (const [index, pcm] of pieces.entries()) {
      const child = children[index % 2 === 0 ? 0 : 1];
      child.send({ kind: 'open', utterance, firstSample: 0, ...(saved === undefined ? {} : { saved }) });
      child.send({ kind: 'audio', pieces: [{ utterance, pcm }] });
      sentSamples += pcm.length;
      if (index === pieces.length - 1) {
        child.send({ kind: 'finish', utterance });
        while (finals === 0) read(await child.next('decoded'));
      } else {
        child.send({ kind: 'save', utterance, isLeaving: true });
        ({ saved } = await child.next('saved', read));
        expect(saved).toMatchObject({ acceptedThroughSample: sentSamples, reportedTokens: texts.length });
      }
    }
    return texts.join('').trim();
  }

  it(`says the same when it moved ${MOVES} times`, async () => {
    await Promise.all(children.map((child) => child.configure(model)));
    const real = [await realSpeech('jfk'), await realSpeech('spk1_snt1')].filter(
      (clip) => clip !== undefined,
    );
    const clips = real.length > 0 ? real : (await ownSpeech('')).slice(0, 4);
    const pcm = joinPcm(clips.map((clip) => clip.pcm));
    const unmoved = await recognise(1, [pcm]);
    expect(unmoved.split(' ').length).toBeGreaterThan(20);
    // Cut at uneven places, from a fifth of a second down to a few samples.
    const cuts = Array.from({ length: MOVES }, (_, move) =>
      Math.round(((move + 1 + 0.4 * Math.sin(7 * move)) * pcm.length) / (MOVES + 1)),
    );
    const moved = await recognise(
      2,
      [0, ...cuts].map((from, index) => pcm.subarray(from, cuts[index] ?? pcm.length)),
    );
    expect(moved).toBe(unmoved);
  });

  it('refuses a state that is none, and serves the others', async () => {
    const [child] = children;
    const saved = {
      state: Uint8Array.of(1, 2, 3),
      reportedTokens: 0,
      acceptedThroughSample: 0,
      decodedThroughSample: 0,
    };
    child.send({ kind: 'open', utterance: 3, firstSample: 0, saved });
    expect(await child.next('utteranceFailed')).toMatchObject({ utterance: 3 });
    child.send({ kind: 'save', utterance: 3, isLeaving: true });
    expect(await child.next('saved')).toEqual({ kind: 'saved', utterance: 3 });
    child.send({ kind: 'open', utterance: 4, firstSample: 0 });
    child.send({ kind: 'save', utterance: 4, isLeaving: false });
    expect((await child.next('saved')).saved).toBeDefined();
    child.send({ kind: 'cancel', utterance: 4 });
  });
});
