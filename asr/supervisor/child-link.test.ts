import { describe, expect, it, vi } from 'vitest';
import { msToSamples, sampleIndex } from '../../protocol/index.js';
import type { ToChild } from '../child/messages.js';
import { ChildLink } from './child-link.js';
import { Utterance } from './utterance.js';

class FakeChild {
  state = 'ready';
  readonly sent: ToChild[] = [];

  send(message: ToChild): boolean {
    if (this.state === 'ready') this.sent.push(message);
    return this.state === 'ready';
  }
}

const ignore = (): void => undefined;

function setUp(): { child: FakeChild; link: ChildLink<FakeChild> } {
  const child = new FakeChild();
  return { child, link: new ChildLink(child) };
}

const utteranceOf = (id: number, firstSample = 0): Utterance =>
  new Utterance({
    id,
    firstSample: sampleIndex(firstSample),
    listener: { hypothesis: ignore, failed: ignore },
    nowMs: -60_000,
  });

describe('ChildLink', () => {
  it('opens utterances and sends the audio of all of them in one message, then the ends', async () => {
    const { child, link } = setUp();
    const [first, second] = [utteranceOf(1), utteranceOf(2, 100)];
    link.assign(first);
    link.assign(second);
    first.append(Int16Array.of(1));
    second.append(Int16Array.of(2));
    second.markFinishing();
    link.flushSoon();
    await vi.waitFor(() => expect(child.sent.at(-1)).toEqual({ kind: 'finish', utterance: 2 }));
    expect(child.sent).toEqual([
      { kind: 'open', utterance: 1, firstSample: 0, vocabularies: [] },
      { kind: 'open', utterance: 2, firstSample: 100, vocabularies: [] },
      {
        kind: 'audio',
        pieces: [
          { utterance: 1, pcm: Int16Array.of(1) },
          { utterance: 2, pcm: Int16Array.of(2) },
        ],
      },
      { kind: 'finish', utterance: 2 },
    ]);
  });

  it('counts the wait for a final from when the end was told, however long the last audio is ago', async () => {
    const { child, link } = setUp();
    const utterance = utteranceOf(1);
    link.assign(utterance);
    utterance.markFinishing();
    link.flushSoon();
    await vi.waitFor(() => expect(child.sent.at(-1)).toEqual({ kind: 'finish', utterance: 1 }));
    expect(utterance.awaitsChild).toBe(true);
    expect(utterance.lastProgressAtMs).toBeGreaterThan(0);
  });

  it('takes one suspect at a time, and none at all while the child is not ready', () => {
    const { child, link } = setUp();
    const suspects = [utteranceOf(1), utteranceOf(2)];
    for (const suspect of suspects) {
      suspect.append(Int16Array.of(1));
      for (let crash = 0; crash < 2; crash++) {
        suspect.takeUnsentAudio();
        suspect.rewind(0);
      }
      expect(suspect.isSuspect).toBe(true);
    }
    expect(suspects.map((suspect) => link.canTake(suspect))).toEqual([true, true]);
    link.assign(suspects[0]!);
    expect([link.canTake(suspects[1]!), link.canTake(utteranceOf(3))]).toEqual([false, true]);
    child.state = 'starting';
    expect(link.canTake(utteranceOf(3))).toBe(false);
    link.takeAll();
  });

  it('sends nothing more when its child is gone, and gives all utterances back', async () => {
    const { child, link } = setUp();
    const [lost, other] = [utteranceOf(1), utteranceOf(2)];
    link.assign(lost);
    lost.append(Int16Array.of(1));
    expect(link.takeAll()).toEqual([lost]);
    link.assign(other);
    other.markFinishing();
    link.flushSoon();
    await vi.waitFor(() => expect(child.sent.at(-1)).toEqual({ kind: 'finish', utterance: 2 }));
    expect(child.sent.some(({ kind }) => kind === 'audio')).toBe(false);
    expect(link.utterances.size).toBe(1);
  });

  it('asks for the state of an utterance once it is long, and not of one that is short or at its end', () => {
    const { child, link } = setUp();
    link.savesStreams = true;
    const [short, long, ending] = [utteranceOf(1), utteranceOf(2), utteranceOf(3)];
    const decoded = (utterance: Utterance, throughMs: number): void =>
      utterance.decoded(
        {
          utterance: utterance.id,
          appended: [],
          provisional: [],
          decodedThroughSample: msToSamples(throughMs),
          isFinal: false,
        },
        0,
      );
    for (const utterance of [short, long, ending]) link.assign(utterance);
    for (const utterance of [short, long]) decoded(utterance, 5900);
    link.saveOne(1000);
    expect(child.sent.filter(({ kind }) => kind === 'save')).toEqual([]);
    decoded(long, 6100);
    decoded(ending, 9000);
    ending.markFinishing();
    link.saveOne(2000);
    link.saveOne(3000);
    expect(child.sent.filter(({ kind }) => kind === 'save')).toEqual([
      { kind: 'save', utterance: 2, isLeaving: false },
    ]);
    link.takeAll();
  });

  it('tells the child about a cancelled utterance only when it has it', () => {
    const { child, link } = setUp();
    const utterance = utteranceOf(1);
    link.cancel(utterance);
    expect(child.sent).toEqual([]);
    link.assign(utterance);
    link.cancel(utterance);
    expect(child.sent.at(-1)).toEqual({ kind: 'cancel', utterance: 1 });
    link.takeAll();
  });
});
