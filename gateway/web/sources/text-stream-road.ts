import type { Room, TextStreamReader } from 'livekit-client';
import {
  type CaptionKey,
  STREAM_NUMBER_ATTRIBUTE,
  STREAM_SIGNATURE_ATTRIBUTE,
  STREAM_SPEAKER_ATTRIBUTE,
} from '../../../protocol/index.js';
import { isRefusedUnencrypted } from './encryption.js';
import { OpenStreams, readStreamText } from './stream-text.js';

const TRANSCRIPTION_TOPIC = 'lk.transcription';
const MAX_SEGMENT_CHARS = 256;
/** A gateway sends a stream for each state of a segment; what is above is somebody's flood. */
const MAX_CHECKS_PER_SECOND = 100;
/** Streams of two speakers overtake each other; a number that is older than this many (they count milliseconds) is a repetition. */
const MAX_OVERTAKEN = 30_000;
const MAX_REMEMBERED_SEGMENTS = 500;

export interface StreamedText {
  readonly segment: string;
  readonly identity: string;
  readonly text: string;
  readonly isFinal: boolean;
}

export interface TextStreamRoadOptions {
  readonly room: Room;
  readonly keys: () => readonly CaptionKey[];
  readonly tell: (text: StreamedText) => void;
}

/**
 * Captions as text streams. Where a key of the room is known, only what it has signed; else what LiveKit names a sender for: its
 * server lets nobody but agents write under another's name. Read only while nothing better is: until `stop`.
 */
export class TextStreamRoad {
  readonly #options: TextStreamRoadOptions;
  readonly #open = new OpenStreams();
  /** The newest number of each segment that was told. */
  readonly #numbers = new Map<string, number>();
  #newest = -Infinity;
  #checks = 0;
  #checksSinceMs = -Infinity;
  #isListening = false;

  constructor(options: TextStreamRoadOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#isListening) return;
    try {
      this.#options.room.registerTextStreamHandler(TRANSCRIPTION_TOPIC, (reader, { identity }) => {
        // One that breaks off was never a caption.
        this.#read(reader, identity).catch(() => undefined);
      });
    } catch {
      // The application reads them itself, and LiveKit gives each to one reader: the other roads are left.
      return;
    }
    this.#isListening = true;
  }

  /** Idempotent. LiveKit's SDK drops streams that nobody reads. */
  stop(): void {
    if (this.#isListening) this.#options.room.unregisterTextStreamHandler(TRANSCRIPTION_TOPIC);
    this.#isListening = false;
    this.#numbers.clear();
    this.#newest = -Infinity;
  }

  async #read(reader: TextStreamReader, sender: string): Promise<void> {
    const { info } = reader;
    if (isRefusedUnencrypted(this.#options.room, info.encryptionType)) return;
    const attributes = info.attributes ?? {};
    const segment = attributes['lk.segment_id'] ?? info.id;
    const leave = segment.length > MAX_SEGMENT_CHARS ? undefined : this.#open.enter(sender);
    if (leave === undefined) return;
    try {
      const isFinal = attributes['lk.transcription_final'] === 'true';
      if (this.#options.keys().length > 0) await this.#readSigned(reader, { segment, sender, isFinal });
      else if (sender !== '') await this.#readNamed(reader, { segment, identity: sender, isFinal });
    } finally {
      leave();
    }
  }

  async #readSigned(
    reader: TextStreamReader,
    stream: { segment: string; sender: string; isFinal: boolean },
  ): Promise<void> {
    const { segment, sender, isFinal } = stream;
    const attributes = reader.info.attributes ?? {};
    const signature = attributes[STREAM_SIGNATURE_ATTRIBUTE];
    const number = Number(attributes[STREAM_NUMBER_ATTRIBUTE]);
    // In encrypted rooms LiveKit cannot name the sender of a hidden bot's stream.
    const speaker = sender === '' ? (attributes[STREAM_SPEAKER_ATTRIBUTE] ?? '') : sender;
    if (signature === undefined || !Number.isSafeInteger(number) || speaker === '') return;
    const { text, isWhole } = await readStreamText(reader);
    if (!isWhole) return;
    const signed = { room: this.#options.room.name, speaker, segment, isFinal, number, text };
    for (const key of this.#options.keys()) {
      if (!this.#mayCheck() || !(await key.signedStream(signed, signature))) continue;
      if (this.#isNew(JSON.stringify([speaker, segment]), number))
        this.#tell({ segment, identity: speaker, text, isFinal });
      return;
    }
  }

  /** Agents write a segment as one stream while it is spoken, or as a stream for each of its states. */
  async #readNamed(reader: TextStreamReader, stream: Omit<StreamedText, 'text'>): Promise<void> {
    const tell = (text: string, isFinal: boolean): void => {
      // A key may have come meanwhile: from then on only what is signed counts.
      if (this.#options.keys().length === 0) this.#tell({ ...stream, text, isFinal });
    };
    const { text } = await readStreamText(reader, (grown) => tell(grown, false));
    // The end of a stream may say more than its beginning.
    tell(text, stream.isFinal);
  }

  #tell(text: StreamedText): void {
    if (this.#isListening) this.#options.tell(text);
  }

  #isNew(segment: string, number: number): boolean {
    if (number <= (this.#numbers.get(segment) ?? -Infinity) || number < this.#newest - MAX_OVERTAKEN)
      return false;
    this.#newest = Math.max(this.#newest, number);
    this.#numbers.delete(segment);
    this.#numbers.set(segment, number);
    const [oldest] = this.#numbers.keys();
    if (this.#numbers.size > MAX_REMEMBERED_SEGMENTS && oldest !== undefined) this.#numbers.delete(oldest);
    return true;
  }

  #mayCheck(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#checksSinceMs >= 1000) {
      this.#checksSinceMs = nowMs;
      this.#checks = 0;
    }
    this.#checks += 1;
    return this.#checks <= MAX_CHECKS_PER_SECOND;
  }
}
