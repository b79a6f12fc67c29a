/**
 * `bench livekit --rooms N`: rooms of LiveKit are opened, captioned and closed, some at once, round after round. Rounds before the
 * first that is counted load what is loaded once and let the allocators reach their size; then memory must stay where it is.
 */
import { type Summary, summarise } from '../asr/index.js';
import { CaptionError, participantIdentity, type RoomName, roomName } from '../protocol/index.js';
import { createDispatch, joinAsViewer, type ViewingParticipant } from '../gateway/livekit/index.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { type LiveKitStage, liveKitStage } from './stage.js';

const ROOMS_AT_ONCE = 20;
const WARM_UP_ROUNDS = 3;
const DEADLINE_MS = 60_000;
const POLL_INTERVAL_MS = 100;
/** Between the last room left and a measurement, and ten times as long before the two that are compared: the garbage collector takes its time. */
const SETTLE_MS = 1000;
const LONG_SETTLE_MS = 10_000;
/** The gateway keeps a closed room's captions for five minutes by default: here only for as long as this, or they would be counted. */
const RETENTION_S = 1;
/** Share of the memory before. */
const MAX_GROWTH = 0.1;

/** Memory in MB when a round's rooms are closed. */
export interface RoundMemory {
  /** From the first round on, rounds for warming up included. */
  readonly rooms: number;
  readonly isWarmUp: boolean;
  /** The gateway's process alone. */
  readonly gatewayMb: number;
  readonly recogniserMb: number;
  /** Of the gateway's process. */
  readonly openMb: number;
}

export interface RoomsResult {
  readonly rooms: number;
  readonly warmUpRooms: number;
  readonly atOnce: number;
  readonly retentionS: number;
  readonly rounds: readonly RoundMemory[];
  /** Gateway and recognisers, after the rounds for warming up. */
  readonly beforeMb: number;
  readonly openMb: number;
  readonly afterMb: number;
  /** Of memory, from before to after, as a share of before. */
  readonly growth: number;
  readonly mbPerRoom: number;
  /** From the dispatch to the first snapshot in a participant's reducer. */
  readonly joinMs: Summary;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

export async function runRoomsBench(options: {
  readonly rooms: number;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}): Promise<RoomsResult> {
  const { output, signal } = options;
  const machine = describeMachine();
  warnIfBusy(machine, output);
  const stage = await liveKitStage({
    output,
    signal,
    gatewayEnvironment: { CAPTION_ROOM_RETENTION_S: String(RETENTION_S) },
  });
  const { gateway, server } = stage;
  const rounds: RoundMemory[] = [];
  const joinMs: number[] = [];
  let openedRooms = 0;
  let openMb = 0;
  const round = async (isWarmUp: boolean): Promise<void> => {
    signal.throwIfAborted();
    const names = Array.from({ length: ROOMS_AT_ONCE }, () => roomName(`bench-${++openedRooms}`));
    const members = await Promise.all(
      names.map(async (room) => ({
        room,
        viewer: await joinAsViewer({ server, room, identity: participantIdentity('bench-viewer') }),
      })),
    );
    // All are there before, so that the viewers' own joining is not measured.
    const tookMs = await Promise.all(members.map((member) => untilCaptioned(stage, member)));
    const open = gateway.usage().memoryMb;
    const openOwn = gateway.ownUsage().memoryMb;
    if (!isWarmUp) {
      openMb = Math.max(openMb, open);
      joinMs.push(...tookMs);
    }
    await Promise.all(members.map(({ viewer }) => viewer.leave()));
    await untilNoRooms(stage);
    await settle(SETTLE_MS, signal);
    const gatewayMb = gateway.ownUsage().memoryMb;
    const memory: RoundMemory = {
      rooms: openedRooms,
      isWarmUp,
      gatewayMb: Math.round(gatewayMb),
      recogniserMb: Math.round(gateway.usage().memoryMb - gatewayMb),
      openMb: Math.round(openOwn),
    };
    rounds.push(memory);
    output.write(`${memory.rooms} rooms, ${memory.gatewayMb} + ${memory.recogniserMb} MB\n`);
  };
  try {
    for (let warmUps = 0; warmUps < WARM_UP_ROUNDS; warmUps += 1) await round(true);
    await settle(LONG_SETTLE_MS, signal);
    const beforeMb = gateway.usage().memoryMb;
    const warmUpRooms = openedRooms;
    while (openedRooms - warmUpRooms < options.rooms) await round(false);
    await settle(LONG_SETTLE_MS, signal);
    const afterMb = gateway.usage().memoryMb;
    const growth = (afterMb - beforeMb) / beforeMb;
    return {
      rooms: openedRooms - warmUpRooms,
      warmUpRooms,
      atOnce: ROOMS_AT_ONCE,
      retentionS: RETENTION_S,
      rounds,
      beforeMb: Math.round(beforeMb),
      openMb: Math.round(openMb),
      afterMb: Math.round(afterMb),
      growth: Number(growth.toFixed(3)),
      mbPerRoom: Number((Math.max(0, openMb - beforeMb) / ROOMS_AT_ONCE).toFixed(2)),
      joinMs: summarise(joinMs.map((value) => Math.round(value))),
      failures: growth > MAX_GROWTH ? ['memory grew by more than a tenth'] : [],
      machine,
    };
  } finally {
    await stage.close();
  }
}

/** From the dispatch to the first snapshot. */
async function untilCaptioned(
  { server, agentName }: LiveKitStage,
  { room, viewer }: { readonly room: RoomName; readonly viewer: ViewingParticipant },
): Promise<number> {
  const startedAtMs = performance.now();
  await createDispatch(server, { room, agentName });
  await viewer.ready;
  return performance.now() - startedAtMs;
}

async function untilNoRooms({ gateway }: LiveKitStage): Promise<void> {
  const givesUpAtMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const response = await fetch(`${gateway.url}/metrics`, { signal: AbortSignal.timeout(DEADLINE_MS) });
    const rooms = /^caption_livekit_rooms (\d+)$/m.exec(await response.text())?.[1];
    if (rooms === '0') return;
    if (performance.now() > givesUpAtMs)
      throw new CaptionError(
        'bench_room_not_captioned',
        `The gateway did not leave ${rooms ?? 'its'} rooms.`,
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

function settle(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}
