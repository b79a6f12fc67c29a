import { Room } from 'livekit-client';
import type { Client } from './clients.js';

/** Somebody who opens their microphone as every application does it. */
export async function joinAsSpeaker({ url, token, section }: Client): Promise<void> {
  const room = new Room();
  await room.connect(url, token);
  await room.localParticipant.setMicrophoneEnabled(true);
  section.dataset['joined'] = 'yes';
}
