import { normaliseWords } from '../../asr/index.js';
import type {
  CaptionWord,
  ParticipantIdentity,
  RoomName,
  SegmentId,
  SegmentState,
} from '../../protocol/index.js';
import { type CaptionClient, connectCaptions } from '../client/caption-client.js';

/** Every final that a viewer was ever sent, over all gateways that stood behind one address. */
export class PublishedFinals {
  readonly viewer: CaptionClient;
  readonly #segments = new Map<SegmentId, SegmentState>();

  constructor(url: string, room: RoomName) {
    this.viewer = connectCaptions({
      url,
      room,
      changed: ({ finals }) => {
        for (const final of finals) this.#segments.set(final.segment, final);
      },
    });
  }

  /** In the order in which they were published. */
  segmentsOf(identity: ParticipantIdentity): SegmentState[] {
    return [...this.#segments.values()].filter(({ speaker }) => speaker.identity === identity);
  }

  wordsOf(identity: ParticipantIdentity): readonly CaptionWord[] {
    return this.segmentsOf(identity).flatMap(({ words }) => words);
  }

  /** Comparable words. */
  textsOf(identity: ParticipantIdentity): string[] {
    return normaliseWords(
      this.wordsOf(identity)
        .map(({ text }) => text)
        .join(' '),
    );
  }

  close(): void {
    this.viewer.close();
  }
}
