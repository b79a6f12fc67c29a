/** Tokens that LiveKit's server signs for participants: what they say is partly the participants' own doing. */
import { dispose, Room } from '@livekit/rtc-node';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessToken, CAPTIONER_ATTRIBUTE } from '../testing/access-token.js';
import { captionerHello, CaptionerPeer } from '../testing/captioner-peer.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { textMatching } from '../testing/matchers.js';
import type { TestGateway } from '../testing/test-gateway.js';
import { waitFor } from '../testing/wait-until.js';
import { prepareSdk } from './prepare-sdk.js';
import { startLiveKitGateway } from './testing/captioned-meeting.js';
import { describeWithModelAndLiveKit, startTestLiveKit, type TestLiveKit } from './testing/livekit-server.js';

describeWithModelAndLiveKit('a token that LiveKit refreshed', (model) => {
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;
  let gateway: TestGateway;

  beforeAll(async () => {
    server = await startTestLiveKit();
    gateway = await startLiveKitGateway(model, server);
  });
  afterAll(async () => {
    await gateway.close();
    await server.stop();
    await dispose();
  });

  it.each([
    ['a participant who gives themselves the attribute of captioners', false],
    ['a captioner, whose claim it does not have', true],
  ])('for %s makes no captioner', async (_, isCaptioner) => {
    prepareSdk();
    const room = new Room();
    afterThis(() => room.disconnect());
    const token = await accessToken({
      identity: 'mallory',
      issuer: server.apiKey,
      secret: server.apiSecret,
      video: { room: 'refreshed', roomJoin: true, canUpdateOwnMetadata: true },
      isCaptioner,
    });
    const refreshed: string[] = [];
    await room.connect(server.url, token, { autoSubscribe: false, dynacast: false });
    globalThis._ffiClientInstance?.on('ffi_event', ({ message }) => {
      if (message.case === 'roomEvent' && message.value.message.case === 'tokenRefreshed')
        refreshed.push(message.value.message.value.token ?? '');
    });
    await room.localParticipant?.setAttributes(CAPTIONER_ATTRIBUTE);
    const signed = await waitFor('no token with the attribute', () =>
      refreshed.find((candidate) => decodeJwt(candidate)['attributes'] !== undefined),
    );
    expect(decodeJwt(signed)).toMatchObject({ sub: 'mallory', attributes: CAPTIONER_ATTRIBUTE });
    expect(decodeJwt(token)['captionGateway']).toEqual(isCaptioner ? { captioner: true } : undefined);
    expect(decodeJwt(signed)).not.toHaveProperty('captionGateway');
    const peer = new CaptionerPeer(gateway.url, { room: 'refreshed', token: signed });
    peer.socket.once('open', () => peer.send(captionerHello({ captioner: { identity: 'mallory' } })));
    expect(await peer.ended()).toEqual({ code: 4403, reason: textMatching(/^forbidden: The attribute/) });
  });
});
