/** One line of the report's files: JSON, one object a line, version 1. No text and no names of people. */
import { roomName, type RoomName } from '../../protocol/index.js';
import { type EncodedTotals, isRecord, LatencyTotals } from './latency-totals.js';

const LINE_VERSION = 1;
export const MINUTE_MS = 60_000;

/** What ran. Written when a gateway starts and at the beginning of each file. */
export interface GatewayFacts {
  /** Tells one start from another. */
  readonly run: string;
  readonly startedAtMs: number;
  readonly version: string;
  readonly model: string;
  readonly precision: string;
  readonly engine: string;
  readonly recognisers: number;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
}

/** How a gateway did in one minute, whether anybody spoke or not: without it, nobody was there to measure. */
export interface GatewayMinute {
  /** The highest of the minute. */
  readonly rooms: number;
  readonly speakers: number;
  readonly utterances: number;
  readonly viewers: number;
  readonly longestBacklogMs: number;
  /** 0 to 1. */
  readonly busyShare: number;
  /** Recogniser processes that ended by themselves. */
  readonly restarts: number;
  readonly failedUtterances: number;
}

export type ReportLine =
  | { readonly kind: 'gateway'; readonly atMs: number; readonly facts: GatewayFacts }
  | { readonly kind: 'minute'; readonly atMs: number; readonly run: string; readonly minute: GatewayMinute }
  /** A part of what a room's minute has: lines of the same minute and room add up. */
  | {
      readonly kind: 'room';
      readonly atMs: number;
      readonly room: RoomName;
      readonly totals: LatencyTotals;
    };

export function encodeReportLine(line: ReportLine): string {
  const head = { v: LINE_VERSION, kind: line.kind, at: line.atMs };
  switch (line.kind) {
    case 'gateway':
      return `${JSON.stringify({ ...head, ...line.facts })}\n`;
    case 'minute':
      return `${JSON.stringify({ ...head, run: line.run, ...line.minute })}\n`;
    case 'room': {
      const totals: EncodedTotals = line.totals.encode();
      return `${JSON.stringify({ ...head, room: line.room, ...totals })}\n`;
    }
  }
}

/** Undefined for a line of another version, or one that was cut off. */
export function decodeReportLine(line: string): ReportLine | undefined {
  let content: unknown;
  try {
    content = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(content) || content['v'] !== LINE_VERSION) return undefined;
  const { at: atMs, kind, room } = content;
  if (typeof atMs !== 'number') return undefined;
  switch (kind) {
    case 'gateway':
      return { kind, atMs, facts: decodeFacts(content) };
    case 'minute':
      return { kind, atMs, run: textOf(content['run']), minute: decodeMinute(content) };
    case 'room': {
      const totals = LatencyTotals.decode(content);
      if (typeof room !== 'string' || room === '' || totals === undefined) return undefined;
      return { kind, atMs, room: roomName(room), totals };
    }
    default:
      return undefined;
  }
}

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

type Content = Readonly<Record<string, unknown>>;

const decodeFacts = (content: Content): GatewayFacts => ({
  run: textOf(content['run']),
  startedAtMs: numberOf(content['startedAtMs']),
  version: textOf(content['version']),
  model: textOf(content['model']),
  precision: textOf(content['precision']),
  engine: textOf(content['engine']),
  recognisers: numberOf(content['recognisers']),
  cpu: textOf(content['cpu']),
  cores: numberOf(content['cores']),
  memoryGb: numberOf(content['memoryGb']),
  node: textOf(content['node']),
});

const decodeMinute = (content: Content): GatewayMinute => ({
  rooms: numberOf(content['rooms']),
  speakers: numberOf(content['speakers']),
  utterances: numberOf(content['utterances']),
  viewers: numberOf(content['viewers']),
  longestBacklogMs: numberOf(content['longestBacklogMs']),
  busyShare: numberOf(content['busyShare']),
  restarts: numberOf(content['restarts']),
  failedUtterances: numberOf(content['failedUtterances']),
});
