/** What the audio thread hands to the page. */
export const CAPTURE_RATE_HZ = 16_000;

export interface CapturedSound {
  /** Mono, at `CAPTURE_RATE_HZ`. */
  readonly pcm: Int16Array<ArrayBuffer>;
  /** Loudest sample, 0 to 1. */
  readonly peak: number;
}
