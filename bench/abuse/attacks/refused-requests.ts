import type { Attack } from '../attack.js';
import { HostileSocket, captionsPath } from '../hostile-socket.js';
import { request } from '../hostile-request.js';

const AT_ONCE = 16;
/** A line or two a second tell what happens. */
const MOST_LOG_LINES = 60;

export const refusedRequests: Attack = {
  name: 'F27',
  title: 'requests and connections without a token, as often as they are refused',
  venue: 'gateway',
  mostLogLines: MOST_LOG_LINES,
  async run(context) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, index) => {
        while (!context.flood.aborted) {
          if (index % 4 === 0) {
            const socket = new HostileSocket(context, { path: captionsPath('a') });
            await socket.isClosedWithin(5000);
            socket.leave();
          } else await request(context, '/v1/rooms/a/transcript.vtt');
        }
      }),
    );
    if (context.tally.countOf('http 200') > 0) context.tally.breach('a request without a token was answered');
  },
};
