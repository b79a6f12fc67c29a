import { expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { roomName } from '../../protocol/index.js';
import { connectCaptions } from '../client/caption-client.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { welcomedPeer } from '../testing/raw-peer.js';
import { longestTrack } from '../testing/short-meeting.js';
import { startTestGateway } from '../testing/test-gateway.js';

describeWithModel('the language of the gateway', (model) => {
  const afterwards = cleanupsAfterEach();

  it.each([
    ['is that of speakers who name none', {}, 'en-GB'],
    ['is that of speakers who say null', { language: null }, 'en-GB'],
    ['gives way to the one that a speaker names, however written', { language: 'EN_au' }, 'en-AU'],
  ])('%s', async (_, hello, language) => {
    const gateway = await startTestGateway(model, { settings: { CAPTION_LANGUAGE: 'en-GB' } });
    afterwards(() => gateway.close());
    const viewer = connectCaptions({ url: gateway.url, room: roomName('council'), changed: () => undefined });
    afterwards(() => viewer.close());
    await viewer.ready;
    const speaker = await welcomedPeer(gateway.url, hello);
    speaker.sendPcm((await longestTrack()).pcm);
    speaker.send({ kind: 'end' });
    await speaker.received('ended');
    await viewer.settled();
    expect(new Set(viewer.state.finals.map((segment) => segment.language))).toEqual(new Set([language]));
  });

  it('is refused at the start when the model does not know it', async () => {
    await expect(startTestGateway(model, { settings: { CAPTION_LANGUAGE: 'fr' } })).rejects.toMatchObject({
      code: 'language_unsupported',
    });
  });
});
