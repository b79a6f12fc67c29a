import { AgentDispatchClient } from 'livekit-server-sdk';
import type { RoomName } from '../../../protocol/index.js';
import type { LiveKitAccess } from './joined-room.js';

/** Asks for a captioner as La Suite Meet's backend does when somebody opens the subtitles. */
export async function createDispatch(
  server: LiveKitAccess,
  dispatch: { room: RoomName; agentName: string; metadata?: string },
): Promise<void> {
  const client = new AgentDispatchClient(server.url.replace(/^ws/, 'http'), server.apiKey, server.apiSecret);
  const { room, agentName, metadata } = dispatch;
  await client.createDispatch(room, agentName, metadata === undefined ? {} : { metadata });
}
