/**
 * Runs in the browser's audio thread: what a microphone hears, as mono PCM16 at 16 kHz in pieces of 40 ms, posted to the page
 * together with how loud each is.
 */
import type { CapturedSound } from './captured-sound.js';
import { CAPTURE_RATE_HZ } from './captured-sound.js';
import { Resampler } from './resampler.js';

/** Of the audio thread (https://webaudio.github.io/web-audio-api/#AudioWorkletGlobalScope); TypeScript's DOM library lacks them. */
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const PIECE_SAMPLES = CAPTURE_RATE_HZ / 25;

class CaptureProcessor extends AudioWorkletProcessor {
  readonly #resampler = new Resampler({ fromHz: sampleRate, toHz: CAPTURE_RATE_HZ });
  #piece = new Int16Array(PIECE_SAMPLES);
  #count = 0;
  #peak = 0;

  /** Without an input, as when the microphone has ended, there is nothing to do. */
  process([channels = []]: Float32Array[][]): boolean {
    const [first] = channels;
    if (first !== undefined) this.#take(this.#resampler.push(mixed(channels, first)));
    return true;
  }

  #take(samples: Float32Array): void {
    for (const sample of samples) {
      const value = Math.max(-1, Math.min(1, sample));
      this.#peak = Math.max(this.#peak, Math.abs(value));
      this.#piece[this.#count] = Math.round(value * 32_767);
      this.#count += 1;
      if (this.#count === PIECE_SAMPLES) this.#post();
    }
  }

  #post(): void {
    const sound: CapturedSound = { pcm: this.#piece, peak: this.#peak };
    this.port.postMessage(sound, [this.#piece.buffer]);
    this.#piece = new Int16Array(PIECE_SAMPLES);
    this.#count = 0;
    this.#peak = 0;
  }
}

function mixed(channels: readonly Float32Array[], first: Float32Array): Float32Array {
  if (channels.length === 1) return first;
  return first.map(
    (_, index) => channels.reduce((sum, channel) => sum + (channel[index] ?? 0), 0) / channels.length,
  );
}

registerProcessor('capture', CaptureProcessor);
