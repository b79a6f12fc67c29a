import { fileURLToPath } from 'node:url';
import { participantIdentity, type RoomName } from '../../../protocol/index.js';
import { connectIngest } from '../../client/ingest-client.js';
import { loadMeeting } from '../../meeting/meeting.js';
import { playPaced } from '../../meeting/paced-playback.js';
import type { Cleanup } from '../../testing/cleanups.js';

export type FixtureMeeting = 'short-meeting' | 'demo-meeting';

/** Everybody speaks over ingest, `speed` times as fast as people do. Resolves when the last final is out. */
export async function playMeeting(
  meeting: FixtureMeeting,
  options: { url: string; room: RoomName; speed: number; afterwards: (cleanup: Cleanup) => void },
): Promise<void> {
  const { url, room, speed, afterwards } = options;
  const file = fileURLToPath(new URL(`../../../fixtures/meetings/${meeting}.json`, import.meta.url));
  const { tracks } = await loadMeeting(file);
  const speakers = tracks.map(({ identity, name }) =>
    connectIngest({ url, room, speaker: { identity: participantIdentity(identity), name } }),
  );
  afterwards(() => speakers.forEach((speaker) => speaker.close()));
  await Promise.all(speakers.map(({ ready }) => ready));
  const played = tracks.map(({ pcm }, index) => ({
    pcm,
    send: (frame: Int16Array) => speakers[index]?.send(frame),
  }));
  await playPaced(played, { startAtMs: performance.now(), speed });
  await Promise.all(speakers.map((speaker) => speaker.end()));
}
