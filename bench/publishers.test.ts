import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { PublishingParticipant } from '../gateway/livekit/index.js';
import { participantIdentity } from '../protocol/index.js';
import { Publishers } from './publishers.js';

/** Takes audio when it is told to, and has dropped so much. */
function microphone(droppedSamples: number): { participant: PublishingParticipant; take: () => void } {
  const waiting: (() => void)[] = [];
  const nothing = (): Promise<void> => Promise.resolve();
  const participant: PublishingParticipant = {
    identity: participantIdentity('claire'),
    trackSid: undefined,
    droppedSamples,
    left: new Promise(() => undefined),
    write: () => new Promise((resolve) => waiting.push(resolve)),
    mute: () => undefined,
    unmute: () => undefined,
    unpublish: nothing,
    publish: nothing,
    abandon: () => undefined,
    leave: nothing,
  };
  return {
    participant,
    take: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

it.each([
  { waitedMs: 100, fault: null },
  { waitedMs: 400, fault: 'sent audio up to 400 ms late' },
])('tells audio that waited too long, by the longest wait: $waitedMs ms', async ({ waitedMs, fault }) => {
  const { participant, take } = microphone(0);
  const publishers = new Publishers([participant]);
  for (const waitMs of [waitedMs, 10]) {
    publishers.send(0, new Int16Array(640));
    vi.advanceTimersByTime(waitMs);
    take();
    await Promise.resolve();
  }
  expect(publishers.sendFault(0)).toBe(fault);
});

it('tells audio that was dropped', () => {
  const publishers = new Publishers([microphone(0).participant, microphone(6400).participant]);
  expect(publishers.sendFault(0)).toBeNull();
  expect(publishers.sendFault(1)).toBe('dropped 400 ms of audio');
});
