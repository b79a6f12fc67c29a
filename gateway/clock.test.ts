import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EpochClock } from './clock.js';

const START_MS = 1_700_000_000_000;

/** A machine whose clock can be set. */
class Machine {
  monotonicMs = 5000;
  #setByMs = 0;

  readonly source = {
    machineMs: () => Math.floor(START_MS + this.monotonicMs + this.#setByMs),
    monotonicMs: () => this.monotonicMs,
  };

  get machineMs(): number {
    return this.source.machineMs();
  }

  set(byMs: number): void {
    this.#setByMs += byMs;
  }
}

describe('EpochClock', () => {
  it('says what the machine says, also to fractions of a millisecond', () => {
    const machine = new Machine();
    const clock = new EpochClock(machine.source);
    machine.monotonicMs += 1234.5;
    expect(clock.now()).toBe(START_MS + 6234.5);
  });

  it('follows at once when the machine’s clock is set forwards', () => {
    const machine = new Machine();
    const clock = new EpochClock(machine.source);
    machine.set(3_600_000);
    expect(clock.now()).toBe(machine.machineMs);
  });

  it('runs slower, never backwards, until a clock that was set back has caught up', () => {
    const machine = new Machine();
    const clock = new EpochClock(machine.source);
    machine.set(-2000);
    let before = clock.now();
    for (let step = 0; step < 300; step++) {
      machine.monotonicMs += 100;
      const now = clock.now();
      expect(now - before).toBeGreaterThanOrEqual(85);
      expect(now - before).toBeLessThanOrEqual(101);
      before = now;
    }
    expect(Math.abs(clock.now() - machine.machineMs)).toBeLessThanOrEqual(51);
  });

  it('is right from its beginning when it begins after the machine’s clock was set back, and when it is begun anew', () => {
    const machine = new Machine();
    const clock = new EpochClock(machine.source);
    machine.set(-3_600_000);
    expect(new EpochClock(machine.source).now()).toBe(machine.machineMs);
    expect(clock.now()).toBe(machine.machineMs + 3_600_000);
    clock.restart();
    expect(clock.now()).toBe(machine.machineMs);
  });

  it('never runs backwards, is never behind, and comes to agree, whatever happens to the machine’s clock', () => {
    const steps = fc.array(
      fc.record({ passMs: fc.nat({ max: 5000 }), setByMs: fc.integer({ min: -10_000, max: 10_000 }) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(steps, (changes) => {
        const machine = new Machine();
        const clock = new EpochClock(machine.source);
        let before = clock.now();
        const check = (): void => {
          const now = clock.now();
          expect(now).toBeGreaterThanOrEqual(before);
          expect(now).toBeGreaterThanOrEqual(machine.machineMs - 51);
          before = now;
        };
        for (const { passMs, setByMs } of changes) {
          machine.set(setByMs);
          check();
          machine.monotonicMs += passMs;
          check();
        }
        machine.monotonicMs += 10_000_000;
        check();
        expect(Math.abs(clock.now() - machine.machineMs)).toBeLessThanOrEqual(51);
      }),
    );
  });

  it('converts moments of the monotonic clock both ways', () => {
    const machine = new Machine();
    const clock = new EpochClock(machine.source);
    machine.set(60_000);
    machine.monotonicMs += 1000;
    expect(clock.fromMonotonic(machine.monotonicMs - 300)).toBe(machine.machineMs - 300);
    expect(clock.toMonotonic(machine.machineMs - 300)).toBe(machine.monotonicMs - 300);
  });
});
