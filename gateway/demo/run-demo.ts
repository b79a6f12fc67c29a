/** A meeting through the real gateway, and what a viewer saw of it. */
import type { CaptionMessage, CaptionState } from '../../protocol/index.js';
import {
  compareTranscripts,
  normaliseWords,
  type Summary,
  summarise,
  sumOfDifferences,
  type TranscriptDifference,
} from '../../asr/index.js';
import type { Gateway } from '../gateway.js';
import { CaptionWatch, measureSpeaker, type SpeakerMeasurement } from '../meeting/caption-measurement.js';
import type { Meeting } from '../meeting/meeting.js';
import { playPaced } from '../meeting/paced-playback.js';
import { transcribePcm } from '../transcribe/transcribe-pcm.js';
import { type OpenStage, webSocketStage } from './demo-stage.js';

/** Time for connections to be there before the first word. */
const LEAD_TIME_MS = 200;

export interface DemoOptions {
  readonly gateway: Gateway;
  readonly meeting: Meeting;
  /** Default: over the gateway's WebSockets. */
  readonly openStage?: OpenStage;
  /** 1 plays at the pace of speech. */
  readonly speed: number;
  readonly shown: (state: CaptionState, message: CaptionMessage) => void;
  readonly signal: AbortSignal;
}

export interface SpeakerResult {
  readonly identity: string;
  readonly name: string;
  /** Shown to the viewer in the end. */
  readonly words: number;
  /** Null when it is not known what was said. */
  readonly wer: number | null;
  readonly wordLatencyMs: Summary;
  readonly finalLatencyMs: Summary;
}

export interface DemoResult {
  readonly model: string;
  readonly seconds: number;
  readonly wer: number | null;
  readonly speakers: readonly SpeakerResult[];
  readonly wordLatencyMs: Summary;
  readonly finalLatencyMs: Summary;
  /** Words that the same pipeline gives undisturbed and the viewer does not have; and the other way round. */
  readonly lostWords: number;
  readonly duplicatedWords: number;
  /** Words that are other ones than the pipeline gives undisturbed. */
  readonly changedWords: number;
  readonly resyncs: number;
  /** States of recognition that viewers were told, in order. */
  readonly statuses: readonly string[];
}

export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { gateway, meeting, speed, signal, openStage = webSocketStage(gateway.url) } = options;
  const watch = new CaptionWatch();
  const statuses: string[] = [];
  const stage = await openStage({
    meeting,
    changed: (state, message) => {
      watch.observe(state, message, performance.now());
      if (message.kind === 'status') statuses.push(message.state);
      options.shown(state, message);
    },
    signal,
  });
  try {
    const startAtMs = performance.now() + LEAD_TIME_MS;
    const tracks = meeting.tracks.map(({ pcm }, index) => ({
      pcm,
      send: (frame: Int16Array) => stage.send(index, frame),
    }));
    await playPaced(tracks, { startAtMs, speed, signal });
    signal.throwIfAborted();
    await stage.end();
    const measured = meeting.tracks.map(({ identity, spoken }) =>
      measureSpeaker(watch.resultOf(identity), { spoken, startAtMs, speed }),
    );
    const disturbance = await compareWithUndisturbed(options, measured);
    return { ...resultOf(options, measured), ...disturbance, resyncs: stage.resyncs(), statuses };
  } finally {
    await stage.close();
  }
}

async function compareWithUndisturbed(
  { gateway, meeting, signal }: DemoOptions,
  measured: readonly SpeakerMeasurement[],
): Promise<TranscriptDifference> {
  const differences: TranscriptDifference[] = [];
  for (const [index, { pcm }] of meeting.tracks.entries()) {
    const segments = await transcribePcm(pcm, { engine: gateway.engine, signal });
    const undisturbed = normaliseWords(segments.map(({ text }) => text).join(' '));
    differences.push(compareTranscripts(undisturbed, measured[index]?.shownWords ?? []));
  }
  return sumOfDifferences(differences);
}

function resultOf(
  { gateway, meeting }: DemoOptions,
  measured: readonly SpeakerMeasurement[],
): Omit<DemoResult, 'lostWords' | 'duplicatedWords' | 'changedWords' | 'resyncs' | 'statuses'> {
  const rate = (errors: number, words: number): number | null => (words === 0 ? null : round(errors / words));
  return {
    model: gateway.engine.model.id,
    seconds: meeting.durationMs / 1000,
    wer: rate(
      measured.reduce((sum, { wordErrors }) => sum + wordErrors, 0),
      measured.reduce((sum, { spokenWords }) => sum + spokenWords, 0),
    ),
    speakers: meeting.tracks.flatMap(({ identity, name }, index) => {
      const speaker = measured[index];
      if (speaker === undefined) return [];
      return {
        identity,
        name,
        words: speaker.shownWords.length,
        wer: rate(speaker.wordErrors, speaker.spokenWords),
        wordLatencyMs: rounded(speaker.wordLatenciesMs),
        finalLatencyMs: rounded(speaker.finalLatenciesMs),
      };
    }),
    wordLatencyMs: rounded(measured.flatMap(({ wordLatenciesMs }) => wordLatenciesMs)),
    finalLatencyMs: rounded(measured.flatMap(({ finalLatenciesMs }) => finalLatenciesMs)),
  };
}

const round = (value: number): number => Math.round(value * 10_000) / 10_000;

/** Percentiles in whole milliseconds. */
function rounded(valuesMs: readonly number[]): Summary {
  return summarise(valuesMs.map((valueMs) => Math.round(valueMs)));
}
