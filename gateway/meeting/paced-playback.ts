import { msToSamples } from '../../protocol/index.js';

/** What a microphone client sends at a time. Shorter frames cost a silent speaker more CPU than they save in latency. */
export const PLAYBACK_FRAME_MS = 40;

export interface PlayedTrack {
  readonly pcm: Int16Array;
  readonly send: (frame: Int16Array) => void;
}

/**
 * Sends all tracks at the pace at which they were spoken: each frame when its last sample has been. Frames of different
 * tracks are spread over the frame's duration, as those of real clients are. Resolves when everything is sent.
 */
export async function playPaced(
  tracks: readonly PlayedTrack[],
  options: { startAtMs: number; speed?: number; signal?: AbortSignal },
): Promise<void> {
  const speed = options.speed ?? 1;
  const frameSamples = msToSamples(PLAYBACK_FRAME_MS);
  await Promise.all(
    tracks.map(async ({ pcm, send }, index) => {
      const phaseMs = (PLAYBACK_FRAME_MS * index) / tracks.length;
      for (let first = 0; first < pcm.length;) {
        // The first frame is shorter by the track's phase.
        const length = first === 0 ? Math.max(1, frameSamples - msToSamples(phaseMs)) : frameSamples;
        const frame = pcm.subarray(first, first + length);
        first += frame.length;
        const dueAtMs = options.startAtMs + first / msToSamples(1) / speed;
        await until(dueAtMs, options.signal);
        if (options.signal?.aborted === true) return;
        send(frame);
      }
    }),
  );
}

async function until(dueAtMs: number, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    const waitMs = dueAtMs - performance.now();
    if (waitMs <= 0 || signal?.aborted === true) return;
    // Fires early when the event loop was busy: it counts from when the loop last looked at the clock.
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(waitMs)));
  }
}
