/** Somebody whom LiveKit does not name writes as the gateway does, far more often; the viewer is one of the gateway's own. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CaptionFollower } from './caption-follower.js';
import type { CaptionKey } from './caption-key.js';
import {
  applyMessage,
  type CaptionMessage,
  encodeMessage,
  epochMs,
  participantIdentity,
  roomName,
  segmentId,
  segmentsOf,
  snapshotMessages,
  startEpoch,
} from './index.js';
import { MessageVerifier } from './message-verifier.js';
import { appendSignature, splitSignature } from './signature.js';

const room = roomName('council');
const GATEWAY = new Uint8Array(64).fill(1);
const MALLORY = new Uint8Array(64).fill(2);
const STEP_MS = 10;
const MIN_SNAPSHOT_INTERVAL_MS = 250;

/** What LiveKit delivers is what was sent: a gateway that says something twice a second, and answers. */
class FloodedMeeting {
  checks = 0;
  nowMs = 0;
  readonly said: string[] = [];
  readonly #epoch = epochMs(Date.now());
  #truth = startEpoch(room, this.#epoch);
  #lastFinal = new Uint8Array();
  #asked = false;
  #answeredAtMs = -Infinity;
  readonly follower = new CaptionFollower({
    room,
    changed: () => undefined,
    ask: () => (this.#asked = true),
  });
  readonly verifier = new MessageVerifier({
    isNews: (bytes) => this.follower.isNews(bytes),
    accept: (bytes) => this.follower.receive(bytes),
    refuse: () => undefined,
    dropped: () => this.follower.ask(),
  });

  constructor() {
    const key: Pick<CaptionKey, 'signedMessage'> = {
      signedMessage: (bytes) => {
        this.checks += 1;
        return Promise.resolve(splitSignature(bytes)?.signature[0] === GATEWAY[0]);
      },
    };
    this.verifier.keys = [key as CaptionKey];
    this.follower.ask();
  }

  get shown(): string[] {
    return segmentsOf(this.follower.state).map(({ words }) => words.map(({ text }) => text).join(' '));
  }

  final(text: string, seq: number): CaptionMessage {
    return {
      kind: 'delta',
      room,
      epochMs: this.#epoch,
      seq,
      speaker: { identity: participantIdentity('ana'), name: 'Ana' },
      segment: segmentId(`s${seq}`),
      revision: 1,
      keep: 0,
      words: [{ text, startMs: this.#epoch, endMs: this.#epoch }],
      stable: 1,
      isFinal: true,
      language: 'en',
    };
  }

  /** `flood`: what comes in each step before what the gateway says. */
  async run(
    durationMs: number,
    flood: (nextSeq: number, lastFinal: Uint8Array) => readonly Uint8Array[],
  ): Promise<void> {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs; this.nowMs += STEP_MS) {
      for (const bytes of flood(this.#truth.seq + 1, this.#lastFinal)) this.verifier.receive(bytes);
      if (this.nowMs % 500 === 0) this.#say(`Sentence ${this.said.length}.`);
      if (this.#asked && this.nowMs - this.#answeredAtMs >= MIN_SNAPSHOT_INTERVAL_MS) this.#answer();
      await vi.advanceTimersByTimeAsync(STEP_MS);
    }
  }

  close(): void {
    this.verifier.close();
    this.follower.close('over');
  }

  #say(text: string): void {
    const message = this.final(text, this.#truth.seq + 1);
    this.said.push(text);
    this.#truth = applyMessage(this.#truth, message);
    this.#lastFinal = appendSignature(encodeMessage(message), GATEWAY);
    this.verifier.receive(this.#lastFinal);
  }

  #answer(): void {
    this.#asked = false;
    this.#answeredAtMs = this.nowMs;
    for (const message of snapshotMessages(this.#truth))
      this.verifier.receive(appendSignature(encodeMessage(message), GATEWAY));
  }
}

describe('a viewer in a flood', () => {
  let meeting: FloodedMeeting;

  beforeEach(() => {
    vi.useFakeTimers();
    meeting = new FloodedMeeting();
  });
  afterEach(() => {
    meeting.close();
    vi.useRealTimers();
  });

  const forged = (seq: number): Uint8Array =>
    appendSignature(encodeMessage(meeting.final('I accept the bribe.', seq)), MALLORY);
  const many = (count: number, bytes: Uint8Array): readonly Uint8Array[] =>
    Array.from({ length: count }, () => bytes);

  it.each([
    ['unsigned messages', () => many(50, encodeMessage(meeting.final('I accept the bribe.', 7)))],
    ['messages of the gateway that are sent again', (_next: number, last: Uint8Array) => many(50, last)],
    ['forged ones that would be old', () => many(50, forged(1))],
  ])('of %s shows what is said, at once, and does next to no work', async (_title, flood) => {
    await meeting.run(1000, () => []);
    for (let second = 0; second < 10; second += 1) {
      await meeting.run(1000, flood);
      expect(meeting.shown).toEqual(meeting.said);
    }
    expect(meeting.checks).toBeLessThan(3 * meeting.said.length);
  });

  it('of forged messages that would be next shows what is said, at once, up to a thousand a second', async () => {
    await meeting.run(1000, () => []);
    for (let second = 0; second < 5; second += 1) {
      await meeting.run(1000, (next) => many(9, forged(next)));
      expect(meeting.shown).toEqual(meeting.said);
    }
  });

  it('of more than it checks goes on showing what is said, does bounded work, and misses nothing in the end', async () => {
    await meeting.run(1000, () => []);
    const before = meeting.shown.length;
    const [checksBefore, floodS] = [meeting.checks, 20];
    await meeting.run(floodS * 1000, (next) => many(20, forged(next)));
    expect(meeting.checks - checksBefore).toBeLessThanOrEqual(1000 + floodS * 1000);
    // Half of what comes is checked: that neither a snapshot nor two sentences in a row came through is as good as impossible.
    expect(meeting.shown.length).toBeGreaterThan(before);
    await meeting.run(3000, () => []);
    expect(meeting.shown).toEqual(meeting.said);
  });
});
