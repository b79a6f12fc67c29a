/**
 * `bench faults`: things break on a schedule while people talk; how soon captions go on, and what is missing in the end. The same
 * speech is played before without disturbance: what the same pipeline gives then is the reference.
 */
import { type Summary, summarise } from '../asr/index.js';
import { connectCaptions } from '../gateway/index.js';
import { CaptionError, roomName } from '../protocol/index.js';
import { scheduleClips } from './clip-schedule.js';
import { GatewayProcess } from './gateway-process.js';
import { ingestVenue } from './ingest-venue.js';
import { loadClips } from './load-clips.js';
import { fateOfWords, sumOfFates, type ToldGap } from './lost-words.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { parseNameList } from './name-list.js';
import { identityOf, playSpeakers } from './play-speakers.js';
import { busiestRecogniser } from './busiest-recogniser.js';
import type { Sample } from './samples.js';
import { ShakyNetwork } from './shaky-network.js';

/** Everything is healthy and busy again long before the next fault. */
const FAULT_INTERVAL_MS = 5000;
const STALL_MS = 2000;
const ROOMS = 'faults';

/**
 * - `kill`: `kill -9` of the recogniser process that has most to do.
 * - `stall`: nothing that speakers send arrives for two seconds, then all of it at once.
 * - `cut`: the connections of all speakers break, and have to be made again and resumed.
 */
export type Fault = 'kill' | 'stall' | 'cut';
export const FAULTS: readonly Fault[] = ['kill', 'stall', 'cut'];

export interface FaultsOptions {
  readonly manifest: string;
  readonly speakers: number;
  readonly seconds: number;
  /** In turns, one every five seconds. */
  readonly faults: readonly Fault[];
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

export interface FaultsResult {
  readonly faults: readonly {
    readonly fault: Fault;
    readonly count: number;
    /**
     * `kill`: to the first caption after viewers were told that recognition restarts. `stall`, `cut`: from the stall's end, or the cut,
     * to the next caption.
     */
    readonly recoveryMs: Summary;
    /** After which captions had not come back when the next fault was due. */
    readonly notRecovered: number;
    /** Of which viewers were told nothing, because nothing had to be caught up. */
    readonly unnoticed: number;
  }[];
  /** Against the undisturbed run, over all faults: words that are missing without a gap told where they were. */
  readonly silentlyLostWords: number;
  /** Words that are missing where viewers were told of a gap. */
  readonly wordsInToldGaps: number;
  readonly duplicatedWords: number;
  readonly changedWords: number;
  readonly words: number;
  /** Speech of which viewers were told that it was not captioned, in the disturbed run. */
  readonly toldGapsMs: number;
  readonly model: string;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

/** Throws what `loadClips`, starting a gateway and connecting throw, and CaptionError `usage_faults`. */
export async function runFaultsBench(
  options: FaultsOptions,
): Promise<{ result: FaultsResult; samples: Sample[] }> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const clips = await loadClips(options.manifest);
  const schedules = Array.from({ length: options.speakers }, (_, index) =>
    scheduleClips(clips, { first: index % clips.length, seconds: options.seconds }),
  );
  const failures: string[] = [];
  const gateway = await GatewayProcess.start();
  let network: ShakyNetwork | undefined;
  try {
    network = await ShakyNetwork.before(gateway.url);
    const run = {
      venue: ingestVenue(gateway.url, { speakersUrl: network.url }),
      schedules,
      failed: (reason: string) => failures.push(reason),
      signal: options.signal,
    };
    options.output.write('undisturbed\n');
    const undisturbed = await playSpeakers({ ...run, rooms: 'calm' });
    options.output.write(`with ${options.faults.join(', ')}\n`);
    const breaker = new Breaker(gateway, network, options.faults);
    const gaps: (ToldGap & { readonly identity: string })[] = [];
    const disturbed = await playSpeakers({
      ...run,
      rooms: ROOMS,
      observe: (_, message) => {
        if (message.kind !== 'gap') return;
        gaps.push({ identity: message.speaker.identity, startMs: message.startMs, endMs: message.endMs });
      },
    }).finally(() => breaker.close());
    const recovered = breaker.result();
    const fate = sumOfFates(
      undisturbed.map((run, index) =>
        fateOfWords(
          run,
          disturbed[index] ?? { tracking: { words: [] }, startAtMs: run.startAtMs },
          gaps.filter(({ identity }) => identity === identityOf(index)),
        ),
      ),
    );
    const result: FaultsResult = {
      faults: recovered.map(({ fault, count, recoveriesMs, unnoticed }) => ({
        fault,
        count,
        recoveryMs: summarise(recoveriesMs),
        notRecovered: count - recoveriesMs.length - unnoticed,
        unnoticed,
      })),
      silentlyLostWords: fate.lostSilently,
      wordsInToldGaps: fate.lostInToldGaps,
      duplicatedWords: fate.duplicated,
      changedWords: fate.changed,
      words: fate.words,
      toldGapsMs: Math.round(gaps.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)),
      model: gateway.model,
      failures,
      machine,
    };
    const samples = recovered.flatMap(({ fault, recoveriesMs }) =>
      recoveriesMs.map((value, index) => ({
        metric: 'recoveryMs',
        value,
        cluster: `${fault} ${index + 1}`,
        arm: fault,
      })),
    );
    return { result, samples };
  } finally {
    await network?.close();
    await gateway.close();
  }
}

