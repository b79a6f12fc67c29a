import { participantIdentity, roomName } from '../protocol/index.js';
import { connectCaptions, connectIngest } from '../gateway/index.js';
import { roomOfSpeaker, type Venue } from './venue.js';

/**
 * WebSocket ingest in, WebSocket captions out. `url` is the gateway's, `http://…`; `speakersUrl` where speakers reach it by another
 * way than viewers. `reports`: viewers tell the gateway what they show, which its own report then counts to.
 */
export function ingestVenue(
  url: string,
  { speakersUrl = url, reports = false }: { speakersUrl?: string; reports?: boolean } = {},
): Venue {
  return {
    async open({ rooms, speakers, watch, failed }) {
      const names = [...new Set(speakers.map((_, index) => roomOfSpeaker(rooms, index)))];
      const viewers = names.map((room) =>
        connectCaptions({ url, room: roomName(room), changed: watch, reports }),
      );
      const clients = speakers.map((identity, index) =>
        connectIngest({
          url: speakersUrl,
          room: roomName(roomOfSpeaker(rooms, index)),
          speaker: { identity: participantIdentity(identity), name: '' },
        }),
      );
      const close = (): Promise<void> => {
        for (const connection of [...viewers, ...clients]) connection.close();
        return Promise.resolve();
      };
      try {
        await Promise.all([...viewers, ...clients].map(({ ready }) => ready));
      } catch (error) {
        await close();
        throw error;
      }
      return {
        send: (speaker, frame) => clients[speaker]?.send(frame),
        async end() {
          await Promise.all(
            clients.map((client) => client.end().catch((error: unknown) => failed(String(error)))),
          );
          await Promise.all(viewers.map((viewer) => viewer.settled()));
        },
        close,
      };
    },
  };
}
