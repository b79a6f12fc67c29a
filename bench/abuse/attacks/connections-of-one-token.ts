import type { Attack } from '../attack.js';
import { captionsPath, HostileSocket, resyncOf } from '../hostile-socket.js';

const ROOM = 'honest';
const CONNECTIONS = 3000;
/** Opened together, so that opening them does not take the whole flood. */
const AT_ONCE = 200;
const RESYNC_EVERY_MS = 250;
/** No person needs more viewers than this at once. */
const SENSIBLE = 100;

export const connectionsOfOneToken: Attack = {
  name: 'F10',
  title: '3,000 viewers of one token in the honest room, each asking for snapshots four times a second',
  venue: 'gateway',
  async run(context) {
    const token = await context.token({ room: ROOM, identity: 'eve', video: { canPublish: false } });
    const sockets: HostileSocket[] = [];
    const resync = resyncOf(ROOM);
    const asking = setInterval(() => {
      for (const socket of sockets) socket.send(resync);
    }, RESYNC_EVERY_MS);
    // Those that are open ask meanwhile.
    while (sockets.length < CONNECTIONS && !context.flood.aborted) {
      const batch = Array.from(
        { length: AT_ONCE },
        () => new HostileSocket(context, { path: captionsPath(ROOM), token }),
      );
      sockets.push(...batch);
      await Promise.all(batch.map((socket) => socket.opened));
    }
    while (!context.flood.aborted) await new Promise((resolve) => setTimeout(resolve, RESYNC_EVERY_MS));
    clearInterval(asking);
    const open = sockets.filter((socket) => socket.isOpen).length;
    context.tally.remark(`${open} of ${sockets.length} connections were open at the end`);
    if (open > SENSIBLE) context.tally.breach(`${open} connections of one token at the same time`);
    for (const socket of sockets) socket.leave();
  },
};
