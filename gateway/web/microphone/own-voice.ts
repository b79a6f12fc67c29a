/** One's own voice, captioned: from the microphone to the room, with all that can go wrong on the way. */
import type { AccessTokenSource, RoomName, Speaker } from '../../../protocol/index.js';
import { IngestLink } from './ingest-link.js';
import { type Microphone, MicrophoneError, type MicrophoneFailure, openMicrophone } from './microphone.js';

export type OwnVoiceState =
  | { readonly kind: 'off' }
  /** The browser asks the person, or the gateway is being reached. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'on' }
  /** The system holds the microphone, for a phone call for instance: nothing is captioned. */
  | { readonly kind: 'interrupted' }
  /** The connection is away: what is said is kept for a while, and sent when it is back. */
  | { readonly kind: 'waiting' }
  /** The last words are being recognised. */
  | { readonly kind: 'stopping' }
  | { readonly kind: 'no_microphone'; readonly failure: MicrophoneFailure }
  | { readonly kind: 'not_taken'; readonly reason: string };

export interface OwnVoiceOptions {
  /** Of the gateway, `http://…` or `https://…`. */
  readonly gateway: string;
  readonly room: RoomName;
  /** LiveKit access token, or what gives the one that counts now; undefined for none. */
  readonly token: AccessTokenSource | undefined;
  readonly changed: (state: OwnVoiceState) => void;
  /** How loud it is, 0 to 1, every 40 ms while it is on. */
  readonly level: (peak: number) => void;
}

export class OwnVoice {
  readonly #options: OwnVoiceOptions;
  #state: OwnVoiceState = { kind: 'off' };
  #microphone: Microphone | undefined;
  #isInterrupted = false;
  /** Whether the gateway is reached; undefined before that is known. */
  #isLinked: boolean | undefined;
  #link: IngestLink | undefined;

  constructor(options: OwnVoiceOptions) {
    this.#options = options;
  }

  get state(): OwnVoiceState {
    return this.#state;
  }

  get isOn(): boolean {
    return this.#link !== undefined;
  }

  /** In answer to a click. Does nothing while it is on. */
  async start(speaker: Pick<Speaker, 'identity' | 'name'>): Promise<void> {
    if (this.#link !== undefined) return;
    const { gateway, room, token } = this.#options;
    const link = new IngestLink({
      gateway,
      room,
      token,
      speaker,
      changed: (state) => {
        if (this.#link !== link) return;
        if (state.kind === 'connected') this.#linked(true);
        else if (state.kind === 'lost') this.#linked(false);
        else if (state.kind === 'refused') this.#fail({ kind: 'not_taken', reason: state.reason });
      },
    });
    this.#link = link;
    this.#isInterrupted = false;
    this.#isLinked = undefined;
    this.#tell({ kind: 'starting' });
    try {
      const microphone = await openMicrophone({
        heard: ({ pcm, peak }) => {
          link.send(pcm);
          this.#options.level(peak);
        },
        ended: (failure) => this.#fail({ kind: 'no_microphone', failure }),
        interrupted: (isInterrupted) => {
          this.#isInterrupted = isInterrupted;
          if (this.#link === link && this.#isLinked !== undefined) this.#linked(this.#isLinked);
        },
      });
      // Somebody thought better of it while the browser asked.
      if (this.#link !== link) {
        microphone.close();
        return;
      }
      this.#microphone = microphone;
      link.start();
    } catch (error) {
      if (this.#link === link)
        this.#fail({
          kind: 'no_microphone',
          failure: error instanceof MicrophoneError ? error.failure : 'broken',
        });
    }
  }

  /** There is a newer access token: whoever gave the first one is to be asked again. */
  tokenChanged(): void {
    this.#link?.tokenChanged();
  }

  /** Resolves when the last words are captions. */
  async stop(): Promise<void> {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#closeMicrophone();
    this.#tell({ kind: 'stopping' });
    await link.end();
    // It may have been switched on again.
    if (this.#state.kind === 'stopping') this.#tell({ kind: 'off' });
  }

  #linked(isLinked: boolean): void {
    this.#isLinked = isLinked;
    if (!isLinked) this.#tell({ kind: 'waiting' });
    else this.#tell({ kind: this.#isInterrupted ? 'interrupted' : 'on' });
  }

  #fail(state: OwnVoiceState): void {
    const link = this.#link;
    this.#link = undefined;
    this.#closeMicrophone();
    void link?.end();
    this.#tell(state);
  }

  #closeMicrophone(): void {
    this.#microphone?.close();
    this.#microphone = undefined;
    this.#options.level(0);
  }

  #tell(state: OwnVoiceState): void {
    this.#state = state;
    this.#options.changed(state);
  }
}
