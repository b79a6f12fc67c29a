import { gatewayAddress } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import type { TranscriptFiles } from './transcript-files.js';
import { speakerKey, type Transcript } from './transcript-entry.js';
import { encodeLine, type MeetingEndReason } from './transcript-line.js';
import type { Webhook } from './webhook.js';
import { machineClockMs } from '../clock.js';
import { detached } from '../../asr/detached.js';

/** A shutdown waits no longer for the application to take a notice; on disk it is told at the next start. */
const CLOSE_DEADLINE_MS = 3000;

export interface MeetingNoticesOptions {
  readonly webhook: Webhook;
  /** Where there are files, they remember whether the application was told. */
  readonly files?: TranscriptFiles;
  /** Where others reach the gateway; empty where nobody said. */
  readonly publicUrl?: string;
  readonly log: Logger;
}

/** Tells the application of meetings that ended; what was said is not in the notice. `close` waits for attempts under way. */
export class MeetingNotices {
  readonly #options: MeetingNoticesOptions;
  readonly #untold = new Set<string>();

  constructor(options: MeetingNoticesOptions) {
    this.#options = options;
  }

  /** The meeting's file, if there is one, is complete. Who is being told already is not told twice. */
  ended(transcript: Transcript, reason: MeetingEndReason): void {
    if (transcript.meeting !== undefined && this.#untold.has(transcript.meeting)) return;
    detached('notice of a meeting’s end', this.#tell(transcript, reason));
  }

  /** A meeting that was deleted: nobody is told of it any more. */
  forget(meeting: string): void {
    this.#untold.delete(meeting);
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_DEADLINE_MS)));
    await Promise.race([this.#options.webhook.close(), deadline]);
    clearTimeout(timer);
  }

  async #tell(transcript: Transcript, reason: MeetingEndReason): Promise<void> {
    const { webhook, files } = this.#options;
    const { room, meeting } = transcript;
    if (room === undefined || meeting === undefined) return;
    this.#untold.add(meeting);
    const outcome = await webhook.deliver({
      id: `msg_${meeting}`,
      body: JSON.stringify(noticeOf(transcript, reason, this.#options.publicUrl)),
      isWanted: () => this.#untold.has(meeting),
    });
    this.#untold.delete(meeting);
    if (outcome === undefined || files === undefined) return;
    const stored = await files.read(room, meeting);
    if (stored === undefined) return;
    const file = files.open(stored.head, stored.bytes);
    file.append(encodeLine({ kind: 'webhook', outcome, atMs: machineClockMs() }, 0));
    await file.close();
  }
}

/** The body of the notice: who wants the words fetches them. */
export function noticeOf(transcript: Transcript, reason: MeetingEndReason, publicUrl = ''): object {
  const {
    room = '',
    meeting = '',
    startedAtMs,
    endedAtMs = startedAtMs,
    entries,
    droppedEntries,
  } = transcript;
  const segments = entries.filter((entry) => entry.kind === 'segment');
  return {
    type: 'meeting.ended',
    timestamp: new Date(endedAtMs).toISOString(),
    data: {
      room,
      meeting,
      startedAt: new Date(startedAtMs).toISOString(),
      endedAt: new Date(endedAtMs).toISOString(),
      reason,
      segments: segments.length,
      words: segments.reduce((sum, { words }) => sum + words.length, 0),
      gaps: entries.length - segments.length,
      droppedEntries,
      speakers: new Set(entries.map(({ speaker }) => speakerKey(speaker))).size,
      transcript: gatewayAddress(publicUrl, `v1/rooms/${encodeURIComponent(room)}/transcript.json`, {
        meeting,
      }),
    },
  };
}
