import { beforeEach, describe, expect, it } from 'vitest';
import {
  participantIdentity,
  roomName,
  snapshotMessages,
  startEpoch,
  epochMs,
  encodeMessage,
} from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { textWith } from '../testing/matchers.js';
import { type ScriptedConnection, ScriptedGateway } from '../testing/scripted-gateway.js';
import { waitFor, waitUntil } from '../testing/wait-until.js';
import { connectCaptions } from './caption-client.js';
import { connectIngest } from './ingest-client.js';

const council = roomName('council');
const ana = { identity: participantIdentity('ana'), name: 'Ana' };
const EXPIRED = 'token_expired: The access token ended 60 s ago.';

describe('a client whose token ends', () => {
  const afterwards = cleanupsAfterEach();
  let gateway: ScriptedGateway;
  let tokens: string[];
  let bearers: (string | undefined)[];
  /** The first of `tokens`, until a test takes it away. */
  const source = (): Promise<string | undefined> => Promise.resolve(tokens[0]);

  beforeEach(async () => {
    gateway = await ScriptedGateway.start();
    afterwards(() => gateway.close());
    bearers = [];
    gateway.requested = ({ headers }) => bearers.push(headers.authorization);
    tokens = ['first'];
  });

  const messageOf = (connection: ScriptedConnection, kind: string) =>
    waitFor(kind, () => connection.messages.find((message) => message.kind === kind));

  it('speaks on with the one that it hands over', async () => {
    const client = connectIngest({ url: gateway.url, room: council, speaker: ana, token: source });
    afterwards(() => client.close());
    const connection = await gateway.connection(0);
    await messageOf(connection, 'hello');
    connection.send({ kind: 'welcome', version: 1, stream: 's', expectSample: 0 });
    await client.ready;
    tokens = ['second'];
    connection.send({ kind: 'access', expiresAtMs: Date.now() });
    expect(await messageOf(connection, 'token')).toEqual({ kind: 'token', token: 'second' });
    expect(bearers).toEqual(['Bearer first']);
  });

  it('that has no newer one waits, and resumes its stream with it: no audio is lost', async () => {
    const client = connectIngest({ url: gateway.url, room: council, speaker: ana, token: source });
    afterwards(() => client.close());
    const first = await gateway.connection(0);
    await messageOf(first, 'hello');
    first.send({ kind: 'welcome', version: 1, stream: 's', expectSample: 0 });
    await client.ready;
    client.send(Int16Array.of(1, 2, 3));
    await waitUntil(() => (first.samples.length === 3 ? undefined : 'no audio'));
    first.send({ kind: 'error', code: 'token_expired', message: 'It ended.', retryable: true });
    first.socket.close(4401, EXPIRED);
    await waitUntil(() => (first.socket.readyState === first.socket.CLOSED ? undefined : 'open'));
    client.send(Int16Array.of(4));
    tokens = ['second'];
    const again = await gateway.connection(1);
    expect(await messageOf(again, 'hello')).toMatchObject({ resume: { stream: 's', fromSample: 0 } });
    again.send({ kind: 'welcome', version: 1, stream: 's', expectSample: 2 });
    await waitUntil(() => (again.samples.length === 2 ? undefined : 'audio is missing'));
    expect(again.samples).toEqual([3, 4]);
    expect(bearers).toEqual(['Bearer first', 'Bearer second']);
  });

  it('reads on with the one that it hands over, and comes back with it', async () => {
    const ends: boolean[] = [];
    const client = connectCaptions({
      url: gateway.url,
      room: council,
      token: source,
      changed: () => undefined,
      disconnected: ({ isFinal }) => ends.push(isFinal),
    });
    afterwards(() => client.close());
    const first = await gateway.connection(0);
    for (const part of snapshotMessages(startEpoch(council, epochMs(1000)))) first.send(encodeMessage(part));
    await client.ready;
    tokens = ['second'];
    first.send({ v: 1, kind: 'access', expiresAtMs: Date.now() });
    expect(await messageOf(first, 'token')).toEqual({ v: 1, kind: 'token', token: 'second' });
    first.socket.close(4401, EXPIRED);
    await waitUntil(() => (ends.length === 1 ? undefined : 'not ended'));
    tokens = ['third'];
    await gateway.connection(1);
    expect(ends).toEqual([false]);
    expect(bearers).toEqual(['Bearer first', 'Bearer third']);
  });

  it('and was given once and for all ends with it, and says why', async () => {
    const client = connectIngest({ url: gateway.url, room: council, speaker: ana, token: 'fixed' });
    const viewer = connectCaptions({
      url: gateway.url,
      room: council,
      token: 'fixed',
      changed: () => undefined,
    });
    afterwards(() => {
      client.close();
      viewer.close();
    });
    for (const index of [0, 1]) (await gateway.connection(index)).socket.close(4401, EXPIRED);
    const expired = { code: 'connection_closed', message: textWith('token_expired') };
    await expect(client.ready).rejects.toMatchObject(expired);
    await expect(viewer.ready).rejects.toMatchObject(expired);
    expect(gateway.connections).toHaveLength(2);
  });
});
