/**
 * One arm of `bench engine` in a process of its own: decodes the same speech at each batch size as a recogniser child does.
 * Told what to do by one IPC message, answers with one.
 */
import { performance } from 'node:perf_hooks';
import { toFloat32 } from '../asr/audio/audio-frame.js';
import type { RecogniserStream } from '../asr/child/batch-recogniser.js';
import type { RecogniserConfig } from '../asr/child/messages.js';
import { createRecogniser } from '../asr/child/create-recogniser.js';
import { SAMPLE_RATE_HZ } from '../protocol/index.js';

export interface EngineWorkerTask {
  readonly config: RecogniserConfig;
  readonly batchSizes: readonly number[];
  /** 16 kHz mono; each is decoded `max(batchSizes)` times in all, whatever the batch size. */
  readonly clips: readonly Int16Array[];
}

export interface BatchFigures {
  readonly batchSize: number;
  /** Seconds of sound without pauses per second of CPU: what one core could recognise at once, recognition alone. */
  readonly streamsPerCore: number;
  readonly msPerCall: number;
}

export interface EngineWorkerAnswer {
  readonly batches: readonly BatchFigures[];
  /** What each clip says, at the first batch size. */
  readonly texts: readonly string[];
  /** Clips that gave another text at another batch size. */
  readonly textsThatDiffer: number;
  readonly mbPerStream: number;
}

const MEMORY_STREAMS = 64;

process.once('message', (task: EngineWorkerTask) => {
  void measure(task).then((answer) => process.send?.(answer, () => process.disconnect()));
});

async function measure({ config, batchSizes, clips }: EngineWorkerTask): Promise<EngineWorkerAnswer> {
  const { recogniser } = await createRecogniser(config);
  const waveforms = clips.map(toFloat32);
  const audioSeconds = waveforms.reduce((sum, { length }) => sum + length, 0) / SAMPLE_RATE_HZ;
  const rounds = Math.max(...batchSizes);
  let texts: string[] | undefined;
  let textsThatDiffer = 0;

  const decodeAll = async (streams: readonly RecogniserStream[]): Promise<number> => {
    let calls = 0;
    for (;;) {
      const ready = streams.filter((stream) => stream.isReady());
      if (ready.length === 0) return calls;
      await recogniser.decode(ready);
      calls += 1;
    }
  };
  const batches: BatchFigures[] = [];
  for (const batchSize of batchSizes) {
    let calls = 0;
    let callMs = 0;
    const cpuBefore = process.cpuUsage();
    const repetitions = Math.ceil(rounds / batchSize);
    for (const [index, waveform] of waveforms.entries()) {
      for (let repetition = 0; repetition < repetitions; repetition++) {
        const streams = Array.from({ length: batchSize }, () => {
          const stream = recogniser.open(0);
          stream.accept(waveform);
          stream.finish();
          return stream;
        });
        const startedAtMs = performance.now();
        calls += await decodeAll(streams);
        callMs += performance.now() - startedAtMs;
        const text = textOf(streams[0]);
        texts ??= [];
        texts[index] ??= text;
        if (texts[index] !== text) textsThatDiffer += 1;
        for (const stream of streams) recogniser.release(stream);
      }
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    const decodedSeconds = audioSeconds * repetitions * batchSize;
    batches.push({
      batchSize,
      streamsPerCore: decodedSeconds / ((user + system) / 1e6),
      msPerCall: callMs / calls,
    });
  }
  return {
    batches,
    texts: texts ?? [],
    textsThatDiffer,
    mbPerStream: await memoryPerStream((firstSample) => recogniser.open(firstSample), waveforms, decodeAll),
  };
}

async function memoryPerStream(
  open: (firstSample: number) => RecogniserStream,
  waveforms: readonly Float32Array[],
  decodeAll: (streams: readonly RecogniserStream[]) => Promise<number>,
): Promise<number> {
  globalThis.gc?.();
  const beforeBytes = process.memoryUsage.rss();
  const streams = Array.from({ length: MEMORY_STREAMS }, (_, index) => {
    const stream = open(0);
    const waveform = waveforms[index % waveforms.length];
    if (waveform !== undefined) stream.accept(waveform);
    return stream;
  });
  for (let first = 0; first < streams.length; first += 8) await decodeAll(streams.slice(first, first + 8));
  globalThis.gc?.();
  const addedBytes = process.memoryUsage.rss() - beforeBytes;
  // Used after the measurement, so that nothing was freed before it.
  return Math.max(0, addedBytes) / 1e6 / streams.filter((stream) => stream.decodedThroughSample >= 0).length;
}

const textOf = (stream: RecogniserStream | undefined): string =>
  (stream?.tokens() ?? [])
    .map(({ text }) => text)
    .join('')
    .trim();
