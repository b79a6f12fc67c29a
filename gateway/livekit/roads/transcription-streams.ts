import { type ParticipantIdentity, type SegmentState } from '../../../protocol/index.js';
import type { TextStream } from '../room-outlet.js';
import { NewestPerSegment, type SegmentText } from './newest-per-segment.js';
import { packetRecipients, recipientGroups, within } from './readers.js';
import { signedStream } from './signed-stream.js';
import { isTrackSid, type RoadContext, type SegmentRoad, textOf } from './road.js';
import { SpeakerLanes } from './speaker-lanes.js';
import { ToldTexts } from './told-texts.js';
import { TranscriptionHistory } from './transcription-history.js';

/** LiveKit's own topic and attributes (agents-js, constants.ts). */
const TRANSCRIPTION_TOPIC = 'lk.transcription';

interface WaitingStream extends SegmentText {
  readonly told: SegmentState;
  readonly stream: TextStream;
}

export interface TranscriptionStreamsOptions {
  /** Whether partials show words that may still change. Default true. */
  readonly showsProvisionalWords?: boolean;
}

/**
 * Text streams as LiveKit's agents send them: every partial and every final is a stream of its own with the whole text of its
 * segment, under the speaker's identity (agents-js, _output.ts). Those who come late are sent the last finals.
 */
export class TranscriptionStreams implements SegmentRoad {
  readonly name = 'transcription';
  readonly #showsProvisionalWords: boolean;
  readonly #told = new ToldTexts();
  readonly #lanes: SpeakerLanes<WaitingStream, NewestPerSegment<WaitingStream>>;
  readonly #history: TranscriptionHistory;

  constructor(context: RoadContext, options: TranscriptionStreamsOptions = {}) {
    this.#showsProvisionalWords = options.showsProvisionalWords ?? true;
    const { outlet, readers, observe, log } = context;
    this.#lanes = new SpeakerLanes<WaitingStream, NewestPerSegment<WaitingStream>>({
      newQueue: () => new NewestPerSegment(observe),
      send: async (waiting) => {
        const stream = signedStream(context, waiting);
        const entitled = readers.entitledTo(waiting.told);
        const recipients =
          entitled === undefined
            ? packetRecipients(outlet.audience)
            : recipientGroups(within(outlet.audience, entitled));
        for (const to of recipients)
          await outlet.sendTextStream(to === undefined ? stream : { ...stream, to });
      },
      outlet,
      isWanted: () => outlet.readerCount > 0,
      observe,
      log,
    });
    this.#history = new TranscriptionHistory(context, streamOf);
  }

  get waiting(): number {
    return this.#lanes.waiting + this.#history.waiting;
  }

  begin(): void {
    // Every text is whole: whatever was told before is told again with the next one.
  }

  tell(segment: SegmentState): void {
    const isWhole = segment.isFinal || this.#showsProvisionalWords;
    const text = textOf(isWhole ? segment.words : segment.words.slice(0, segment.stable));
    if (!this.#told.isNews(segment.segment, text, segment.isFinal)) return;
    const waiting = {
      segment: segment.segment,
      isFinal: segment.isFinal,
      told: segment,
      stream: streamOf(segment, text),
    };
    this.#lanes.add(segment.speaker.identity, (queue) => queue.add(waiting));
  }

  joined(identity: ParticipantIdentity): void {
    this.#history.joined(identity);
  }

  left(identity: ParticipantIdentity): void {
    this.#history.left(identity);
  }

  reconnected(): void {
    this.#lanes.wake();
  }

  flushed(): Promise<void> {
    return this.#lanes.rest();
  }

  close(): void {
    this.#history.close();
    this.#lanes.close();
  }
}

function streamOf({ segment, speaker, trackSid, isFinal }: SegmentState, text: string): TextStream {
  return {
    topic: TRANSCRIPTION_TOPIC,
    // An empty stream has no chunk, and `useTranscriptions` would go on showing what was taken back.
    text: text === '' ? ' ' : text,
    speaker: speaker.identity,
    attributes: {
      'lk.segment_id': segment,
      'lk.transcription_final': String(isFinal),
      ...(isTrackSid(trackSid) ? { 'lk.transcribed_track_id': trackSid } : {}),
    },
  };
}
