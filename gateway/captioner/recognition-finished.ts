import type { ReplacedSpeakers } from '../../protocol/index.js';
import type { Room } from '../rooms/room.js';

const POLL_INTERVAL_MS = 20;
/** Longer than recognition takes to finish a sentence; a recogniser that hangs must not keep a captioner waiting. */
const DEADLINE_MS = 5000;

/**
 * Resolves when what was being recognised of these people, who are replaced from now on, is final: their captions come in
 * the order in which they spoke.
 */
export async function recognitionFinished(room: Room, replaces: ReplacedSpeakers): Promise<void> {
  const isReplaced = (identity: string): boolean =>
    replaces === 'everybody' || replaces.some((replaced) => replaced === identity);
  const awaited = new Set(
    room.state.open
      .filter(({ segment, speaker }) => isReplaced(speaker.identity) && !room.isWritten(segment))
      .map(({ segment }) => segment),
  );
  const givesUpAtMs = performance.now() + DEADLINE_MS;
  while (room.state.open.some(({ segment }) => awaited.has(segment)) && performance.now() < givesUpAtMs)
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
}
