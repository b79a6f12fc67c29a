import { STREAM_SPEAKER_ATTRIBUTE } from '../../../protocol/index.js';
import type { TextStream } from '../room-outlet.js';
import type { SegmentText } from './newest-per-segment.js';
import type { RoadContext } from './road.js';

/** The stream as it is sent now: signed, where there is a key. */
export function signedStream(
  { outlet, room }: Pick<RoadContext, 'outlet' | 'room'>,
  { segment, isFinal, stream }: SegmentText & { readonly stream: TextStream },
): TextStream {
  const { speaker, text } = stream;
  const signature = outlet.key?.signStream({ room: room.name, speaker, segment, isFinal, text });
  if (signature === undefined) return stream;
  // LiveKit cannot read what is encrypted, and so leaves out who sends it.
  const named = outlet.isEncrypted ? { [STREAM_SPEAKER_ATTRIBUTE]: speaker } : {};
  return { ...stream, attributes: { ...stream.attributes, ...named, ...signature } };
}
