import { Counter, Gauge, type Registry } from 'prom-client';
import type { RoadEvent, RoadName } from '../livekit/roads/road.js';

/** What the gauges read at the moment of a scrape. */
export interface LiveKitCounts {
  readonly rooms: number;
  readonly speakers: number;
  /** 0 to 1, as LiveKit is told. */
  readonly load: number;
  readonly isRegistered: boolean;
}

/** The LiveKit side of `/metrics`. No label whose values grow with meetings. */
export class LiveKitMetrics {
  readonly #joined: Counter;
  readonly #ended: Counter<'kind'>;
  readonly #reconnects: Counter;
  readonly #offers: Counter<'answer'>;
  readonly #registrations: Counter<'outcome'>;
  readonly #healed: Counter<'cause'>;
  readonly #roads: Counter<'road' | 'event'>;
  readonly #waiting = new Set<{ readonly road: string; readonly read: () => number }>();
  #counts: () => LiveKitCounts = () => ({ rooms: 0, speakers: 0, load: 0, isRegistered: false });

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <Label extends string>(
      name: string,
      help: string,
      labelNames: Label[] = [],
    ): Counter<Label> => new Counter({ name, help, labelNames, registers });
    this.#joined = counter('caption_livekit_joins_total', 'Rooms of LiveKit that a bot joined.');
    this.#ended = counter('caption_livekit_ends_total', 'Bots that left their room, by reason.', ['kind']);
    this.#reconnects = counter(
      'caption_livekit_reconnects_total',
      'Connections to a room that were lost and came back.',
    );
    this.#offers = counter('caption_livekit_offers_total', 'Jobs that LiveKit offered, by our answer.', [
      'answer',
    ]);
    this.#registrations = counter(
      'caption_livekit_registrations_total',
      'Attempts to register as an agent worker, by outcome.',
      ['outcome'],
    );
    this.#healed = counter(
      'caption_livekit_healed_rooms_total',
      'Rooms without a captioner that were found and joined, by cause.',
      ['cause'],
    );
    this.#roads = counter('caption_livekit_road_events_total', 'What happened on the roads into rooms.', [
      'road',
      'event',
    ]);
    // Those that an alert waits for: see `startAtZero`.
    for (const road of ['captions', 'transcription', 'legacy'] satisfies RoadName[])
      for (const event of ['lost', 'late'] satisfies RoadEvent[]) this.#roads.inc({ road, event }, 0);
    const waiting = this.#waiting;
    new Gauge({
      name: 'caption_livekit_road_waiting',
      help: 'Packets and text streams that wait to be sent into rooms, by road.',
      labelNames: ['road'],
      registers,
      collect() {
        this.reset();
        for (const { road, read } of waiting) this.inc({ road }, read());
      },
    });
    const gauge = (name: string, help: string, read: (counts: LiveKitCounts) => number): void => {
      const counts = (): LiveKitCounts => this.#counts();
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read(counts()));
        },
      });
    };
    gauge('caption_livekit_rooms', 'Rooms of LiveKit being captioned.', (counts) => counts.rooms);
    gauge('caption_livekit_speakers', 'Speakers subscribed to in those rooms.', (counts) => counts.speakers);
    gauge('caption_livekit_load', 'Load told to LiveKit, 0 to 1.', (counts) => counts.load);
    gauge('caption_livekit_worker_registered', '1 while registered as an agent worker, else 0.', (counts) =>
      counts.isRegistered ? 1 : 0,
    );
  }

  /** Where the gauges read from. */
  watch(counts: () => LiveKitCounts): void {
    this.#counts = counts;
  }

  joined(): void {
    this.#joined.inc();
  }

  ended(kind: string): void {
    this.#ended.inc({ kind });
  }

  reconnected(): void {
    this.#reconnects.inc();
  }

  offerAnswered(answer: string): void {
    this.#offers.inc({ answer });
  }

  registration(outcome: string): void {
    this.#registrations.inc({ outcome });
  }

  healed(cause: string): void {
    this.#healed.inc({ cause });
  }

  roadEvent(road: string, event: string): void {
    this.#roads.inc({ road, event });
  }

  /** Until the result is called, what waits there is told. */
  roadOpened(road: string, read: () => number): () => void {
    const entry = { road, read };
    this.#waiting.add(entry);
    return () => void this.#waiting.delete(entry);
  }
}
