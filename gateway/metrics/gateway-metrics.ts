import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AsrEvent, EngineBacklog, PoolObserver } from '../../asr/index.js';
import { GAP_REASONS } from '../../protocol/index.js';
import type { LatencyObserver } from '../latency/latency-observer.js';
import { LatencyMetrics } from './latency-metrics.js';
import { RESTART_CAUSES, startAtZero } from './start-at-zero.js';

/** What the gauges read at the moment of a scrape. */
export interface GatewayCounts {
  readonly rooms: number;
  readonly speakers: number;
  readonly viewers: number;
  /** People who talk. */
  readonly utterances: number;
  readonly isLive: boolean;
  /** People who write captions. */
  readonly captioners: number;
  readonly transcriptBytes: number;
  /** Expired transcripts should have been deleted by now. */
  readonly isDeletionLate: boolean;
  readonly backlog: EngineBacklog;
  /** Streams of audio, of people connected or expected back. */
  readonly streams: number;
  /** Handed to viewers' connections and not yet sent. */
  readonly unsentBytes: number;
  /** Of the recogniser processes' time, over the last ten seconds: 0 to 1. */
  readonly busyShare: number;
  /** Decoding time for each second of audio, over the same time; 0 while nobody talks. */
  readonly realTimeFactor: number;
}

const NO_BACKLOG: EngineBacklog = {
  totalMs: 0,
  longestMs: 0,
  waitingUtterances: 0,
  unreadEvents: 0,
  coalescedEvents: 0,
};

