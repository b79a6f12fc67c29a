/** The real pipeline of one speaker with a known delay in one stage, put where that stage lies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AsrEngine, type AsrEvent, type AsrStream, type InstalledModel } from '../../asr/index.js';
import type { VadBatcher } from '../../asr/gate/vad-batcher.js';
import { SpeakerStream } from '../../asr/stream/speaker-stream.js';
import type { RecogniserPool } from '../../asr/supervisor/recogniser-pool.js';
import { createFormatter, type Formatter } from '../../asr/text/formatter.js';
import type { Stage } from '../../gateway/latency/word-latency.js';

export interface DelayedEngineOptions {
  readonly pool: Pick<RecogniserPool, 'openUtterance'>;
  readonly batcher: VadBatcher;
  readonly model: Pick<InstalledModel, 'casing' | 'punctuates' | 'languages'>;
  /** Undefined for none. `arrival`, `lookahead` and `delivery` lie outside of it. */
  readonly stage: Stage | undefined;
  readonly delayMs: number;
  /** Is told every event when it is read. */
  readonly told: (event: AsrEvent) => void;
}

/** `close` its streams. */
export function delayedEngine(options: DelayedEngineOptions): AsrEngine {
  const { batcher, model, stage, delayMs, told } = options;
  return {
    unfavoured: () => Promise.resolve(undefined),
    openStream({ vocabulary = [], language = model.languages[0] ?? '' } = {}): AsrStream {
      const inner = new SpeakerStream({
        pool: delayedPool(options),
        batcher,
        createFormatter: (phrases) => {
          const { casing, punctuates } = model;
          const formatter = createFormatter({ language, casing, punctuates, vocabulary: phrases });
          return stage === 'segment' ? slowFormatter(formatter, delayMs) : formatter;
        },
        punctuatesFinals: false,
        vocabulary,
        closed: () => undefined,
      });
      const pending = new Set<Promise<void>>();
      return {
        push(frame) {
          if (stage !== 'gate') {
            inner.push(frame);
            return;
          }
          // It has arrived, and is held where the voice gate would hold it.
          const pushed = sleep(delayMs).then(() => inner.push(frame));
          pending.add(pushed);
          void pushed.then(() => pending.delete(pushed));
        },
        get receivedThroughSample() {
          return inner.receivedThroughSample;
        },
        get recognisedThroughSample() {
          return inner.recognisedThroughSample;
        },
        get finalThroughSample() {
          return inner.finalThroughSample;
        },
        flush: () => inner.flush(),
        settled: () => inner.settled(),
        setVocabulary: (phrases) => inner.setVocabulary(phrases),
        events: delayedEvents(inner.events, { delayMs: stage === 'publish' ? delayMs : 0, told }),
        async close() {
          await Promise.all(pending);
          await inner.close();
        },
        destroy: () => inner.destroy(),
      };
    },
    close: () => Promise.resolve(),
  };
}

async function* delayedEvents(
  events: AsyncIterable<AsrEvent>,
  { delayMs, told }: { delayMs: number; told: (event: AsrEvent) => void },
): AsyncGenerator<AsrEvent> {
  for await (const event of events) {
    if (delayMs > 0) await sleep(delayMs);
    told(event);
    yield event;
  }
}

/** Formatting is done in the thread: so is this. Once for each segment, or the audio itself would come late. */
function slowFormatter(formatter: Formatter, delayMs: number): Formatter {
  const still = new Int32Array(new SharedArrayBuffer(4));
  let shownWords = 0;
  return {
    format(words, context) {
      const isFirst = shownWords === 0 && words.length > 0;
      shownWords = context.endsSentence ? 0 : words.length;
      if (isFirst && !context.endsSentence) Atomics.wait(still, 0, 0, delayMs);
      return formatter.format(words, context);
    },
    stableCount: (words) => formatter.stableCount(words),
  };
}

function delayedPool({ pool, stage, delayMs }: DelayedEngineOptions): Pick<RecogniserPool, 'openUtterance'> {
  if (stage !== 'queue' && stage !== 'decode') return pool;
  return {
    openUtterance: (firstSample, listener) =>
      pool.openUtterance(firstSample, {
        failed: () => listener.failed(),
        hypothesis(hypothesis, punctuated) {
          const callMs = (hypothesis.callMs ?? 0) + (stage === 'decode' ? delayMs : 0);
          setTimeout(() => listener.hypothesis({ ...hypothesis, callMs }, punctuated), delayMs);
        },
      }),
  };
}
