/**
 * `bench livekit --rooms N`: rooms of LiveKit are opened, captioned and closed, some at once; the gateway's memory after the
 * last one is held against that after the first round, when everything that is loaded once has been loaded.
 */
import { type Summary, summarise } from '../asr/index.js';
import { CaptionError, participantIdentity, roomName } from '../protocol/index.js';
import { createDispatch, joinAsViewer, type ViewingParticipant } from '../gateway/livekit/index.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { type LiveKitStage, liveKitStage } from './stage.js';

const ROOMS_AT_ONCE = 20;
const DEADLINE_MS = 60_000;
const POLL_INTERVAL_MS = 100;
/** The garbage collector takes its time. */
const SETTLE_MS = 10_000;

export interface RoomsResult {
  readonly rooms: number;
  readonly atOnce: number;
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
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const stage = await liveKitStage(options);
  const failures: string[] = [];
  const joinMs: number[] = [];
  let openedRooms = 0;
  let openMb = 0;
  const round = async (): Promise<void> => {
    const viewers = await Promise.all(
      Array.from({ length: ROOMS_AT_ONCE }, () => enter(stage, `bench-${++openedRooms}`)),
    );
    openMb = Math.max(openMb, stage.gateway.usage().memoryMb);
    joinMs.push(...viewers.map(({ tookMs }) => tookMs));
    await Promise.all(viewers.map(({ viewer }) => viewer.leave()));
    await untilNoRooms(stage);
    options.output.write(`${openedRooms} rooms, ${stage.gateway.usage().memoryMb.toFixed(0)} MB\n`);
  };
  try {
    await round();
    await settle(options.signal);
    const beforeMb = stage.gateway.usage().memoryMb;
    openedRooms = 0;
    joinMs.length = 0;
    while (openedRooms < options.rooms) {
      options.signal.throwIfAborted();
      await round();
    }
    await settle(options.signal);
    const afterMb = stage.gateway.usage().memoryMb;
    const growth = (afterMb - beforeMb) / beforeMb;
    if (growth > 0.1) failures.push('memory grew by more than a tenth');
    return {
      rooms: openedRooms,
      atOnce: ROOMS_AT_ONCE,
      beforeMb: Math.round(beforeMb),
      openMb: Math.round(openMb),
      afterMb: Math.round(afterMb),
      growth: Number(growth.toFixed(3)),
      mbPerRoom: Number((Math.max(0, openMb - beforeMb) / ROOMS_AT_ONCE).toFixed(2)),
      joinMs: summarise(joinMs.map((value) => Math.round(value))),
      failures,
      machine,
    };
  } finally {
    await stage.close();
  }
}

/** Resolves when the room is captioned. */
async function enter(
  { server, agentName }: LiveKitStage,
  name: string,
): Promise<{ viewer: ViewingParticipant; tookMs: number }> {
  const room = roomName(name);
  const viewer = await joinAsViewer({ server, room, identity: participantIdentity('bench-viewer') });
  const startedAtMs = performance.now();
  await createDispatch(server, { room, agentName });
  await viewer.ready;
  return { viewer, tookMs: performance.now() - startedAtMs };
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

function settle(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, SETTLE_MS);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}
