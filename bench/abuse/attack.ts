/** What an attack is, what it is given, and what it counts. */
import type { SpeakerGrant } from './access-token.js';

/** Where an attack runs: against a gateway alone, or in a room of a real LiveKit server that the gateway captions. */
export type AttackVenue = 'gateway' | 'livekit';

/** What the attacking process is given; plain data. */
export interface AttackTarget {
  /** Of the gateway, `http://127.0.0.1:…`. */
  readonly url: string;
  readonly pid: number;
  /** The built program that is attacked. */
  readonly program: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** How long a flood lasts. */
  readonly seconds: number;
  /** Of random input: the same seed sends the same. */
  readonly seed: number;
  /** Speech, mono, 16 kHz. */
  readonly speechFile: string;
  readonly liveKit?:
    { readonly url: string; readonly httpUrl: string; readonly agentName: string } | undefined;
}

/** What was sent, what was answered, and what should not have been possible. */
export interface AttackOutcome {
  readonly messages: number;
  readonly bytes: number;
  readonly connections: number;
  /** How often which answer came: `http 404`, `close 4401`, `error forbidden`. */
  readonly answers: Readonly<Record<string, number>>;
  /** Each is a failed verdict. */
  readonly breaches: readonly string[];
  readonly remarks: readonly string[];
}

export interface AttackContext {
  readonly target: AttackTarget;
  readonly tally: AttackTally;
  /** Aborted when the flood has lasted long enough. */
  readonly flood: AbortSignal;
  token(grant: SpeakerGrant): Promise<string>;
}

export interface Attack {
  /** As in the list of faults: `F1`. */
  readonly name: string;
  readonly title: string;
  readonly venue: AttackVenue;
  /** Settings of the gateway besides its keys. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Before anything is measured. */
  readonly prepare?: (context: AttackContext) => Promise<void>;
  readonly run: (context: AttackContext) => Promise<void>;
  /** Lines that the gateway may log while it lasts; unbounded where nothing is said. */
  readonly mostLogLines?: number;
}

/** Counts what an attack does. */
export class AttackTally {
  #messages = 0;
  #bytes = 0;
  #connections = 0;
  readonly #answers = new Map<string, number>();
  readonly #breaches = new Set<string>();
  readonly #remarks = new Set<string>();

  /** What was counted while preparing is no part of the attack; remarks stay. */
  startAnew(): void {
    this.#messages = 0;
    this.#bytes = 0;
    this.#connections = 0;
    this.#answers.clear();
  }

  sent(bytes: number, messages = 1): void {
    this.#messages += messages;
    this.#bytes += bytes;
  }

  connected(): void {
    this.#connections += 1;
  }

  answered(what: string, times = 1): void {
    this.#answers.set(what, this.countOf(what) + times);
  }

  countOf(what: string): number {
    return this.#answers.get(what) ?? 0;
  }

  /** Something that should not have been possible. */
  breach(what: string): void {
    this.#breaches.add(what);
  }

  remark(what: string): void {
    this.#remarks.add(what);
  }

  outcome(): AttackOutcome {
    return {
      messages: this.#messages,
      bytes: this.#bytes,
      connections: this.#connections,
      answers: Object.fromEntries([...this.#answers].toSorted(([, a], [, b]) => b - a)),
      breaches: [...this.#breaches],
      remarks: [...this.#remarks],
    };
  }
}
