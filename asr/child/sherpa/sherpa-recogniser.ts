import { msToSamples, SAMPLE_RATE_HZ, sampleIndex } from '../../../protocol/index.js';
import type { Token } from '../../token.js';
import type { BatchRecogniser, RecogniserStream } from '../batch-recogniser.js';
import type { RecogniserConfig } from '../messages.js';
import { LEAD_IN_SAMPLES, LEAD_OUT_SAMPLES } from '../utterance-edges.js';
import { checkTokens } from './check-tokens.js';
import { createPunctuation } from './punctuation.js';
import { type AddonRecogniser, type AddonStream, loadAddon } from './sherpa-addon.js';

/** Step in which the chunk sizes are found: one feature frame. */
const PROBE_STEP_SAMPLES = msToSamples(10);
/** No streaming model needs more than this before its first chunk. */
const PROBE_LIMIT_SAMPLES = msToSamples(10_000);
/** The addon frees a stream's memory when its handle is collected, and handles are too small to make V8 hurry. */
const RELEASED_STREAMS_PER_COLLECTION = 8;

/** How much audio the model wants. */
interface ChunkShape {
  /** Before the first chunk can be decoded. */
  readonly windowSamples: number;
  /** For every further chunk. */
  readonly hopSamples: number;
}

/**
 * sherpa-onnx streaming transducers behind the child's scheduler. Greedy search; every token is committed. Throws when the
 * model cannot be used; what is wrong inside an ONNX file ends the process instead.
 */
export function createSherpaRecogniser(config: RecogniserConfig): BatchRecogniser {
  checkTokens(config);
  const addon = loadAddon();
  const recogniser = new addon.OnlineRecognizer({
    featConfig: { sampleRate: SAMPLE_RATE_HZ, featureDim: 80 },
    modelConfig: {
      transducer: { encoder: config.encoder, decoder: config.decoder, joiner: config.joiner },
      tokens: config.tokens,
      numThreads: config.threads,
      provider: 'cpu',
      debug: 0,
    },
    decodingMethod: 'greedy_search',
    enableEndpoint: 0,
  });
  const punctuate = createPunctuation(config);
  const shape = measureChunkShape(recogniser);
  let releasedStreams = 0;
  return {
    // The published joiners are int8: they quantise over the whole call.
    isBatchIndependent: false,
    looksAhead: false,
    open: (firstSample) => new SherpaStream(recogniser, shape, firstSample),
    decode(streams) {
      const ours = streams.filter((stream): stream is SherpaStream => stream instanceof SherpaStream);
      recogniser.decodeStreams(ours.map((stream) => stream.handle));
      for (const stream of ours) stream.noteDecodedChunk();
    },
    punctuate: (text) => punctuate?.(text),
    release() {
      releasedStreams += 1;
      if (releasedStreams % RELEASED_STREAMS_PER_COLLECTION === 0) globalThis.gc?.();
    },
  };
}

/** Feeds silence in small steps until two chunks were ready. Also warms the model up. */
function measureChunkShape(recogniser: AddonRecogniser): ChunkShape {
  const stream = recogniser.createStream();
  const feedUntilReady = (): number => {
    let fedSamples = 0;
    while (!recogniser.isReady(stream)) {
      if (fedSamples > PROBE_LIMIT_SAMPLES)
        throw new Error('the model asks for more than 10 s of audio at once');
      stream.acceptWaveform({ samples: new Float32Array(PROBE_STEP_SAMPLES), sampleRate: SAMPLE_RATE_HZ });
      fedSamples += PROBE_STEP_SAMPLES;
    }
    recogniser.decodeStreams([stream]);
    return fedSamples;
  };
  const windowSamples = feedUntilReady();
  const hopSamples = feedUntilReady();
  return { windowSamples, hopSamples };
}

class SherpaStream implements RecogniserStream {
  readonly handle: AddonStream;
  readonly #recogniser: AddonRecogniser;
  readonly #shape: ChunkShape;
  readonly #firstSample: number;
  #acceptedSamples = 0;
  #decodedChunks = 0;
  #isFinished = false;
  readonly #tokens: Token[] = [];
  constructor(recogniser: AddonRecogniser, shape: ChunkShape, firstSample: number) {
    this.#recogniser = recogniser;
    this.#shape = shape;
    this.#firstSample = firstSample;
    this.handle = recogniser.createStream();
    this.#feed(new Float32Array(LEAD_IN_SAMPLES));
  }

  /** The addon decodes whole chunks only. */
  get samplesUntilWhole(): number {
    return 0;
  }

  speculableSamples(): number {
    return 0;
  }

  accept(samples: Float32Array): void {
    this.#acceptedSamples += samples.length;
    this.#feed(samples);
  }

  /** Adds the silence that the last chunks lack: the addon never decodes a partial chunk. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    const { windowSamples, hopSamples } = this.#shape;
    this.#feed(new Float32Array(LEAD_OUT_SAMPLES + windowSamples + hopSamples));
    this.handle.inputFinished();
  }

  isReady(): boolean {
    if (!this.#recogniser.isReady(this.handle)) return false;
    return !this.#isFinished || this.#decodedChunks < this.#chunksInAll();
  }

  /** Each chunk yields the output of `hopSamples`; counted when all audio has been accepted. */
  #chunksInAll(): number {
    return Math.ceil((LEAD_IN_SAMPLES + this.#acceptedSamples + LEAD_OUT_SAMPLES) / this.#shape.hopSamples);
  }

  noteDecodedChunk(): void {
    this.#decodedChunks += 1;
  }

  get acceptedThroughSample(): number {
    return this.#firstSample + this.#acceptedSamples;
  }

  get decodedThroughSample(): number {
    if (this.#decodedChunks === 0) return this.#firstSample;
    const { windowSamples, hopSamples } = this.#shape;
    const heardSamples = windowSamples + (this.#decodedChunks - 1) * hopSamples - LEAD_IN_SAMPLES;
    return this.#firstSample + Math.min(this.#acceptedSamples, Math.max(0, heardSamples));
  }

  get heardThroughSample(): number {
    return this.decodedThroughSample;
  }

  tokens(): readonly Token[] {
    const result = this.#recogniser.getResult(this.handle);
    for (let i = this.#tokens.length; i < result.tokens.length; i++) {
      const inStream = Math.round((result.timestamps[i] ?? 0) * SAMPLE_RATE_HZ) - LEAD_IN_SAMPLES;
      const logProbability = result.ys_probs?.[i];
      this.#tokens.push({
        text: result.tokens[i] ?? '',
        atSample: sampleIndex(this.#firstSample + Math.min(this.#acceptedSamples, Math.max(0, inStream))),
        ...(logProbability === undefined ? {} : { logProbability: Math.min(0, logProbability) }),
      });
    }
    return this.#tokens;
  }

  provisional(): readonly Token[] {
    return [];
  }

  #feed(samples: Float32Array): void {
    this.handle.acceptWaveform({ samples, sampleRate: SAMPLE_RATE_HZ });
  }
}
