/**
 * `bench crash`: recogniser children are killed while people talk; how soon captions go on, and what is missing in the end.
 * The same speech is played before without disturbance: what the same pipeline gives then is the reference.
 */
import {
  compareTranscripts,
  normaliseWords,
  sumOfDifferences,
  type Summary,
  summarise,
} from '../asr/index.js';
import { connectCaptions } from '../gateway/index.js';
import { roomName } from '../protocol/index.js';
import { scheduleClips } from './clip-schedule.js';
import { GatewayProcess } from './gateway-process.js';
import { ingestVenue } from './ingest-venue.js';
import { loadClips } from './load-clips.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { playSpeakers, type SpeakerRun } from './play-speakers.js';
import { descendantsOf } from './process-usage.js';

/** A new child is healthy and busy again long before the next one is killed. */
const KILL_INTERVAL_MS = 5000;
const ROOMS = 'crash';

export interface CrashOptions {
  readonly manifest: string;
  readonly speakers: number;
  readonly seconds: number;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

export interface CrashResult {
  readonly kills: number;
  /** From `kill -9` to the first caption after viewers were told. */
  readonly recoveryMs: Summary;
  readonly lostWords: number;
  readonly duplicatedWords: number;
  readonly changedWords: number;
  readonly words: number;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

export async function runCrashBench(options: CrashOptions): Promise<CrashResult> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const clips = await loadClips(options.manifest);
  const schedules = Array.from({ length: options.speakers }, (_, index) =>
    scheduleClips(clips, { first: index % clips.length, seconds: options.seconds }),
  );
  const failures: string[] = [];
  const gateway = await GatewayProcess.start();
  try {
    const run = {
      venue: ingestVenue(gateway.url),
      schedules,
      failed: (reason: string) => failures.push(reason),
      signal: options.signal,
    };
    options.output.write('undisturbed\n');
    const undisturbed = await playSpeakers({ ...run, rooms: 'calm' });
    options.output.write('with kills\n');
    const killer = new Killer(gateway);
    const disturbed = await playSpeakers({ ...run, rooms: ROOMS }).finally(() => killer.close());
    return { ...killer.result(), ...compareRuns(undisturbed, disturbed), failures, machine };
  } finally {
    await gateway.close();
  }
}

/** Kills children at an interval, and watches a room for the captions that follow. */
class Killer {
  readonly #viewer: ReturnType<typeof connectCaptions>;
  readonly #timer: NodeJS.Timeout;
  readonly #recoveriesMs: number[] = [];
  #kills = 0;
  #killedAtMs: number | undefined;
  #isTold = false;

  constructor(gateway: GatewayProcess) {
    this.#viewer = connectCaptions({
      url: gateway.url,
      room: roomName(`${ROOMS}-1`),
      changed: (_, message) => {
        if (message.kind === 'status') this.#isTold ||= message.state !== 'live';
        if (message.kind === 'delta' && this.#isTold) this.#recovered();
      },
    });
    this.#timer = setInterval(() => this.#kill(gateway.pid), KILL_INTERVAL_MS);
  }

  result(): Pick<CrashResult, 'kills' | 'recoveryMs'> {
    return { kills: this.#kills, recoveryMs: summarise(this.#recoveriesMs) };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#viewer.close();
  }

  #kill(gatewayPid: number): void {
    const [child] = descendantsOf(gatewayPid);
    // Captions have not come back since the last time; that shows in the count.
    if (child === undefined || this.#killedAtMs !== undefined) return;
    this.#killedAtMs = performance.now();
    this.#isTold = false;
    this.#kills += 1;
    process.kill(child, 'SIGKILL');
  }

  #recovered(): void {
    if (this.#killedAtMs === undefined) return;
    this.#recoveriesMs.push(Math.round(performance.now() - this.#killedAtMs));
    this.#killedAtMs = undefined;
  }
}

function compareRuns(
  undisturbed: readonly SpeakerRun[],
  disturbed: readonly SpeakerRun[],
): Pick<CrashResult, 'lostWords' | 'duplicatedWords' | 'changedWords' | 'words'> {
  const differences = undisturbed.map((run, index) =>
    compareTranscripts(wordsOf(run), wordsOf(disturbed[index])),
  );
  const words = undisturbed.reduce((sum, run) => sum + wordsOf(run).length, 0);
  return { ...sumOfDifferences(differences), words };
}

const wordsOf = (run: SpeakerRun | undefined): string[] =>
  normaliseWords((run?.tracking.words ?? []).map(({ text }) => text).join(' '));