/** From `kill,stall`. Throws CaptionError `usage_faults`. */
export const parseFaults = (text: string): Fault[] =>
  parseNameList(text, {
    known: FAULTS,
    option: '--faults',
    refusal: (message) => new CaptionError('usage_faults', message),
  });

interface FaultRecord {
  readonly fault: Fault;
  count: number;
  unnoticed: number;
  readonly recoveriesMs: number[];
}

/** Breaks things at an interval, and watches a room for the captions that follow. */
class Breaker {
  readonly #gateway: GatewayProcess;
  readonly #network: ShakyNetwork;
  readonly #viewer: ReturnType<typeof connectCaptions>;
  readonly #timer: NodeJS.Timeout;
  readonly #records: readonly FaultRecord[];
  #next = 0;
  /** The last fault until captions are back; they count once `isOver`. */
  #open: { readonly record: FaultRecord; countsFromMs: number; isOver: boolean } | undefined;
  #stallTimer: NodeJS.Timeout | undefined;
  #endStall: () => void = () => undefined;
  #isClosed = false;

  constructor(gateway: GatewayProcess, network: ShakyNetwork, faults: readonly Fault[]) {
    this.#gateway = gateway;
    this.#network = network;
    this.#records = faults.map((fault) => ({
      fault,
      count: 0,
      unnoticed: 0,
      recoveriesMs: [],
    }));
    this.#viewer = connectCaptions({
      url: gateway.url,
      room: roomName(`${ROOMS}-1`),
      changed: (_, message) => {
        if (message.kind === 'delta') this.#captioned();
        // Viewers are told of a recogniser that is gone: what comes before that is from before.
        if (message.kind === 'status' && message.state !== 'live' && this.#open?.record.fault === 'kill')
          this.#open.isOver = true;
      },
    });
    this.#timer = setInterval(() => void this.#break(), FAULT_INTERVAL_MS);
  }

  result(): readonly FaultRecord[] {
    return this.#records;
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#stallTimer);
    this.#endStall();
    this.#viewer.close();
    this.#settleLast();
  }

  async #break(): Promise<void> {
    const record = this.#records[this.#next % this.#records.length];
    if (record === undefined) return;
    const child = record.fault === 'kill' ? await busiestRecogniser(this.#gateway.pid) : undefined;
    if (this.#isClosed || (record.fault === 'kill' && child === undefined)) return;
    this.#settleLast();
    this.#next += 1;
    record.count += 1;
    const open = { record, countsFromMs: performance.now(), isOver: record.fault === 'cut' };
    this.#open = open;
    switch (record.fault) {
      case 'kill':
        if (child !== undefined) process.kill(child, 'SIGKILL');
        return;
      case 'cut':
        this.#network.cut();
        return;
      case 'stall':
        this.#endStall = this.#network.stall();
        this.#stallTimer = setTimeout(() => {
          this.#endStall();
          open.countsFromMs = performance.now();
          open.isOver = true;
        }, STALL_MS);
    }
  }

  /** A kill that nobody was told of interrupted nothing. */
  #settleLast(): void {
    const last = this.#open;
    if (last?.record.fault === 'kill' && !last.isOver) last.record.unnoticed += 1;
    this.#open = undefined;
  }

  #captioned(): void {
    if (this.#open?.isOver !== true) return;
    this.#open.record.recoveriesMs.push(Math.round(performance.now() - this.#open.countsFromMs));
    this.#open = undefined;
  }
}
