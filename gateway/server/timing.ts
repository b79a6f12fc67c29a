/** How long the gateway waits for its peers, in milliseconds. Not settings: only tests want other values. */
export interface Timing {
  /** From the opening of an ingest connection to its `hello`. */
  readonly helloDeadlineMs: number;
  /** When a speaker's audio stalls between two words, what was said is finished after this; see `StallLimits`. */
  readonly stallFlushMs: number;
  /** Between two pings; a peer of which nothing comes until the next is gone. */
  readonly heartbeatIntervalMs: number;
  /** From the opening of a connection to the end of a request's headers. */
  readonly headersDeadlineMs: number;
  /** `/metrics` is made at most so often. */
  readonly scrapeIntervalMs: number;
  /** A viewer that does not read for so long is disconnected. */
  readonly maxViewerPauseMs: number;
  /** Who takes nothing of a download for so long is cut off. */
  readonly maxDownloadPauseMs: number;
  /** How long a shutdown waits for the finals of what is being said; undefined for CAPTION_DRAIN_S. */
  readonly drainDeadlineMs: number | undefined;
}

export const DEFAULT_TIMING: Timing = {
  helloDeadlineMs: 10_000,
  stallFlushMs: 1500,
  heartbeatIntervalMs: 15_000,
  headersDeadlineMs: 10_000,
  scrapeIntervalMs: 1000,
  maxViewerPauseMs: 30_000,
  maxDownloadPauseMs: 30_000,
  drainDeadlineMs: undefined,
};
