import { Room, RoomEvent } from 'livekit-client';
import {
  applyMessage,
  type CaptionState,
  decodeMessage,
  encodeMessage,
  initialState,
  resyncMessage,
  roomName,
  segmentsOf,
} from '../../../../protocol/index.js';
import type { Client } from './clients.js';
import { showRows } from './shown-rows.js';

const TOPIC = 'captions';
/** A hole that has not closed by then is worth a snapshot; so is an answer that did not come. */
const RESYNC_AFTER_MS = 1000;

/** Reads the wire contract on the data channel, with the codec and the reducer of `protocol/` and nothing else of ours. */
export async function joinWithCaptions({ url, token, room: name, section }: Client): Promise<void> {
  const room = new Room();
  let state: CaptionState = initialState(roomName(name));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const resync = async (): Promise<void> => {
    clearTimeout(timer);
    timer = setTimeout(() => void resync(), RESYNC_AFTER_MS);
    await room.localParticipant.publishData(encodeMessage(resyncMessage(state)), {
      reliable: true,
      topic: TOPIC,
    });
  };
  room.on(RoomEvent.DataReceived, (...[bytes, , , topic]) => {
    if (topic !== TOPIC) return;
    const message = decodeMessage(bytes);
    if (message === undefined) return;
    state = applyMessage(state, message);
    if (!state.needsResync) {
      clearTimeout(timer);
      timer = undefined;
      section.dataset['joined'] = 'yes';
    } else timer ??= setTimeout(() => void resync(), RESYNC_AFTER_MS);
    const segments = segmentsOf(state).filter(({ words }) => words.length > 0);
    showRows(
      section,
      segments.map(({ speaker, words }) => ({
        speaker: speaker.identity,
        text: words.map(({ text }) => text).join(' '),
      })),
    );
  });
  await room.connect(url, token);
  await resync();
}
