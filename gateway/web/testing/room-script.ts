import { epochMs, participantIdentity, segmentId, type Speaker } from '../../../protocol/index.js';
import type { Room } from '../../rooms/room.js';

/** Somebody whose identity is the name. */
export const person = (name: string): Speaker => ({ identity: participantIdentity(name), name });

/** Lets `speaker` say something in `room`: the whole text of a segment so far, of which `stable` words stay (default all). */
export function say(
  room: Room,
  what: {
    speaker: Speaker;
    segment: string;
    text: string;
    isFinal?: boolean;
    stable?: number;
    atMs?: number;
  },
): void {
  const startMs = epochMs(room.epochMs + (what.atMs ?? 0));
  const words = what.text.split(' ').map((text) => ({ text, startMs, endMs: startMs }));
  room.publishDelta({
    speaker: what.speaker,
    segment: segmentId(what.segment),
    keep: 0,
    words,
    stable: what.stable ?? words.length,
    isFinal: what.isFinal ?? true,
    language: 'en',
  });
}
