import { captionerClaims } from '../access-token.js';
import type { Attack, AttackContext } from '../attack.js';
import { captionsPath, HostileSocket, ingestHello } from '../hostile-socket.js';

const ROOM = 'expiring';
/** Ends of tokens, from now: those of the past are within the leeway that a gateway may give to clocks. */
const EXPIRIES_S = [-55, -5, 2];
const ANSWER_DEADLINE_MS = 1500;
/** LiveKit's leeway is a minute; whoever is still there after that stays. */
const MUST_END_WITHIN_MS = 20_000;

export const expiredToken: Attack = {
  name: 'F6',
  title: 'a viewer, a speaker and a captioner stay when their token has ended',
  venue: 'gateway',
  async run(context) {
    const paths = {
      viewer: captionsPath(ROOM),
      speaker: '/v1/ingest',
      captioner: `/v1/captioner?room=${ROOM}`,
    };
    await Promise.all(
      Object.entries(paths).map(async ([who, path]) => {
        const socket = await connectNearTheEnd(context, { who, path });
        if (socket === undefined) return;
        if (!(await socket.isClosedWithin(MUST_END_WITHIN_MS)))
          context.tally.breach(
            `the ${who} is still connected ${MUST_END_WITHIN_MS / 1000} s after the leeway`,
          );
        else if (socket.closed?.code !== 4401)
          context.tally.breach(
            `the ${who} was ended with ${socket.closed?.code ?? 'nothing'} instead of 4401`,
          );
        socket.leave();
      }),
    );
  },
};

/** With the oldest token that is taken, so that its leeway ends soon. */
async function connectNearTheEnd(
  context: AttackContext,
  { who, path }: { readonly who: string; readonly path: string },
): Promise<HostileSocket | undefined> {
  for (const expiresInS of EXPIRIES_S) {
    const token = await context.token({ room: ROOM, identity: who, expiresInS, claims: captionerClaims });
    const socket = new HostileSocket(context, { path, token });
    await socket.opened;
    if (who === 'speaker') socket.sendJson(ingestHello(ROOM, who));
    if (who === 'captioner')
      socket.sendJson({ kind: 'hello', version: 1, captioner: { identity: who, name: '' } });
    if (!(await socket.isClosedWithin(ANSWER_DEADLINE_MS))) return socket;
    socket.leave();
  }
  context.tally.breach(`no ${who} was let in with a token that had not ended`);
  return undefined;
}
