/** A bounded fuzz of what the gateway reads: frames, addresses, and its parsers. */
import { pathToFileURL } from 'node:url';
import type * as Protocol from '../../../protocol/index.js';
import { captionerClaims } from '../access-token.js';
import type { Attack, AttackContext } from '../attack.js';
import { captionsPath, HostileSocket, ingestHello } from '../hostile-socket.js';
import { rawConnection, request } from '../hostile-request.js';
import { fuzzParsers } from '../fuzz/fuzz-parsers.js';
import { hostileBytes, hostileText } from '../fuzz/hostile-text.js';
import { SeededRandom } from '../fuzz/random.js';
import { CAPTION_MESSAGES, CAPTIONER_MESSAGES, INGEST_MESSAGES } from '../fuzz/valid-messages.js';

const ROOM = 'fuzz';
const PARSER_INPUTS = 200_000;
const FRAMES_A_CONNECTION = 8;
const ANSWER_DEADLINE_MS = 1000;
/** The gateway failed, rather than the client. */
const FAILURES = ['close 4500', 'error internal_error', 'http 500'];

export const hostileMessages: Attack = {
  name: 'fuzz-frames',
  title: 'hostile frames on all three WebSocket endpoints',
  venue: 'gateway',
  async run(context) {
    const random = new SeededRandom(context.target.seed);
    const endpoints = [
      { path: '/v1/ingest', messages: INGEST_MESSAGES, hello: ingestHello(ROOM, 'eve') },
      { path: captionsPath(ROOM), messages: CAPTION_MESSAGES, hello: undefined },
      {
        path: `/v1/captioner?room=${ROOM}`,
        messages: CAPTIONER_MESSAGES,
        hello: { kind: 'hello', version: 1, captioner: { identity: 'eve', name: '' } },
      },
    ];
    const token = await context.token({ room: ROOM, identity: 'eve', claims: captionerClaims });
    while (!context.flood.aborted) {
      const { path, messages, hello } = random.of(endpoints);
      const socket = new HostileSocket(context, { path, token });
      if (!(await socket.opened)) continue;
      // Half of them get as far as where messages count.
      if (hello !== undefined && random.below(2) === 0) socket.sendJson(hello);
      for (let frame = 0; frame < FRAMES_A_CONNECTION; frame += 1)
        socket.send(random.below(3) === 0 ? hostileBytes(random, messages) : hostileText(random, messages));
      await socket.isClosedWithin(random.below(4) === 0 ? ANSWER_DEADLINE_MS : 20);
      socket.leave();
    }
    tellFailures(context);
  },
};

const PATHS = [
  ...[
    '/',
    '/healthz',
    '/readyz',
    '/metrics',
    '/v1/report',
    '/v1/rooms',
    '/room',
    '/v1/ingest',
    '/v1/captions',
  ],
  ...['vtt', 'srt', 'txt', 'md', 'json', 'constructor', '__proto__', 'toString'].map(
    (format) => `/v1/rooms/${ROOM}/transcript.${format}`,
  ),
  ...['transcript', 'meetings', 'captions', 'captions/seq'].map((rest) => `/v1/rooms/${ROOM}/${rest}`),
  ...['..', '.', '%', '%00', '%ff', '%2e%2e%2f', 'a'.repeat(300), '__proto__'].map(
    (room) => `/v1/rooms/${room}/transcript.vtt`,
  ),
];
const QUERIES = [
  '',
  '?from=-1',
  '?from=NaN&to=1e400',
  '?lang=constructor',
  '?meeting=../..',
  '?seq=1e99',
  '?last=%00',
  '?room=%',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];

export const hostileHttp: Attack = {
  name: 'F21',
  title: 'addresses that are none, in all methods, and requests that are none',
  venue: 'gateway',
  // Only where there is a transcript does its format matter.
  async prepare(context) {
    const token = await context.token({ room: ROOM, identity: 'writer', claims: captionerClaims });
    await request(context, `/v1/rooms/${ROOM}/captions?seq=1`, {
      method: 'POST',
      token,
      body: 'Good morning.',
    });
  },
  async run(context) {
    const random = new SeededRandom(context.target.seed);
    const token = await context.token({
      room: ROOM,
      identity: 'eve',
      video: { roomAdmin: true },
      claims: captionerClaims,
    });
    while (!context.flood.aborted) {
      const path = random.of(PATHS) + random.of(QUERIES);
      const method = random.of(METHODS);
      if (random.below(4) === 0)
        await sendRaw(
          context,
          `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n`,
        );
      else {
        const body = method === 'POST' ? hostileText(random, CAPTIONER_MESSAGES) : undefined;
        await request(context, path, { method, token, ...(body === undefined ? {} : { body }) });
      }
    }
    tellFailures(context);
  },
};

/** With hostile headers, as `fetch` would not send it. */
async function sendRaw(context: AttackContext, head: string): Promise<void> {
  const random = new SeededRandom(context.tally.outcome().messages);
  const header = random.of([
    'Content-Length: -1',
    'Transfer-Encoding: chunked\r\n\r\nzz',
    'Origin: \u0000',
    'Upgrade: websocket\r\nConnection: Upgrade',
    'Sec-WebSocket-Protocol: ,,,',
    'Host: b',
  ]);
  const connection = await rawConnection(context, `${head}${header}\r\n\r\n`);
  const line = await connection?.firstLine(ANSWER_DEADLINE_MS);
  context.tally.answered(
    line === undefined || line === '' ? 'no answer' : `http ${line.split(' ')[1] ?? ''}`,
  );
  connection?.leave();
}

export const hostileParsers: Attack = {
  name: 'fuzz-parsers',
  title: '200,000 hostile messages for the parsers of the protocol',
  venue: 'gateway',
  async run({ target, tally }) {
    // Those of the build that is attacked.
    const protocol = (await import(
      new URL('../protocol/index.js', pathToFileURL(target.program)).href
    )) as typeof Protocol;
    const { inputs, accepted, refused, failures } = fuzzParsers(protocol, {
      inputs: PARSER_INPUTS,
      seed: target.seed,
    });
    tally.sent(0, inputs);
    tally.answered('accepted', accepted);
    for (const [code, times] of Object.entries(refused)) tally.answered(`refused ${code}`, times);
    for (const failure of failures.slice(0, 5)) tally.breach(failure);
  },
};

function tellFailures({ tally }: AttackContext): void {
  for (const failure of FAILURES)
    if (tally.countOf(failure) > 0) tally.breach(`${tally.countOf(failure)} times ${failure}`);
}
