/** How numbers and moments are written in a report. */
import type { Stage } from '../../latency/word-latency.js';

/** `602 ms`, `1.24 s`, `12.4 s`; a dash for what there is none of. */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1000) return `${ms > 0 && ms < 10 ? (Math.round(ms * 10) / 10).toString() : Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(ms < 10_000 ? 2 : 1))} s`;
  return `${(ms / 60_000).toFixed(1)} min`;
}

export function percent(share: number | null): string {
  if (share === null) return '–';
  const value = share * 100;
  // 99.996 % is not all of them, and 0.004 % is not none.
  if (value > 99.99 && value < 100) return '> 99.99 %';
  if (value > 0 && value < 0.01) return '< 0.01 %';
  return `${Number(value.toFixed(value < 1 || value > 99 ? 2 : 1))} %`;
}

export const amount = (value: number): string => value.toLocaleString('en-GB');

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${amount(count)} ${count === 1 ? one : many}`;

/** Moments as the gateway's time zone has them. */
export class Clock {
  readonly timeZone: string;
  readonly #day: Intl.DateTimeFormat;
  readonly #time: Intl.DateTimeFormat;
  readonly #dayKey: Intl.DateTimeFormat;

  constructor(timeZone: string) {
    this.timeZone = timeZone;
    const zoned = { timeZone } as const;
    this.#day = new Intl.DateTimeFormat('en-GB', {
      ...zoned,
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      year: 'numeric',
    });
    this.#dayKey = new Intl.DateTimeFormat('en-GB', { ...zoned, day: 'numeric', month: 'short' });
    this.#time = new Intl.DateTimeFormat('en-GB', { ...zoned, hour: '2-digit', minute: '2-digit' });
  }

  day(ms: number): string {
    return this.#day.format(ms);
  }

  time(ms: number): string {
    return this.#time.format(ms);
  }

  /** The day with the time where `fromMs` and `toMs` are on different days. */
  moment(ms: number, window: { fromMs: number; toMs: number }): string {
    const isOneDay = this.day(window.fromMs) === this.day(window.toMs - 1);
    return isOneDay ? this.time(ms) : `${this.#dayKey.format(ms)} ${this.time(ms)}`;
  }

  /** For an axis: the time, or the day at midnight. */
  tick(ms: number): string {
    const time = this.time(ms);
    return time === '00:00' ? this.#dayKey.format(ms) : time;
  }

  span(fromMs: number, toMs: number): string {
    const first = `${this.day(fromMs)}, ${this.time(fromMs)}`;
    const isOneDay = this.day(fromMs) === this.day(toMs - 1);
    return isOneDay ? `${first} – ${this.time(toMs)}` : `${first} – ${this.day(toMs)}, ${this.time(toMs)}`;
  }
}

export const STAGE_MEANINGS: Readonly<Record<Stage, string>> = {
  arrival: 'to its audio in the gateway: framing, network jitter',
  gate: 'past the voice gate, to the recogniser',
  lookahead: 'to the audio that the model wants to hear after the word',
  queue: 'for a turn in the recogniser’s process, messages, restarts',
  decode: 'in the decoding call itself',
  segment: 'for formatting',
  publish: 'to every viewer’s connection',
  delivery: 'to a viewer’s screen and back, where one reports',
};
