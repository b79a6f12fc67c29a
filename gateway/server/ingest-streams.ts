import { CaptionError, type IngestHello } from '../../protocol/index.js';
import type { IngestStream } from './ingest-stream.js';
import { detached } from '../../asr/detached.js';

const SWEEP_INTERVAL_MS = 500;
/** Of streams that have ended: clients that come back learn that nothing is to be sent again. */
const MAX_REMEMBERED = 1000;

/** All speakers on ingest, connected or waiting for their connection to come back. `close` finishes all of them. */
export class IngestStreams {
  readonly #streams = new Map<string, IngestStream>();
  /** Nothing more is heard on them, but last words are still to come; nobody resumes them. */
  readonly #finishing = new Set<IngestStream>();
  /** How much of streams that have ended was heard, and is final. */
  readonly #ended = new Map<string, { readonly hello: IngestHello; readonly heardSamples: number }>();
  readonly #options: { maxSpeakers: number; resumeMs: number; now: () => number };
  readonly #sweepTimer: NodeJS.Timeout;
  #reserved = 0;
  #isClosed = false;

  constructor(options: { maxSpeakers: number; resumeMs: number; now: () => number }) {
    this.#options = options;
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    this.#sweepTimer.unref();
  }

  get count(): number {
    return this.#streams.size;
  }

  /** The stream that `hello` wants to go on with. Undefined when it is gone, or is somebody else's. */
  resumable(hello: IngestHello): IngestStream | undefined {
    const stream = hello.resume === undefined ? undefined : this.#streams.get(hello.resume.stream);
    return stream !== undefined && isOfSame(stream.hello, hello) ? stream : undefined;
  }

  /**
   * Of the stream that `hello` wanted to go on with and that has ended here: how much of it is final, which is all that was heard.
   * 0 where it wanted none; undefined for a stream that is not known here.
   */
  finalThroughSampleOf(hello: IngestHello): number | undefined {
    if (hello.resume === undefined) return 0;
    const ended = this.#ended.get(hello.resume.stream);
    return ended !== undefined && isOfSame(ended.hello, hello) ? ended.heardSamples : undefined;
  }

  /**
   * Adds what `open` makes. A stream of the same speaker in the same room ends: the newer connection counts. It begins when all that
   * was said on former ones has been published: whoever ends it is told that the last final is out, and that must be the last of all.
   * Throws CaptionError `too_many_speakers`.
   */
  async add(hello: IngestHello, open: () => Promise<IngestStream>): Promise<IngestStream> {
    await this.#removeFormer(hello);
    if (this.#streams.size + this.#reserved >= this.#options.maxSpeakers) {
      throw new CaptionError(
        'too_many_speakers',
        'This gateway has all the speakers it may have; try again later.',
        {
          retryable: true,
        },
      );
    }
    this.#reserved += 1;
    try {
      const stream = await open();
      if (this.#isClosed) {
        await stream.close();
        throw new CaptionError('shutting_down', 'The gateway is shutting down.', { retryable: true });
      }
      // Two connections of one speaker may have come this far together.
      const overtaken = this.#removeFormer(hello);
      this.#streams.set(stream.id, stream);
      await overtaken;
      return stream;
    } finally {
      this.#reserved -= 1;
    }
  }

  /** Finishes the streams that this speaker has in this room, if any. */
  async #removeFormer({ room, speaker }: IngestHello): Promise<void> {
    const isFormer = ({ hello }: IngestStream): boolean =>
      hello.room === room && hello.speaker.identity === speaker.identity;
    const finishing = [...this.#finishing].filter(isFormer);
    const open = [...this.#streams.values()].filter(isFormer);
    for (const former of open) former.release();
    await Promise.all([...finishing, ...open].map((former) => this.remove(former)));
  }

  /** Finishes a stream and forgets it when its last final has been published. */
  async remove(stream: IngestStream): Promise<void> {
    this.#streams.delete(stream.id);
    this.#finishing.add(stream);
    try {
      await stream.close();
      this.#remember(stream);
    } finally {
      this.#finishing.delete(stream);
    }
  }

  #remember({ id, hello, expectSample }: IngestStream): void {
    this.#ended.set(id, { hello, heardSamples: expectSample });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > MAX_REMEMBERED && oldest !== undefined) this.#ended.delete(oldest);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweepTimer);
    const streams = [...this.#finishing, ...this.#streams.values()];
    await Promise.all(streams.map((stream) => this.remove(stream)));
  }

  /** Ends streams whose connection did not come back in time. */
  #sweep(): void {
    const nowMs = this.#options.now();
    for (const stream of this.#streams.values()) {
      const { detachedAtMs } = stream;
      if (detachedAtMs !== undefined && nowMs - detachedAtMs >= this.#options.resumeMs)
        detached('end of a speaker', this.remove(stream));
    }
  }
}

/** The same speaker in the same room, whose positions mean the same. */
const isOfSame = (one: IngestHello, other: IngestHello): boolean =>
  one.room === other.room &&
  one.speaker.identity === other.speaker.identity &&
  one.sampleRateHz === other.sampleRateHz;
