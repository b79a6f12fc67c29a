import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { memoryPerFurtherSpeakerMb, UsageSampler } from './usage-sampler.js';

describe('sampling what a gateway uses', () => {
  it('keeps the highest memory and the CPU since the start', () => {
    const usages = [
      { cpuSeconds: 10, memoryMb: 500, privateMb: 0 },
      { cpuSeconds: 11, memoryMb: 300, privateMb: 0 },
      { cpuSeconds: 11, memoryMb: 200, privateMb: 0 },
    ];
    const sampler = new UsageSampler({ usage: () => usages.shift()! });
    expect([sampler.cpuCores, sampler.peakMb]).toEqual([null, null]);
    sampler.start();
    sampler.stop();
    const { cpuCores } = sampler;
    expect(cpuCores).toBeGreaterThan(0);
    sampler.stop();
    expect(sampler.cpuCores).toBe(cpuCores);
    // What was used before the start is not part of it.
    expect(sampler.peakMb).toBe(300);
  });

  it('counts work that is done after everybody has spoken, but not the time it takes', () => {
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    // Two cores all the time: ten seconds of speech, five more to catch up.
    const sampler = new UsageSampler({
      usage: () => ({ cpuSeconds: performance.now() / 500, memoryMb: 1, privateMb: 0 }),
    });
    sampler.start();
    vi.advanceTimersByTime(10_000);
    sampler.speechEnded();
    vi.advanceTimersByTime(5000);
    sampler.stop();
    expect(sampler.cpuCores).toBeCloseTo(3);
  });

  it('measures nothing when it was never started', () => {
    const sampler = new UsageSampler({ usage: () => ({ cpuSeconds: 1, memoryMb: 1, privateMb: 0 }) });
    sampler.stop();
    expect(sampler.peakMb).toBeNull();
  });

  it('spreads what was added over the further speakers', () => {
    expect(memoryPerFurtherSpeakerMb({ fewerMb: 100, moreMb: 118, further: 9 })).toBe(2);
    expect(memoryPerFurtherSpeakerMb({ fewerMb: 100, moreMb: 90, further: 9 })).toBe(0);
    expect(memoryPerFurtherSpeakerMb({ fewerMb: null, moreMb: 118, further: 1 })).toBeNull();
  });
});
