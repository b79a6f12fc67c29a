import type { Room } from 'livekit-client';
import type { CaptionListener, CaptionSource, LinkState } from '../../sources/caption-source.js';
import { LiveKitSource } from '../../live-captions.js';

/** The contract's captions of a room that is joined later, and why it is not joined, or not any more. */
export class RoomSource implements CaptionSource {
  readonly #talking: (identities: ReadonlySet<string>) => void;
  #listener: CaptionListener | undefined;
  #source: LiveKitSource | undefined;
  #refusal: LinkState | undefined;

  /** `talking`: whose words are coming in at the moment, after each change. */
  constructor(talking: (identities: ReadonlySet<string>) => void) {
    this.#talking = talking;
  }

  start(listener: CaptionListener): void {
    this.#listener = listener;
    if (this.#source === undefined) listener.linkChanged(this.#refusal ?? { kind: 'connecting' });
    else this.#follow(listener);
  }

  /** A room that is about to be joined. */
  read(room: Room): void {
    // The page reads the other roads itself, to show them as they are.
    this.#source = new LiveKitSource(room, { roads: ['captions'] });
    if (this.#listener !== undefined) this.#follow(this.#listener);
  }

  /** For good. `reason` is for a person. */
  refuse(reason: string): void {
    this.#refusal = { kind: 'refused', cause: 'told', reason };
    this.#listener?.linkChanged(this.#refusal);
  }

  retryNow(): void {
    this.#source?.retryNow();
  }

  close(): void {
    this.#listener = undefined;
    this.#source?.close();
  }

  #follow(listener: CaptionListener): void {
    this.#source?.start({
      changed: (state) => {
        listener.changed(state);
        this.#talking(new Set(state.open.map(({ speaker }) => speaker.identity)));
      },
      linkChanged: (link) => listener.linkChanged(this.#refusal ?? link),
    });
  }
}
