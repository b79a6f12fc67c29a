/** What the gateway spends on whoever has no token at all. */
import type { Attack, AttackContext } from '../attack.js';
import { HostileSocket } from '../hostile-socket.js';
import { type RawConnection, rawConnection, request } from '../hostile-request.js';

const LARGE_BYTES = 1_000_000;
const UNAUTHORISED = 500;
const AT_ONCE = 50;
const HALF_HEADERS = 1000;
const EMPTY = 3000;
/** From when a half-sent header must have been given up. */
const MUST_END_WITHIN_MS = 15_000;
const REQUESTS_AT_ONCE = 16;
const HEADER = `GET /v1/captions?room=a HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Fill: ${'a'.repeat(12_000)}`;

export const unauthorisedData: Attack = {
  name: 'F16',
  title: 'a megabyte from everybody before anybody has looked at the token they do not have',
  venue: 'gateway',
  async run(context) {
    const data = new Uint8Array(LARGE_BYTES);
    let begun = 0;
    while (begun < UNAUTHORISED && !context.flood.aborted) {
      const sockets = Array.from(
        { length: AT_ONCE },
        () => new HostileSocket(context, { path: '/v1/ingest' }),
      );
      begun += sockets.length;
      await Promise.all(
        sockets.map(async (socket) => {
          if (await socket.opened) socket.send(data);
          if (!(await socket.isClosedWithin(MUST_END_WITHIN_MS)))
            context.tally.breach('somebody without a token stayed connected');
          socket.leave();
        }),
      );
    }
  },
};

export const halfHeaders: Attack = {
  name: 'F16-header',
  title: '1,000 connections that send 12 kB of a header and no more',
  venue: 'gateway',
  run: (context) => hold(context, { connections: HALF_HEADERS, text: HEADER, mustEnd: true }),
};

export const emptyConnections: Attack = {
  name: 'F16-silent',
  title: '3,000 connections that say nothing',
  venue: 'gateway',
  run: (context) => hold(context, { connections: EMPTY, text: '', mustEnd: true }),
};

export const metricsForNobody: Attack = {
  name: 'F16-metrics',
  title: 'GET /metrics as often as it is answered, 16 at once',
  venue: 'gateway',
  async run(context) {
    await Promise.all(
      Array.from({ length: REQUESTS_AT_ONCE }, async () => {
        while (!context.flood.aborted) await request(context, '/metrics');
      }),
    );
  },
};

async function hold(
  context: AttackContext,
  {
    connections,
    text,
    mustEnd,
  }: { readonly connections: number; readonly text: string; readonly mustEnd: boolean },
): Promise<void> {
  const held: RawConnection[] = [];
  for (let index = 0; index < connections && !context.flood.aborted; index += 1) {
    const connection = await rawConnection(context, text);
    connection?.drain();
    if (connection !== undefined) held.push(connection);
  }
  const givesUpAtMs = performance.now() + MUST_END_WITHIN_MS;
  const open = (): number => held.filter(({ isClosed }) => !isClosed).length;
  while (open() > 0 && performance.now() < givesUpAtMs)
    await new Promise((resolve) => setTimeout(resolve, 250));
  const left = open();
  context.tally.answered('ended by the gateway', held.length - left);
  if (mustEnd && left > 0)
    context.tally.breach(`${left} of ${held.length} still open ${MUST_END_WITHIN_MS / 1000} s later`);
  for (const connection of held) connection.leave();
}
