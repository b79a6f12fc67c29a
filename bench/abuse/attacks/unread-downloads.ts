import { captionerClaims } from '../access-token.js';
import type { Attack, AttackContext } from '../attack.js';
import { type RawConnection, rawConnection, request } from '../hostile-request.js';

const ROOM = 'downloads';
const DOWNLOADS = 150;
/** As many as may write at once in a room. */
const WRITERS = 8;
const POSTS_EACH = 60;
const LINE_CHARS = 900;
const LOOK_MS = 200;

export const unreadDownloads: Attack = {
  name: 'F8',
  title: '150 downloads of a long transcript that nobody reads, with one token that may watch only',
  venue: 'gateway',
  environment: {
    CAPTION_TRANSCRIPT: 'memory',
    CAPTION_TRANSCRIPT_KB: '16384',
    CAPTION_TRANSCRIPT_TOTAL_KB: '65536',
  },
  prepare: writeLongTranscript,
  async run(context) {
    const token = await context.token({ room: ROOM, identity: 'eve', video: { canPublish: false } });
    const connections: RawConnection[] = [];
    for (let index = 0; index < DOWNLOADS && !context.flood.aborted; index += 1) {
      const connection = await rawConnection(
        context,
        `GET /v1/rooms/${ROOM}/transcript.json HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      if (connection !== undefined) connections.push(connection);
    }
    while (!context.flood.aborted) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const lines = await Promise.all(connections.map((connection) => connection.firstLine(LOOK_MS * 5)));
    for (const line of lines)
      context.tally.answered(line === '' ? 'cut off' : `http ${line.split(' ')[1] ?? ''}`);
    const served = context.tally.countOf('http 200');
    if (served > DOWNLOADS / 2)
      context.tally.breach(`${served} downloads of one token at the same time were begun`);
    for (const connection of connections) connection.leave();
  },
};

/** By people who write captions: a minute of that is as long as hours of talk. */
async function writeLongTranscript(context: AttackContext): Promise<void> {
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      const token = await context.token({
        room: ROOM,
        identity: `writer-${writer}`,
        claims: captionerClaims,
      });
      for (let seq = 1; seq <= POSTS_EACH; seq += 1) {
        const body = `${writer} ${seq} ${'word '.repeat(LINE_CHARS / 5)}`;
        await request(context, `/v1/rooms/${ROOM}/captions?seq=${seq}`, { method: 'POST', token, body });
      }
    }),
  );
  const token = await context.token({ room: ROOM, identity: 'reader' });
  const transcript = await request(context, `/v1/rooms/${ROOM}/transcript.json`, { token });
  context.tally.remark(`the transcript has ${Math.round((transcript?.text.length ?? 0) / 1000)} kB`);
}