/** Everything on `/metrics`. Native units (seconds), no label whose values grow with meetings. */
export class GatewayMetrics {
  readonly registry = new Registry();
  /** How late captions are, and where the time goes. */
  readonly latency: LatencyObserver = new LatencyMetrics(this.registry);
  readonly #segments: Counter<'kind'>;
  readonly #words: Counter;
  readonly #gaps: Counter<'reason'>;
  readonly #restarts: Counter<'cause'>;
  readonly #decodeSeconds: Histogram;
  readonly #batchSize: Histogram;
  readonly #failedUtterances: Counter;
  readonly #audioSeconds: Counter;
  readonly #decodedSeconds: Counter;
  readonly #skippedMessages: Counter;
  readonly #resyncs: Counter;
  readonly #refusals: Counter<'code'>;
  readonly #strayErrors: Counter;
  readonly #lostEntries: Counter;
  readonly #droppedEntries: Counter;
  readonly #custodyFailures: Counter;
  readonly #webhooks: Counter<'outcome'>;
  readonly #lostReportLines: Counter;
  #counts: () => GatewayCounts = () => ({
    rooms: 0,
    speakers: 0,
    viewers: 0,
    utterances: 0,
    isLive: false,
    captioners: 0,
    transcriptBytes: 0,
    isDeletionLate: false,
    backlog: NO_BACKLOG,
    busyShare: 0,
    realTimeFactor: 0,
    streams: 0,
    unsentBytes: 0,
  });

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    const counter = <Label extends string>(
      name: string,
      help: string,
      labelNames: Label[] = [],
    ): Counter<Label> => new Counter({ name, help, labelNames, registers });
    this.#segments = counter(
      'caption_segments_total',
      'Versions of caption segments told, partial and final.',
      ['kind'],
    );
    this.#words = counter('caption_words_total', 'Words in final segments.');
    this.#gaps = counter('caption_gaps_total', 'Pieces of speech that were not captioned.', ['reason']);
    this.#restarts = counter(
      'caption_recogniser_restarts_total',
      'Recogniser processes that ended by themselves.',
      ['cause'],
    );
    this.#failedUtterances = counter(
      'caption_failed_utterances_total',
      'Utterances that recognition gave up.',
    );
    this.#audioSeconds = counter('caption_ingest_audio_seconds_total', 'Audio received, in seconds.');
    this.#decodedSeconds = counter(
      'caption_decoded_audio_seconds_total',
      'Speech decoded, in seconds; with the time of decoding calls: the real-time factor.',
    );
    this.#skippedMessages = counter(
      'caption_viewer_skipped_messages_total',
      'Messages not sent to viewers that do not read.',
    );
    this.#resyncs = counter('caption_viewer_resyncs_total', 'Snapshots sent to viewers after their first.');
    this.#refusals = counter(
      'caption_refused_connections_total',
      'Connections refused or ended with an error.',
      ['code'],
    );
    this.#strayErrors = counter(
      'caption_stray_errors_total',
      'Errors inside the gateway that nobody waited for; each is in the log.',
    );
    this.#lostEntries = counter(
      'caption_transcript_lost_entries_total',
      'Entries of transcripts that the disk did not take.',
    );
    this.#custodyFailures = counter(
      'caption_transcript_custody_failures_total',
      'Rounds of ending abandoned meetings and deleting expired transcripts that did not succeed.',
    );
    this.#droppedEntries = counter(
      'caption_transcript_dropped_entries_total',
      'Entries of transcripts that went from memory because a bound was reached.',
    );
    this.#webhooks = counter('caption_webhook_attempts_total', 'Attempts to tell of the end of a meeting.', [
      'outcome',
    ]);
    this.#lostReportLines = counter(
      'caption_report_lost_lines_total',
      'Lines of the latency report that the disk did not take, or had no room for.',
    );
    startAtZero(this.#gaps, 'reason', GAP_REASONS);
    startAtZero(this.#restarts, 'cause', RESTART_CAUSES);
    startAtZero(this.#webhooks, 'outcome', ['delivered', 'failed']);
    this.#decodeSeconds = new Histogram({
      name: 'caption_decode_call_seconds',
      help: 'Duration of one decoding call over a batch of speakers.',
      buckets: [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28],
      registers,
    });
    this.#batchSize = new Histogram({
      name: 'caption_decode_batch_speakers',
      help: 'Speakers in one decoding call.',
      buckets: [1, 2, 4, 8, 16, 32],
      registers,
    });
    const gauge = (name: string, help: string, read: (counts: GatewayCounts) => number): void => {
      const counts = (): GatewayCounts => this.#counts();
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read(counts()));
        },
      });
    };
    gauge('caption_rooms', 'Rooms in memory.', (counts) => counts.rooms);
    gauge('caption_speakers', 'Connected speakers, talking or not.', (counts) => counts.speakers);
    gauge(
      'caption_streams',
      'Streams of audio, of speakers who are connected or may come back.',
      (counts) => counts.streams,
    );
    gauge('caption_viewers', 'Connected viewers.', (counts) => counts.viewers);
    gauge('caption_captioners', 'Connected people who write captions.', (counts) => counts.captioners);
    gauge('caption_transcript_bytes', 'Transcripts in memory, in bytes.', (counts) => counts.transcriptBytes);
    gauge(
      'caption_transcript_deletion_late',
      '1 while expired transcripts should have been deleted and were not; the log says why.',
      (counts) => Number(counts.isDeletionLate),
    );
    gauge('caption_open_utterances', 'People who talk at the moment.', (counts) => counts.utterances);
    gauge(
      'caption_backlog_seconds',
      'Audio that has not led to text yet, of all speakers.',
      ({ backlog }) => backlog.totalMs / 1000,
    );
    gauge(
      'caption_longest_backlog_seconds',
      'The same, of the speaker who is furthest behind.',
      ({ backlog }) => backlog.longestMs / 1000,
    );
    gauge(
      'caption_unpublished_versions',
      'Versions of segments that wait to be published.',
      ({ backlog }) => backlog.unreadEvents,
    );
    gauge(
      'caption_waiting_utterances',
      'Utterances that no recogniser process could take yet.',
      ({ backlog }) => backlog.waitingUtterances,
    );
    gauge(
      'caption_viewer_unsent_bytes',
      'Handed to the connections of viewers and not yet sent, in bytes.',
      ({ unsentBytes }) => unsentBytes,
    );
    gauge(
      'caption_real_time_factor',
      'Decoding time for each second of speech, over ten seconds; 0 while nobody talks.',
      ({ realTimeFactor }) => realTimeFactor,
    );
    gauge(
      'caption_recogniser_busy_ratio',
      'Share of the recognisers’ time spent decoding, over ten seconds; near 1 they cannot keep up.',
      ({ busyShare }) => busyShare,
    );
    const counts = (): GatewayCounts => this.#counts();
    new Counter({
      name: 'caption_coalesced_versions_total',
      help: 'Versions of segments replaced by newer ones before they were published.',
      registers,
      collect() {
        this.reset();
        this.inc(counts().backlog.coalescedEvents);
      },
    });
    gauge('caption_recogniser_live', '1 when recognition runs undisturbed, else 0.', (counts) =>
      counts.isLive ? 1 : 0,
    );
  }

  /** Where the gauges read from. */
  watch(counts: () => GatewayCounts): void {
    this.#counts = counts;
  }

  /** At this moment. */
  get counts(): GatewayCounts {
    return this.#counts();
  }

  readonly pool: PoolObserver = {
    decodeCall: ({ callMs, batchSize, audioMs }) => {
      if (batchSize === 0) return;
      this.#decodedSeconds.inc(audioMs / 1000);
      this.#decodeSeconds.observe(callMs / 1000);
      this.#batchSize.observe(batchSize);
    },
    childDown: ({ cause }) => this.#restarts.inc({ cause }),
    utteranceFailed: () => this.#failedUtterances.inc(),
  };

  asrEvent(event: AsrEvent): void {
    switch (event.kind) {
      case 'segment':
        this.#segments.inc({ kind: event.isFinal ? 'final' : 'partial' });
        if (event.isFinal) this.#words.inc(event.words.length);
        return;
      case 'gap':
        this.#gaps.inc({ reason: event.reason });
    }
  }

  ingestAudio(durationMs: number): void {
    this.#audioSeconds.inc(durationMs / 1000);
  }

  viewerSkipped(): void {
    this.#skippedMessages.inc();
  }

  viewerResynced(): void {
    this.#resyncs.inc();
  }

  transcriptDropped(entries: number): void {
    this.#droppedEntries.inc(entries);
  }

  transcriptCustodyFailed(): void {
    this.#custodyFailures.inc();
  }

  transcriptLost(entries: number): void {
    this.#lostEntries.inc(entries);
  }

  reportLost(lines: number): void {
    this.#lostReportLines.inc(lines);
  }

  webhookAttempted(outcome: 'delivered' | 'failed'): void {
    this.#webhooks.inc({ outcome });
  }

  strayError(): void {
    this.#strayErrors.inc();
  }

  refused(code: string): void {
    this.#refusals.inc({ code });
  }
}
