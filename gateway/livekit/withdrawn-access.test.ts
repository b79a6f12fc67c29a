/** What LiveKit's server takes away from a participant ends on the gateway's own ways in, too. */
import { dispose } from '@livekit/rtc-node';
import { RoomServiceClient, TrackSource } from 'livekit-server-sdk';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { participantIdentity } from '../../protocol/index.js';
import { accessToken } from '../testing/access-token.js';
import { captionerHello } from '../testing/captioner-peer.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { textMatching } from '../testing/matchers.js';
import { helloWith, RawPeer } from '../testing/raw-peer.js';
import type { TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { MeetingRoom, startLiveKitGateway } from './testing/captioned-meeting.js';
import { describeWithModelAndLiveKit, startTestLiveKit, type TestLiveKit } from './testing/livekit-server.js';

const TIMEOUT_MS = 120_000;
const WITHDRAWN = textMatching(/^access_withdrawn: /);

interface Connections {
  readonly viewer: RawPeer;
  readonly speaker: RawPeer;
  readonly captioner: RawPeer;
}

describeWithModelAndLiveKit('a participant of a room in which the bot is', (model) => {
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;
  let gateway: TestGateway;
  let admin: RoomServiceClient;
  let room: MeetingRoom;
  let rooms = 0;

  beforeAll(async () => {
    server = await startTestLiveKit();
    gateway = await startLiveKitGateway(model, server);
    admin = new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
  });
  beforeEach(async () => {
    rooms += 1;
    room = new MeetingRoom(server, `access-${rooms}`);
    afterThis(() => room.leave());
    await room.viewer('mallory');
    await room.viewer('bo');
    await room.dispatch();
    await waitUntil(() =>
      gateway.livekit?.captioners.captionerOf(room.name)?.isConnected === true
        ? undefined
        : 'no captioner in the room',
    );
  });
  afterAll(async () => {
    await gateway.close();
    await server.stop();
    await dispose();
  });

  /** As the application makes them. */
  const tokenOf = (identity: string, issuedInS: number): Promise<string> =>
    accessToken({
      identity,
      name: identity,
      issuer: server.apiKey,
      secret: server.apiSecret,
      video: { room: room.name, roomJoin: true },
      isCaptioner: true,
      issuedInS,
    });

  function peer(path: string, token: string, hello?: object): RawPeer {
    const opened = new RawPeer(`${gateway.url}${path}`, { headers: { Authorization: `Bearer ${token}` } });
    afterThis(() => opened.socket.terminate());
    if (hello !== undefined) opened.socket.once('open', () => opened.send(hello));
    return opened;
  }

  const connectAll = (identity: string, token: string): Connections => ({
    viewer: peer(`/v1/captions?room=${room.name}`, token),
    speaker: peer('/v1/ingest', token, helloWith({ room: room.name, speaker: { identity } })),
    captioner: peer(
      `/v1/captioner?room=${room.name}`,
      token,
      captionerHello({ captioner: { identity }, replaces: 'everybody' }),
    ),
  });

  async function areLive({ viewer, speaker, captioner }: Connections): Promise<void> {
    for (const connection of [viewer, speaker, captioner]) await connection.received('access');
    for (const { socket } of [viewer, speaker, captioner]) expect(socket.readyState).toBe(socket.OPEN);
  }

  async function areCutOff(connections: Partial<Connections>): Promise<void> {
    for (const connection of Object.values(connections))
      expect(await connection.closed()).toEqual({ code: 4403, reason: WITHDRAWN });
  }

  /** With a token from before. */
  function isRefused(identity: string): boolean {
    const token = { room: room.name, identity: participantIdentity(identity), issuedAtMs: 0 };
    try {
      gateway.access.check({ ...token, rights: { maySubscribe: true, maySpeak: true } }, 'view');
      return false;
    } catch {
      return true;
    }
  }

  const transcriptStatus = async (token: string): Promise<number> =>
    (
      await fetch(`${gateway.url}/v1/rooms/${room.name}/transcript.txt`, {
        headers: { Authorization: `Bearer ${token}` },
      })
    ).status;

  it(
    'who is removed is cut off on every way in, and comes back with a token that is made afterwards, or by joining again',
    async () => {
      const token = await tokenOf('mallory', -5);
      const mallory = connectAll('mallory', token);
      const bo = connectAll('bo', await tokenOf('bo', -5));
      await areLive(mallory);
      await areLive(bo);
      await admin.removeParticipant(room.name, 'mallory');
      await areCutOff(mallory);
      await areCutOff(connectAll('mallory', token));
      expect(await transcriptStatus(token)).toBe(403);
      for (const { socket } of Object.values(bo) as RawPeer[]) expect(socket.readyState).toBe(socket.OPEN);
      await areLive(connectAll('mallory', await tokenOf('mallory', 2)));
      await room.viewer('mallory');
      await waitUntil(() => (isRefused('mallory') ? 'not let in again' : undefined));
      await areLive(connectAll('mallory', token));
    },
    TIMEOUT_MS,
  );

  it(
    'who may not subscribe any more sees no captions and writes none, until it is given back',
    async () => {
      const token = await tokenOf('mallory', -5);
      const mallory = connectAll('mallory', token);
      await areLive(mallory);
      const rights = { canPublish: true, canPublishData: true };
      await admin.updateParticipant(room.name, 'mallory', {
        permission: { ...rights, canSubscribe: false },
      });
      await areCutOff({ viewer: mallory.viewer, captioner: mallory.captioner });
      expect(mallory.speaker.socket.readyState).toBe(mallory.speaker.socket.OPEN);
      expect(await transcriptStatus(token)).toBe(403);
      await admin.updateParticipant(room.name, 'mallory', { permission: { ...rights, canSubscribe: true } });
      await waitUntil(() => (isRefused('mallory') ? 'not given back' : undefined));
      await areLive(connectAll('mallory', token));
    },
    TIMEOUT_MS,
  );

  it(
    'who may not publish any more, or no microphone, is not heard and writes no captions',
    async () => {
      const token = await tokenOf('mallory', -5);
      const mallory = connectAll('mallory', token);
      await areLive(mallory);
      await admin.updateParticipant(room.name, 'mallory', {
        permission: { canSubscribe: true, canPublish: true, canPublishSources: [TrackSource.CAMERA] },
      });
      await areCutOff({ speaker: mallory.speaker, captioner: mallory.captioner });
      expect(mallory.viewer.socket.readyState).toBe(mallory.viewer.socket.OPEN);
    },
    TIMEOUT_MS,
  );

  it(
    'everybody is cut off when the room is deleted',
    async () => {
      const tokens = { mallory: await tokenOf('mallory', -5), bo: await tokenOf('bo', -5) };
      const mallory = connectAll('mallory', tokens.mallory);
      const bo = connectAll('bo', tokens.bo);
      await areLive(mallory);
      await areLive(bo);
      await admin.deleteRoom(room.name);
      await areCutOff(mallory);
      await areCutOff(bo);
      expect(await transcriptStatus(tokens.bo)).toBe(403);
    },
    TIMEOUT_MS,
  );
});
