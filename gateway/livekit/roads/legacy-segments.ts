import type { SegmentState } from '../../../protocol/index.js';
import type { TranscriptionPacket } from '../room-outlet.js';
import { NewestPerSegment, type SegmentText } from './newest-per-segment.js';
import { onceReadersAreBack } from './readers.js';
import { isTrackSid, mayTellAll, type RoadContext, type SegmentRoad, textOf } from './road.js';
import { SpeakerLanes } from './speaker-lanes.js';
import { ToldTexts } from './told-texts.js';

interface WaitingSegment extends SegmentText {
  readonly told: SegmentState;
  readonly packet: TranscriptionPacket;
}

/**
 * Legacy packets in the manner `agents`: the whole text of a segment under its id, partial and final, as LiveKit's agents send
 * them. Partials have only words that never change.
 */
export class LegacySegments implements SegmentRoad {
  readonly name = 'legacy';
  readonly #context: RoadContext;
  readonly #told = new ToldTexts();
  readonly #lanes: SpeakerLanes<WaitingSegment, NewestPerSegment<WaitingSegment>>;

  constructor(context: RoadContext) {
    this.#context = context;
    const { outlet, readers, observe, log } = context;
    this.#lanes = new SpeakerLanes<WaitingSegment, NewestPerSegment<WaitingSegment>>({
      newQueue: () => new NewestPerSegment(observe),
      send: async ({ told, packet }) => {
        // Packets cannot be addressed: what is not for everybody is for nobody.
        if (readers.entitledTo(told) === undefined) await outlet.sendTranscription(packet);
      },
      outlet: onceReadersAreBack(outlet, readers),
      isWanted: () => outlet.readerCount > 0 && mayTellAll(context),
      observe,
      log,
    });
  }

  get waiting(): number {
    return this.#lanes.waiting;
  }

  begin(): void {
    // Every text is whole: whatever was told before is told again with the next one.
  }

  tell(told: SegmentState): void {
    const { segment, speaker, trackSid, words, stable, isFinal, language } = told;
    const lasting = isFinal ? words : words.slice(0, stable);
    const text = textOf(lasting);
    if (!this.#told.isNews(segment, text, isFinal)) return;
    if (!isTrackSid(trackSid)) {
      if (isFinal) this.#context.observe('no_track');
      return;
    }
    const packet = {
      speaker: speaker.identity,
      trackSid,
      segmentId: segment,
      text,
      startMs: lasting[0]?.startMs ?? 0,
      endMs: lasting.at(-1)?.endMs ?? 0,
      isFinal,
      language,
    };
    this.#lanes.add(speaker.identity, (queue) => queue.add({ segment, isFinal, told, packet }));
  }

  joined(): void {
    // Packets cannot be addressed: what was said before would come to everybody.
  }

  left(): void {
    // Nothing waits for anybody in particular.
  }

  reconnected(): void {
    this.#lanes.wake();
  }

  flushed(): Promise<void> {
    return this.#lanes.rest();
  }

  close(): void {
    this.#lanes.close();
  }
}
