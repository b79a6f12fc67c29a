import { formatColumns } from '../text-columns.js';
import type { DemoResult } from './run-demo.js';

/** The table at the end of the demo, for a person. */
export function formatDemoResult(result: DemoResult): string {
  const speakers = result.speakers.map(({ name, words, wer, wordLatencyMs, finalLatencyMs }) => [
    name,
    String(words),
    percent(wer),
    ms(wordLatencyMs.p50),
    ms(wordLatencyMs.p95),
    ms(finalLatencyMs.p50),
  ]);
  const total = [
    'all',
    String(result.speakers.reduce((sum, { words }) => sum + words, 0)),
    percent(result.wer),
    ms(result.wordLatencyMs.p50),
    ms(result.wordLatencyMs.p95),
    ms(result.finalLatencyMs.p50),
  ];
  const header = ['speaker', 'words', 'word errors', 'word p50', 'word p95', 'final p50'];
  const lost = `Against the same audio undisturbed: ${result.lostWords} words lost, ${result.duplicatedWords} doubled, ${result.changedWords} changed. Resyncs: ${result.resyncs}.`;
  const what =
    'word: end of a spoken word to the word in the viewer; final: end of speech to the settled segment.';
  return `${formatColumns([header, ...speakers, total])}\n${what}\n${lost} Model: ${result.model}.\n`;
}

const ms = (value: number | null): string => (value === null ? '–' : `${Math.round(value)} ms`);
const percent = (value: number | null): string => (value === null ? '–' : `${(value * 100).toFixed(1)} %`);
