/** Anybody in a room can send text streams: they are read as far as a caption can be long, and told as often as somebody can read. */
const MAX_STREAM_CHARS = 10_000;
const TELL_EVERY_MS = 50;

export interface StreamText {
  readonly text: string;
  /** False where there was more than is read. */
  readonly isWhole: boolean;
}

/** `grown` is called with all that was read by then. Rejects when the stream breaks off. */
export async function readStreamText(
  parts: AsyncIterable<string>,
  grown: (text: string) => void = () => undefined,
): Promise<StreamText> {
  let text = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (): void => {
    timer = undefined;
    grown(text);
  };
  try {
    for await (const part of parts) {
      text += part.slice(0, MAX_STREAM_CHARS - text.length + 1);
      // Ending the loop ends the reading.
      if (text.length > MAX_STREAM_CHARS) return { text: text.slice(0, MAX_STREAM_CHARS), isWhole: false };
      timer ??= setTimeout(tell, TELL_EVERY_MS);
    }
  } finally {
    clearTimeout(timer);
  }
  return { text, isWhole: true };
}

/** How many streams are read at a time, of one participant and of all: whoever opens more is not read. */
const MAX_OPEN_OF_ONE = 8;
const MAX_OPEN = 64;

export class OpenStreams {
  readonly #open = new Map<string, number>();

  /** Undefined where too many are open; else the result is called when the stream is over. */
  enter(identity: string): (() => void) | undefined {
    const ofThis = this.#open.get(identity) ?? 0;
    let all = 0;
    for (const count of this.#open.values()) all += count;
    if (ofThis >= MAX_OPEN_OF_ONE || all >= MAX_OPEN) return undefined;
    this.#open.set(identity, ofThis + 1);
    return () => {
      const left = (this.#open.get(identity) ?? 1) - 1;
      if (left === 0) this.#open.delete(identity);
      else this.#open.set(identity, left);
    };
  }
}
