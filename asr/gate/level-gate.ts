import { msToSamples } from '../../protocol/index.js';
import { VAD_FRAME_SAMPLES } from './silero-vad.js';

/** Below this nothing is understood, whatever the background: a muted or digitally silent track. */
const ABSOLUTE_FLOOR_DBFS = -62;
/** Speech that can be recognised rises at least this far above a steady background. */
const MARGIN_OVER_BACKGROUND_DB = 4;
/** The background is the quietest frame of the last one to two of these windows. */
const WINDOW_FRAMES = Math.round(msToSamples(2000) / VAD_FRAME_SAMPLES);

/**
 * The cheapest test for "nobody talks": the level of a frame against an absolute floor and the steady background. Asked
 * only while nobody talks, so that the model need not be run on silence and fan noise. Costs half a microsecond a frame,
 * a hundredth of the model.
 */
export class LevelGate {
  #currentMinimum = Infinity;
  #previousMinimum = -Infinity;
  #framesInWindow = 0;

  isQuiet(frame: Int16Array): boolean {
    const level = levelDbfs(frame);
    const background = Math.min(this.#currentMinimum, this.#previousMinimum);
    this.#note(level);
    return level < ABSOLUTE_FLOOR_DBFS || level < background + MARGIN_OVER_BACKGROUND_DB;
  }

  #note(level: number): void {
    this.#currentMinimum = Math.min(this.#currentMinimum, level);
    this.#framesInWindow += 1;
    if (this.#framesInWindow < WINDOW_FRAMES) return;
    this.#previousMinimum = this.#currentMinimum;
    this.#currentMinimum = Infinity;
    this.#framesInWindow = 0;
  }
}

/** Root mean square relative to full scale; -Infinity for digital silence. */
export function levelDbfs(frame: Int16Array): number {
  let sumOfSquares = 0;
  for (let i = 0; i < frame.length; i++) {
    const sample = frame[i] ?? 0;
    sumOfSquares += sample * sample;
  }
  return 10 * Math.log10(sumOfSquares / Math.max(1, frame.length) / (32768 * 32768));
}
