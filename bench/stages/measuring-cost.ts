/** What the stamps, histograms and the ledger take of a core, apart from everything else that a word costs. */
import { Registry } from 'prom-client';
import type { SegmentEvent } from '../../asr/index.js';
import { SampleStamps } from '../../asr/stream/sample-stamps.js';
import { WordTrace } from '../../asr/stream/word-trace.js';
import { roomName, sampleIndex } from '../../protocol/index.js';
import { allObservers } from '../../gateway/latency/latency-observer.js';
import { RoomLatency } from '../../gateway/latency/room-latency.js';
import { SpeakerLatency } from '../../gateway/latency/speaker-latency.js';
import { LatencyMetrics } from '../../gateway/metrics/latency-metrics.js';
import { LatencyLedger } from '../../gateway/report/latency-ledger.js';
import { ReportMemory } from '../../gateway/report/report-store.js';

const SPEAKERS = 60;
const WORDS_PER_SECOND = 2.5;
/** Of one word, on average, before its segment is final: a version for each chunk. */
const WORDS_PER_SEGMENT = 12;
const SEGMENTS = 4000;
const FRAMES_PER_WORD = 10;
const FRAME_SAMPLES = 640;

export interface MeasuringCost {
  readonly microsecondsPerWord: number;
  readonly speakers: number;
  /** Of one core, with so many people who talk all the time. */
  readonly percentOfCore: number;
}

/** The second of two runs: the first warms up. */
export function measureCost(): MeasuringCost {
  runOnce();
  const before = process.cpuUsage();
  runOnce();
  const { user, system } = process.cpuUsage(before);
  const microseconds = (user + system) / (SEGMENTS * WORDS_PER_SEGMENT);
  const percent = (microseconds * SPEAKERS * WORDS_PER_SECOND) / 10_000;
  return {
    microsecondsPerWord: Number(microseconds.toFixed(1)),
    speakers: SPEAKERS,
    percentOfCore: Number(percent.toFixed(2)),
  };
}

/** Segments that grow word by word, with a frame's stamp every 40 ms, and a viewer that reports. */
function runOnce(): void {
  const now = (): number => performance.now();
  const room = roomName('cost');
  const store = new ReportMemory({ maxChars: 1_000_000 });
  const facts = { run: 'cost', startedAtMs: 0, version: '', model: '', precision: '', engine: '' };
  const machine = { recognisers: 1, cpu: '', cores: 1, memoryGb: 1, node: '' };
  const idle = { rooms: 1, speakers: 1, utterances: 1, viewers: 1, longestBacklogMs: 0, busyShare: 0 };
  const ledger = new LatencyLedger({
    store,
    facts: { ...facts, ...machine },
    sample: () => idle,
    now: Date.now,
  });
  const observer = allObservers([new LatencyMetrics(new Registry()), ledger]);
  const latency = new RoomLatency({ room, observer, now });
  const speaker = new SpeakerLatency({ room: latency, spokenAtMs: () => now() - 400 });
  const arrivals = new SampleStamps();
  let sample = 0;
  let seq = 0;
  for (let segment = 1; segment <= SEGMENTS; segment++) {
    const trace = new WordTrace({ arrivals, now });
    const words: SegmentEvent['words'][number][] = [];
    const tell = (isFinal: boolean): void => {
      const decodedThroughSample = sampleIndex(sample);
      trace.heard({ committed: [], provisional: [], decodedThroughSample, isFinal, callMs: 1 });
      const stableWords = words.length;
      const event = trace.stamped({
        kind: 'segment',
        segment,
        words: [...words],
        stableWords,
        isFinal,
        decodedThroughSample,
      });
      seq += 1;
      speaker.published(event, { seq, atMs: now() });
      latency.acknowledged(seq, 'probe');
    };
    for (let index = 0; index < WORDS_PER_SEGMENT; index++) {
      const startSample = sampleIndex(sample);
      for (let frame = 0; frame < FRAMES_PER_WORD; frame++) {
        sample += FRAME_SAMPLES;
        arrivals.add(sample, now());
        trace.handed(sample);
      }
      words.push({ text: `word${index}`, startSample, endSample: sampleIndex(sample) });
      tell(false);
    }
    tell(true);
    arrivals.discardBefore(sample);
  }
  ledger.close();
}
