import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { roomName } from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { waitUntil } from '../testing/wait-until.js';
import { RtcRoom } from './bot/rtc-room.js';
import { describeWithLiveKit, startTestLiveKit, type TestLiveKit } from './testing/livekit-server.js';
import { mintBotToken } from './tokens.js';
import { disposeSdk } from './dispose-sdk.js';

describeWithLiveKit('a connection to a room whose server names a STUN server', () => {
  const afterThis = cleanupsAfterEach();
  const questions = new Set<number>();
  const stranger = createSocket('udp4', (_question, { port }) => void questions.add(port));
  let server: TestLiveKit;

  beforeAll(async () => {
    stranger.bind(0, '127.0.0.1');
    await once(stranger, 'listening');
    server = await startTestLiveKit({
      sections: { rtc: { stun_servers: [`127.0.0.1:${String(stranger.address().port)}`] } },
    });
  });
  afterAll(async () => {
    await server.stop();
    stranger.close();
    await disposeSdk();
  });

  const connect = async (asksIceServers: boolean): Promise<RtcRoom> => {
    const room = roomName(randomUUID());
    const token = await mintBotToken({ ...server, agentName: 'captions', instance: 'one' }, room);
    const rtc = await RtcRoom.connect({
      url: server.url,
      token,
      asksIceServers,
      signal: new AbortController().signal,
    });
    afterThis(() => rtc.close());
    return rtc;
  };

  it('asks that server only where it is told to', async () => {
    await connect(false);
    expect(questions.size).toBe(0);

    await connect(true);
    await waitUntil(() => (questions.size > 0 ? undefined : 'the server that LiveKit names is asked'));
  });
});
