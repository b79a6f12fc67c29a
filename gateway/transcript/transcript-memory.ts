import type { MeetingTranscript } from './meeting-transcript.js';
import type { TranscriptEntry } from './transcript-entry.js';

/**
 * The transcripts of all meetings in memory, up to a bound in bytes over all of them. Above it goes what will be missed least:
 * meetings that are over, the one that ended first before the others; then the oldest entries of the longest meeting. Each
 * transcript counts what it lost.
 */
export class TranscriptMemory {
  readonly #maxBytes: number;
  readonly #live = new Set<MeetingTranscript>();
  /** In the order in which they ended. */
  readonly #ended = new Set<MeetingTranscript>();
  readonly #dropped: ((entries: number) => void) | undefined;
  #bytes = 0;

  constructor(options: { maxBytes: number; dropped?: (entries: number) => void }) {
    this.#maxBytes = options.maxBytes;
    this.#dropped = options.dropped;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The line that was added, for the disk. */
  add(transcript: MeetingTranscript, entry: TranscriptEntry): string {
    this.#live.add(transcript);
    const { bytes, droppedEntries } = transcript;
    const line = transcript.add(entry);
    this.#bytes += transcript.bytes - bytes;
    this.#tell(transcript.droppedEntries - droppedEntries);
    this.#makeRoom();
    return line;
  }

  ended(transcript: MeetingTranscript): void {
    if (this.#live.delete(transcript)) this.#ended.add(transcript);
  }

  forget(transcript: MeetingTranscript): void {
    const wasKnown = this.#live.delete(transcript) || this.#ended.delete(transcript);
    if (wasKnown) this.#bytes -= transcript.bytes;
  }

  #makeRoom(): void {
    for (const transcript of this.#ended) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#shrink(transcript, 0);
      this.#ended.delete(transcript);
    }
    while (this.#bytes > this.#maxBytes) {
      const longest = [...this.#live].reduce((a, b) => (b.bytes > a.bytes ? b : a));
      this.#shrink(longest, longest.bytes - (this.#bytes - this.#maxBytes));
    }
  }

  #shrink(transcript: MeetingTranscript, toBytes: number): void {
    const { bytes } = transcript;
    this.#tell(transcript.shrink(Math.max(0, toBytes)));
    this.#bytes -= bytes - transcript.bytes;
  }

  #tell(entries: number): void {
    if (entries > 0) this.#dropped?.(entries);
  }
}
