/**
 * Legacy `Transcription` packets. rtc-node drops them (its room.ts has no case for them), so they are read from the events of
 * the library underneath.
 */
import type { FfiListener } from '../sdk-internals.js';

export interface ReceivedSegment {
  readonly id: string;
  readonly text: string;
  /** As sent; Unix epoch milliseconds when our gateway did. */
  readonly startMs: number;
  readonly endMs: number;
  readonly isFinal: boolean;
  readonly language: string;
}

export interface ReceivedTranscription {
  readonly speaker: string;
  readonly trackSid: string;
  readonly segments: readonly ReceivedSegment[];
  /** Monotonic. */
  readonly receivedAtMs: number;
}

/** Calls `received` for every packet of the room with this handle, until the function that it returns is called. */
export function listenToTranscriptions(
  roomHandle: bigint,
  received: (transcription: ReceivedTranscription) => void,
): () => void {
  const listener: FfiListener = ({ message }) => {
    if (message.case !== 'roomEvent' || message.value.roomHandle !== roomHandle) return;
    const event = message.value.message;
    if (event.case !== 'transcriptionReceived') return;
    received({
      speaker: event.value.participantIdentity ?? '',
      trackSid: event.value.trackSid ?? '',
      segments: event.value.segments.map(({ id, text, startTime, endTime, final, language }) => ({
        id: id ?? '',
        text: text ?? '',
        startMs: Number(startTime),
        endMs: Number(endTime),
        isFinal: final ?? false,
        language: language ?? '',
      })),
      receivedAtMs: performance.now(),
    });
  };
  const client = globalThis._ffiClientInstance;
  client?.on('ffi_event', listener);
  return () => client?.off('ffi_event', listener);
}
