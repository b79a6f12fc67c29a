/**
 * `bench abuse`: known attacks and hostile input, each against a gateway of its own in a process of its own, while one honest person
 * talks and another reads along. Definitions: README of the folder above.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { builtModule } from '../../asr/index.js';
import { disposeSdk } from '../../gateway/livekit/index.js';
import { ForeignLoad } from '../foreign-load.js';
import { GatewayProcess } from '../gateway-process.js';
import { loadClips } from '../load-clips.js';
import { describeMachine, type Machine, warnIfBusy } from '../machine.js';
import { parseNameList } from '../name-list.js';
import { BENCH_AGENT_NAME, BENCH_KEY, liveKitSettings, startBenchLiveKit, untilReady } from '../stage.js';
import { type AttackObservation, failuresOf, memoryLimitMb } from './abuse-verdict.js';
import type { Attack, AttackOutcome, AttackTarget, AttackVenue } from './attack.js';
import { AttackerProcess } from './attacker-process.js';
import { ATTACKS, attackNamed } from './attacks.js';
import { GatewayWatch } from './gateway-watch.js';
import { talkThroughLaps } from './honest-people.js';

/** A lap is a little longer than the flood in it. */
const FURTHER_LAP_SECONDS = 2;
/** Memory is given so long to come back. */
const MEMORY_DEADLINE_MS = 30_000;

export interface AbuseOptions {
  readonly manifest: string;
  readonly attacks: readonly string[];
  /** Of each flood. */
  readonly seconds: number;
  readonly seed: number;
  /** Another build's `main.js`; default this one's. */
  readonly program?: string | undefined;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

export interface AttackResult extends AttackObservation {
  readonly attack: string;
  readonly title: string;
  /** Empty when the gateway withstood it. */
  readonly failures: readonly string[];
  /** What other programs took of the processors meanwhile, in cores. */
  readonly othersCores: number | null;
}

export interface AbuseResult {
  readonly results: readonly AttackResult[];
  /** Attacks that could not be carried out, and why: neither passed nor failed. */
  readonly notTried: readonly string[];
  readonly seconds: number;
  readonly seed: number;
  readonly machine: Machine;
}

/** Throws what `loadClips` throws. What cannot be tried is named in `notTried`. */
export async function runAbuseBench(options: AbuseOptions): Promise<AbuseResult> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const results: AttackResult[] = [];
  const notTried: string[] = [];
  const attacks = options.attacks.map(attackNamed);
  for (const venue of ['gateway', 'livekit'] as const) {
    const there = attacks.filter((attack) => attack.venue === venue);
    if (there.length === 0) continue;
    const server = await serverFor(venue, options).catch((error: unknown) => {
      notTried.push(...there.map(({ name }) => `${name}: ${errorMessage(error).split('\n')[0] ?? ''}`));
      return undefined;
    });
    if (server === undefined) continue;
    try {
      for (const attack of there) {
        options.signal.throwIfAborted();
        options.output.write(`${attack.name}: ${attack.title}\n`);
        try {
          const result = await carryOut(attack, server, options);
          results.push(result);
          options.output.write(`  ${result.failures.join('; ') || 'withstood'}\n`);
        } catch (error) {
          options.signal.throwIfAborted();
          const reason = errorMessage(error).split('\n')[0] ?? '';
          notTried.push(`${attack.name}: ${reason}`);
          options.output.write(`  not tried: ${reason}\n`);
        }
      }
    } finally {
      await server.stop();
    }
  }
  await disposeSdk();
  return { results, notTried, seconds: options.seconds, seed: options.seed, machine };
}

interface Server {
  readonly liveKit: AttackTarget['liveKit'];
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

async function serverFor(venue: AttackVenue, options: AbuseOptions): Promise<Server> {
  if (venue === 'gateway')
    return {
      liveKit: undefined,
      environment: { LIVEKIT_API_KEY: BENCH_KEY.apiKey, LIVEKIT_API_SECRET: BENCH_KEY.apiSecret },
      stop: () => Promise.resolve(),
    };
  const { server, stop } = await startBenchLiveKit(options);
  return {
    liveKit: { url: server.url, httpUrl: server.httpUrl, agentName: BENCH_AGENT_NAME },
    environment: liveKitSettings(server.url),
    stop,
  };
}

async function carryOut(attack: Attack, server: Server, options: AbuseOptions): Promise<AttackResult> {
  const clips = (await loadClips(options.manifest)).filter(({ words }) => words.length > 0);
  const program = options.program ?? builtModule('gateway/main.js');
  const folder = await mkdtemp(join(tmpdir(), 'caption-gateway-abuse-'));
  const others = new ForeignLoad();
  const gateway = await GatewayProcess.start(
    { ...server.environment, CAPTION_TRANSCRIPT_DIR: folder, ...attack.environment },
    program,
  );
  const { url, pid } = gateway;
  const target: AttackTarget = {
    ...{ url, pid, program, ...BENCH_KEY, liveKit: server.liveKit },
    seconds: options.seconds,
    seed: options.seed,
    speechFile: clips[0]?.path ?? '',
  };
  const attacker = new AttackerProcess(target);
  const watch = new GatewayWatch(gateway);
  try {
    if (server.liveKit !== undefined) await untilReady(url);
    await attacker.prepare(attack.name);
    let attacked: Promise<AttackOutcome> | undefined;
    const { laps, troubles } = await talkThroughLaps({
      ...{ url, ...BENCH_KEY, clips, signal: options.signal },
      lapSeconds: options.seconds + FURTHER_LAP_SECONDS,
      lapBegan: (lap) => {
        watch.lapBegan(lap);
        if (lap !== 'during') return;
        attacked = attacker.attack();
        // It is awaited when the laps are over.
        attacked.catch(() => undefined);
      },
    });
    const outcome = await attacked;
    if (outcome === undefined)
      throw new CaptionError('bench_worker_failed', 'The attack did not begin: nobody talked.');
    await watch.untilMemoryIsBelow(memoryLimitMb(watch.beforeMb), MEMORY_DEADLINE_MS);
    const seen: AttackObservation = { outcome, laps, troubles, ...watch.result() };
    return {
      attack: attack.name,
      title: attack.title,
      failures: failuresOf(seen, { mostLogLines: attack.mostLogLines }),
      othersCores: rounded(others.cores()),
      ...seen,
    };
  } finally {
    watch.close();
    await attacker.close();
    await gateway.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const rounded = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 100) / 100;

/** From `F1,F4`. Throws CaptionError `usage_attacks`. */
export const parseAttacks = (text: string): string[] =>
  parseNameList(text, {
    known: ATTACKS.map(({ name }) => name),
    option: '--attacks',
    refusal: (message) => new CaptionError('usage_attacks', message),
  });
