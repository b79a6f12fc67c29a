/** What the gateway spends on whoever has no token at all. */
import type { Attack, AttackContext } from '../attack.js';
import { type RawConnection, rawConnection, request } from '../hostile-request.js';

const LARGE_BYTES = 1_000_000;
const UNAUTHORISED = 500;
const HALF_HEADERS = 1000;
const EMPTY = 3000;
/** From when a half-sent header must have been given up. */
const MUST_END_WITHIN_MS = 15_000;
const REQUESTS_AT_ONCE = 16;
const ANSWER_DEADLINE_MS = 2000;
const HANDSHAKE =
  'GET /v1/ingest HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YW4gYXR0YWNrZXIncyBrZQ==\r\n\r\n';
/** Of a masked binary frame that is a little longer than what follows (RFC 6455, section 5.2): its end never comes. */
const FRAME_HEADER = Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0, 0x0f, 0xff, 0xff, 0, 0, 0, 0);
const HEADER = `GET /v1/captions?room=a HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Fill: ${'a'.repeat(12_000)}`;

export const unauthorisedData: Attack = {
  name: 'F16',
  title: 'a megabyte each from 500 who have no token, sent with the handshake, in a frame that never ends',
  venue: 'gateway',
  async run(context) {
    const data = new Uint8Array(LARGE_BYTES);
    const connections: RawConnection[] = [];
    while (connections.length < UNAUTHORISED && !context.flood.aborted) {
      const connection = await rawConnection(context, HANDSHAKE);
      if (connection === undefined) continue;
      connections.push(connection);
      connection.write(FRAME_HEADER);
      connection.write(data);
      context.tally.sent(data.length);
    }
    // Read late, so that the gateway has to wait with its closes, too.
    const lines = await Promise.all(
      connections.map((connection) => connection.firstLine(ANSWER_DEADLINE_MS)),
    );
    for (const line of lines)
      context.tally.answered(line === '' ? 'no answer' : `http ${line.split(' ')[1] ?? ''}`);
    await untilClosed(context, connections);
  },
};

export const halfHeaders: Attack = {
  name: 'F16-header',
  title: '1,000 connections that send 12 kB of a header and no more',
  venue: 'gateway',
  run: (context) => hold(context, { connections: HALF_HEADERS, text: HEADER }),
};

export const emptyConnections: Attack = {
  name: 'F16-silent',
  title: '3,000 connections that say nothing',
  venue: 'gateway',
  run: (context) => hold(context, { connections: EMPTY, text: '' }),
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
  { connections, text }: { readonly connections: number; readonly text: string },
): Promise<void> {
  const held: RawConnection[] = [];
  for (let index = 0; index < connections && !context.flood.aborted; index += 1) {
    const connection = await rawConnection(context, text);
    connection?.drain();
    if (connection !== undefined) held.push(connection);
  }
  await untilClosed(context, held);
}

/** All of them must be, after a while. */
async function untilClosed(context: AttackContext, held: readonly RawConnection[]): Promise<void> {
  const givesUpAtMs = performance.now() + MUST_END_WITHIN_MS;
  const open = (): number => held.filter(({ isClosed }) => !isClosed).length;
  while (open() > 0 && performance.now() < givesUpAtMs)
    await new Promise((resolve) => setTimeout(resolve, 250));
  const left = open();
  context.tally.answered('ended by the gateway', held.length - left);
  if (left > 0)
    context.tally.breach(`${left} of ${held.length} still open ${MUST_END_WITHIN_MS / 1000} s later`);
  for (const connection of held) connection.leave();
}
