/** Microphones of a bench in LiveKit rooms, and whether they were heard as they were spoken. */
import type { PublishingParticipant } from '../gateway/livekit/index.js';

/** The SDK holds 100 ms; a frame that waits for longer than this again was late before anybody else had it. */
const LATE_MS = 250;

/** All publish from this process: a machine that is used up holds them up, and that is not the measured system's doing. */
export class Publishers {
  readonly #publishers: readonly PublishingParticipant[];
  readonly #longestWaitsMs: number[] = [];

  /** Whoever made the participants has them leave. */
  constructor(publishers: readonly PublishingParticipant[]) {
    this.#publishers = publishers;
  }

  send(speaker: number, frame: Int16Array): void {
    const publisher = this.#publishers[speaker];
    if (publisher === undefined) return;
    const writtenAtMs = performance.now();
    void publisher.write(frame).then(() => {
      const waitedMs = performance.now() - writtenAtMs;
      this.#longestWaitsMs[speaker] = Math.max(this.#longestWaitsMs[speaker] ?? 0, waitedMs);
    });
  }

  mute(): void {
    for (const publisher of this.#publishers) publisher.mute();
  }

  /** As in `VenueSession`. */
  sendFault(speaker: number): string | null {
    const dropped = this.#publishers[speaker]?.droppedSamples ?? 0;
    if (dropped > 0) return `dropped ${Math.round(dropped / 16)} ms of audio`;
    const waitedMs = this.#longestWaitsMs[speaker] ?? 0;
    return waitedMs > LATE_MS ? `sent audio up to ${Math.round(waitedMs)} ms late` : null;
  }
}
