/** A captioner that joins its room as the real one does, answers probes, and captions nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import { CaptionError, errorMessage, type RoomName } from '../../../../protocol/index.js';
import { meaningOf } from '../../bot/disconnect-reasons.js';
import { RtcRoom, type RtcRoomListener } from '../../bot/rtc-room.js';
import type { CaptionerEnd } from '../../captioner-end.js';
import type { Captioner, CaptionerRequest } from '../../captioner.js';
import { PROBE_TOPIC } from '../probe.js';

export interface JoiningCaptionerOptions {
  /** Undefined: deaf to probes. */
  readonly probed: ((room: RoomName, bytes: Uint8Array) => void) | undefined;
  /** Before it connects. */
  readonly slownessMs?: number;
  /** At once when the bot was removed. */
  readonly removed: (request: CaptionerRequest) => void;
  /** What a captioner has to finish before it ends. */
  readonly lastWords?: Promise<void>;
}

export class JoiningCaptioner implements Captioner {
  readonly room: RoomName;
  readonly request: CaptionerRequest;
  readonly speakerCount = 1;
  readonly ended: Promise<CaptionerEnd>;
  readonly #options: JoiningCaptionerOptions;
  readonly #stopping = new AbortController();
  #rtc: RtcRoom | undefined;
  #end: ((end: CaptionerEnd) => void) | undefined;

  constructor(request: CaptionerRequest, options: JoiningCaptionerOptions) {
    this.request = request;
    this.room = request.room;
    this.#options = options;
    this.ended = this.#run();
  }

  get isConnected(): boolean {
    return this.#rtc?.isConnected === true;
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new CaptionError('shutting_down', 'Stopped.'));
    this.#end?.({ kind: 'stopped' });
    await this.ended;
  }

  async #run(): Promise<CaptionerEnd> {
    const end = new Promise<CaptionerEnd>((resolve) => (this.#end = resolve));
    try {
      await delay(this.#options.slownessMs ?? 0);
      const { url, token } = this.request;
      this.#rtc = await RtcRoom.connect({ url, token, signal: this.#stopping.signal });
    } catch (error) {
      const failure =
        error instanceof CaptionError ? error : new CaptionError('internal_error', errorMessage(error));
      return this.#stopping.signal.aborted ? { kind: 'stopped' } : { kind: 'failed', error: failure };
    }
    this.#rtc.listen(this.#listener());
    const result = await end;
    if (result.kind === 'removed') this.#options.removed(this.request);
    await this.#options.lastWords;
    await this.#rtc.close();
    return result;
  }

  #listener(): RtcRoomListener {
    const nothing = (): void => undefined;
    return {
      participantJoined: nothing,
      participantLeft: nothing,
      permissionsChanged: () => undefined,
      participantRenamed: nothing,
      trackPublished: nothing,
      trackUnpublished: nothing,
      trackSubscribed: nothing,
      trackUnsubscribed: nothing,
      trackMuted: nothing,
      trackUnmuted: nothing,
      roomMetadataChanged: nothing,
      reconnecting: nothing,
      reconnected: nothing,
      dataReceived: (topic, bytes) => {
        if (topic === PROBE_TOPIC) this.#options.probed?.(this.room, bytes);
      },
      disconnected: (reason) => {
        const meaning = meaningOf(reason);
        this.#end?.(
          meaning === 'rejoin'
            ? { kind: 'failed', error: new CaptionError('livekit_disconnected', 'The room is lost.') }
            : meaning,
        );
      },
    };
  }
}
