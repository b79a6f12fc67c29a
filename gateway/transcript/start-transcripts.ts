import type { Settings } from '../config/settings.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import { GatewayPresence } from './gateway-presence.js';
import { MeetingNotices } from './meeting-notices.js';
import { TranscriptCustody } from './transcript-custody.js';
import { TranscriptFiles } from './transcript-files.js';
import { TranscriptKeeper } from './transcript-keeper.js';
import { Webhook } from './webhook.js';

/** Transcripts as the settings want them, with the disk and the webhook where they are switched on. */
export interface Transcripts {
  readonly keeper: TranscriptKeeper;
  /** Expired transcripts should have been deleted by now. */
  readonly isDeletionLate: boolean;
  /** Ends all meetings, writes and tells so. Idempotent. */
  close(): Promise<void>;
}

/** Undefined where nothing is kept. Throws CaptionError `config_invalid` or `transcript_dir_unusable`. */
export async function startTranscripts(options: {
  settings: Settings;
  metrics: GatewayMetrics;
  log: Logger;
}): Promise<Transcripts | undefined> {
  const { settings, metrics, log } = options;
  if (settings.CAPTION_TRANSCRIPT === 'off') return undefined;
  const files =
    settings.CAPTION_TRANSCRIPT === 'disk'
      ? new TranscriptFiles({
          dir: settings.CAPTION_TRANSCRIPT_DIR,
          retentionDays: settings.CAPTION_TRANSCRIPT_RETENTION_DAYS,
          log,
          lost: (entries) => metrics.transcriptLost(entries),
        })
      : undefined;
  await files?.prepare();
  const withFiles = files === undefined ? {} : { files };
  const notices =
    settings.CAPTION_WEBHOOK_URL === ''
      ? undefined
      : new MeetingNotices({
          webhook: new Webhook({
            url: settings.CAPTION_WEBHOOK_URL,
            secret: settings.CAPTION_WEBHOOK_SECRET,
            log,
            attempted: (outcome) => metrics.webhookAttempted(outcome),
          }),
          publicUrl: settings.CAPTION_PUBLIC_URL,
          log,
          ...withFiles,
        });
  const presence = files === undefined ? undefined : await GatewayPresence.announce(files.dir, log);
  const store = files === undefined || presence === undefined ? {} : { store: { files, presence } };
  const withNotices = notices === undefined ? {} : { notices };
  const keeper = new TranscriptKeeper({
    maxMeetingBytes: settings.CAPTION_TRANSCRIPT_KB * 1024,
    maxBytes: settings.CAPTION_TRANSCRIPT_TOTAL_KB * 1024,
    dropped: (entries) => metrics.transcriptDropped(entries),
    log,
    ...store,
    ...withNotices,
  });
  const custody =
    store.store === undefined
      ? undefined
      : new TranscriptCustody({
          ...store.store,
          log,
          failed: () => metrics.transcriptCustodyFailed(),
          ...withNotices,
        });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await keeper.close();
    await notices?.close();
    await custody?.close();
    await presence?.close();
  };
  return {
    keeper,
    get isDeletionLate() {
      return custody?.isLate ?? false;
    },
    close: () => (closing ??= close()),
  };
}
