import { Room } from 'livekit-client';
import { LiveCaptions, LiveKitSource } from '../../../web/live-captions.js';
import type { Client } from './clients.js';

/** An application that hands its own room to our component: `data-road` tells what the component reads. */
export async function joinWithElement({ url, token, section }: Client): Promise<void> {
  const room = new Room();
  const captions = new LiveCaptions();
  captions.source = new LiveKitSource(room, { roadChanged: (road) => (section.dataset['road'] = road) });
  section.append(captions);
  await room.connect(url, token);
  section.dataset['joined'] = 'yes';
}
