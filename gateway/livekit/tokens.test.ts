import { TokenVerifier } from 'livekit-server-sdk';
import { expect, it } from 'vitest';
import { roomName } from '../../protocol/index.js';
import { botIdentity, botPlace, INSTANCE_ATTRIBUTE, mintBotToken } from './tokens.js';

const KEY = { apiKey: 'devkey', apiSecret: 'a secret of tests, of at least 32 characters' };
const room = roomName('council');

it('makes tokens like those that LiveKit gives its agents: hidden, for one room, and no more than needed', async () => {
  const token = await mintBotToken({ ...KEY, agentName: 'captions', instance: 'i-1' }, room);

  const claims = await new TokenVerifier(KEY.apiKey, KEY.apiSecret).verify(token);
  expect(claims).toMatchObject({
    sub: 'captions-council',
    kind: 'agent',
    attributes: { [INSTANCE_ATTRIBUTE]: 'i-1' },
  });
  expect(claims.video).toEqual({
    room,
    roomJoin: true,
    agent: true,
    hidden: true,
    canSubscribe: true,
    canPublish: false,
    canPublishData: true,
    canUpdateOwnMetadata: false,
  });
  const lifetimeS = claims.exp! - claims.nbf!;
  expect(lifetimeS).toBe(6 * 3600);
});

it('names the bot as La Suite Meet’s agent is named', () => {
  expect(botIdentity('multi-user-transcriber', room)).toBe('multi-user-transcriber-council');
  expect(botPlace('captions', room)).toEqual({ room, identity: 'captions-council' });
});
