import { AudioStream, type RemoteTrack } from '@livekit/rtc-node';
import { SAMPLE_RATE_HZ } from '../../../protocol/index.js';
import { detached, reportStrayError } from '../../../asr/detached.js';

/**
 * Each frame is an event through the SDK's native boundary and wakes every audio stream's listener: ten times fewer than the
 * 10 ms frames that WebRTC gives, at 30 ms of latency on average.
 */
export const FRAME_MS = 60;

/** Reads a subscribed track as 16 kHz mono until the track ends or `close`. The SDK resamples. */
export class TrackAudio {
  readonly #reader: ReadableStreamDefaultReader<{ readonly data: Int16Array }>;
  #isClosed = false;

  constructor(track: RemoteTrack, heard: (pcm: Int16Array) => void) {
    const stream = new AudioStream(track, {
      sampleRate: SAMPLE_RATE_HZ,
      numChannels: 1,
      frameSizeMs: FRAME_MS,
    });
    this.#reader = stream.getReader();
    detached('audio of a track', this.#read(heard));
  }

  /** The listener inside the SDK pins the stream: it must be cancelled, it is never collected (livekit/node-sdks#601). Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader.cancel().catch(() => undefined);
  }

  async #read(heard: (pcm: Int16Array) => void): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done || this.#isClosed) return;
        try {
          heard(value.data);
        } catch (error) {
          // One frame; what is said afterwards is still to be heard.
          reportStrayError('audio of a track', error);
        }
      }
    } catch {
      // The track went away in the middle of a frame: the room says so as well.
    } finally {
      this.close();
    }
  }
}
