import { createRequire } from 'node:module';
import { InferenceSession, Tensor } from '../onnx-runtime.js';
import { SAMPLE_RATE_HZ } from '../../protocol/index.js';

/** Samples the model judges at once at 16 kHz: 32 ms. */
export const VAD_FRAME_SAMPLES = 512;
/** The model is given the end of the frame before as context (as in Silero's own `OnnxWrapper`). */
const CONTEXT_SAMPLES = 64;
const INPUT_SAMPLES = CONTEXT_SAMPLES + VAD_FRAME_SAMPLES;
const STATE_LAYERS = 2;
const STATE_WIDTH = 128;

/** What the model remembers of one stream. */
export class VadState {
  readonly context = new Float32Array(CONTEXT_SAMPLES);
  readonly recurrent = new Float32Array(STATE_LAYERS * STATE_WIDTH);

  reset(): void {
    this.context.fill(0);
    this.recurrent.fill(0);
  }
}

export interface VadRequest {
  /** `VAD_FRAME_SAMPLES` of signed 16 bit audio. */
  readonly frame: Int16Array;
  /** Updated by the call. */
  readonly state: VadState;
}

/** Silero VAD v6 (MIT; the file ships inside the npm package @ricky0123/vad-web), batched over streams. */
export class SileroVad {
  readonly #session: InferenceSession;
  readonly #sampleRate = new Tensor('int64', BigInt64Array.from([BigInt(SAMPLE_RATE_HZ)]), []);

  #lastRun: Promise<unknown> = Promise.resolve();

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async create(): Promise<SileroVad> {
    const file = createRequire(import.meta.url).resolve('@ricky0123/vad-web/dist/silero_vad_v6.onnx');
    const session = await InferenceSession.create(file, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // The pattern cache and arena grow with every batch size seen and are worth nothing for so small a model.
      enableMemPattern: false,
    });
    return new SileroVad(session);
  }

  /** The probability of speech in each frame. One request a stream and call: the state is recurrent. */
  async judge(requests: readonly VadRequest[]): Promise<Float32Array> {
    const batch = requests.length;
    const input = new Float32Array(batch * INPUT_SAMPLES);
    const state = new Float32Array(STATE_LAYERS * batch * STATE_WIDTH);
    requests.forEach((request, row) => {
      const offset = row * INPUT_SAMPLES;
      input.set(request.state.context, offset);
      for (let i = 0; i < VAD_FRAME_SAMPLES; i++) {
        input[offset + CONTEXT_SAMPLES + i] = (request.frame[i] ?? 0) / 32768;
      }
      request.state.context.set(
        input.subarray(offset + INPUT_SAMPLES - CONTEXT_SAMPLES, offset + INPUT_SAMPLES),
      );
      copyState({
        from: request.state.recurrent,
        fromRow: 0,
        fromRows: 1,
        to: state,
        toRow: row,
        toRows: batch,
      });
    });
    const run = this.#session.run({
      input: new Tensor('float32', input, [batch, INPUT_SAMPLES]),
      state: new Tensor('float32', state, [STATE_LAYERS, batch, STATE_WIDTH]),
      sr: this.#sampleRate,
    });
    this.#lastRun = run;
    const outputs = await run;
    const probabilities = floatsOf(outputs['output']);
    const newState = floatsOf(outputs['stateN']);
    requests.forEach((request, row) => {
      copyState({
        from: newState,
        fromRow: row,
        fromRows: batch,
        to: request.state.recurrent,
        toRow: 0,
        toRows: 1,
      });
    });
    return probabilities;
  }

  /** Waits for the call that is under way. */
  async close(): Promise<void> {
    await this.#lastRun.catch(() => undefined);
    await this.#session.release();
  }
}

function floatsOf(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error('the voice activity model gave no floats');
}

/** One stream's rows between [layers, rows, width] arrays of different numbers of rows. */
function copyState(copy: {
  from: Float32Array;
  fromRow: number;
  fromRows: number;
  to: Float32Array;
  toRow: number;
  toRows: number;
}): void {
  for (let layer = 0; layer < STATE_LAYERS; layer++) {
    const source = (layer * copy.fromRows + copy.fromRow) * STATE_WIDTH;
    const target = (layer * copy.toRows + copy.toRow) * STATE_WIDTH;
    copy.to.set(copy.from.subarray(source, source + STATE_WIDTH), target);
  }
}
