import { beforeEach, describe, expect, it } from 'vitest';
import { participantIdentity, roomName } from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { type ScriptedConnection, ScriptedGateway } from '../testing/scripted-gateway.js';
import { waitFor, waitUntil } from '../testing/wait-until.js';
import { connectIngest, type IngestClient } from './ingest-client.js';

/** Samples whose value is their position, so that what arrives tells where it comes from. */
const samplesFrom = (first: number, count: number): Int16Array =>
  Int16Array.from({ length: count }, (_, index) => first + index);
const numbers = (first: number, count: number): number[] => [...samplesFrom(first, count)];

describe('connectIngest', () => {
  const afterwards = cleanupsAfterEach();
  let gateway: ScriptedGateway;
  let client: IngestClient;

  beforeEach(async () => {
    gateway = await ScriptedGateway.start();
    afterwards(() => gateway.close());
    client = connectIngest({
      url: gateway.url,
      room: roomName('council'),
      speaker: { identity: participantIdentity('ana'), name: 'Ana' },
      vocabulary: ['ProConnect'],
    });
    afterwards(() => client.close());
  });

  /** The hello of a connection. */
  const hello = (connection: ScriptedConnection) =>
    waitFor('hello', () => connection.messages.find(({ kind }) => kind === 'hello'));

  async function welcome(index: number, stream: string, expectSample: number): Promise<ScriptedConnection> {
    const connection = await gateway.connection(index);
    await hello(connection);
    connection.send({ kind: 'welcome', version: 1, stream, expectSample });
    return connection;
  }

  const arrived = (connection: ScriptedConnection, samples: readonly number[]): Promise<void> =>
    waitUntil(() => (connection.samples.length >= samples.length ? undefined : 'audio is missing')).then(() =>
      expect(connection.samples).toEqual(samples),
    );

  it('says hello, and sends what was spoken meanwhile once it is welcome', async () => {
    client.send(samplesFrom(0, 100));
    const connection = await gateway.connection(0);
    expect(await hello(connection)).toEqual({
      kind: 'hello',
      version: 1,
      room: 'council',
      speaker: { identity: 'ana', name: 'Ana' },
      sampleRateHz: 16_000,
      vocabulary: ['ProConnect'],
    });
    expect(connection.samples).toEqual([]);
    await welcome(0, 's1', 0);
    await client.ready;
    client.send(samplesFrom(100, 50));
    await arrived(connection, numbers(0, 150));
  });

  it('after a dropped connection resumes at the sample that the gateway wants', async () => {
    const first = await welcome(0, 's1', 0);
    await client.ready;
    client.send(samplesFrom(0, 100));
    await arrived(first, numbers(0, 100));
    first.socket.terminate();
    client.send(samplesFrom(100, 100));
    const second = await gateway.connection(1);
    expect(await hello(second)).toMatchObject({ resume: { stream: 's1', fromSample: 0 } });
    await welcome(1, 's1', 70);
    await arrived(second, numbers(70, 130));
  });

  it('keeps a minute, and says from where', async () => {
    const first = await welcome(0, 's1', 0);
    await client.ready;
    first.socket.terminate();
    for (let second = 0; second < 70; second++) client.send(new Int16Array(16_000));
    expect(await hello(await gateway.connection(1))).toMatchObject({
      resume: { stream: 's1', fromSample: 160_000 },
    });
  });

  it('sends another gateway everything again that was not final, and says when it was spoken', async () => {
    const first = await gateway.connection(0);
    await hello(first);
    first.send({ kind: 'welcome', version: 1, stream: 's1', expectSample: 0, finalThroughSample: 0 });
    await client.ready;
    client.send(samplesFrom(0, 16_000));
    client.send(samplesFrom(16_000, 1000));
    await arrived(first, numbers(0, 17_000));
    first.send({
      kind: 'ack',
      receivedThroughSample: 17_000,
      recognisedThroughSample: 16_000,
      finalThroughSample: 900,
      behindMs: 5,
    });
    await waitUntil(() => (client.lastAck === undefined ? 'no acknowledgement' : undefined));
    first.socket.terminate();
    const second = await welcome(1, 's2', 0);
    await arrived(second, numbers(900, 16_100));
    expect(second.messages).toEqual([
      expect.objectContaining({ kind: 'hello', resume: { stream: 's1', fromSample: 0 } }),
      { kind: 'spoken', behindMs: expect.closeTo(1200, -3) as number },
    ]);
  });

  it('begins a new stream with what the former one had not heard', async () => {
    const first = await welcome(0, 's1', 0);
    await client.ready;
    client.send(samplesFrom(0, 100));
    client.send(samplesFrom(100, 100));
    await arrived(first, numbers(0, 200));
    first.send({ kind: 'ack', receivedThroughSample: 100, recognisedThroughSample: 0, behindMs: 5 });
    await waitUntil(() => (client.lastAck === undefined ? 'no acknowledgement' : undefined));
    expect(client.lastAck).toMatchObject({ receivedThroughSample: 100, behindMs: 5 });
    first.socket.terminate();
    const second = await welcome(1, 's2', 0);
    await arrived(second, numbers(100, 100));
    client.send(samplesFrom(200, 10));
    await arrived(second, numbers(100, 110));
    // From here on positions are those of the new stream.
    second.socket.terminate();
    expect(await hello(await gateway.connection(2))).toMatchObject({
      resume: { stream: 's2', fromSample: 0 },
    });
    await arrived(await welcome(2, 's2', 105), numbers(205, 5));
  });

  it('whose end was heard while the connection dropped says nothing twice', async () => {
    const first = await welcome(0, 's1', 0);
    await client.ready;
    client.send(samplesFrom(0, 100));
    const ended = client.end();
    await waitUntil(() => (first.messages.some(({ kind }) => kind === 'end') ? undefined : 'no end'));
    first.socket.terminate();
    const second = await welcome(1, 's2', 0);
    await waitUntil(() => (second.messages.some(({ kind }) => kind === 'end') ? undefined : 'no end'));
    second.send({ kind: 'ended', receivedThroughSample: 0 });
    await ended;
    expect(second.samples).toEqual([]);
  });

  it('whose connection dropped before its end was heard sends the rest', async () => {
    const first = await welcome(0, 's1', 0);
    await client.ready;
    first.socket.terminate();
    client.send(samplesFrom(0, 100));
    const ended = client.end();
    const second = await welcome(1, 's1', 0);
    await waitUntil(() => (second.messages.some(({ kind }) => kind === 'end') ? undefined : 'no end'));
    expect(second.samples).toEqual(numbers(0, 100));
    second.send({ kind: 'ended', receivedThroughSample: 100 });
    await expect(ended).resolves.toBeUndefined();
  });

  it('who is muted stays so on a new connection', async () => {
    client.mute();
    const first = await welcome(0, 's1', 0);
    await waitUntil(() => (first.messages.at(-1)?.kind === 'mute' ? undefined : 'not muted'));
    first.socket.terminate();
    const second = await welcome(1, 's2', 0);
    await waitUntil(() => (second.messages.at(-1)?.kind === 'mute' ? undefined : 'not muted'));
    client.unmute();
    await waitUntil(() => (second.messages.at(-1)?.kind === 'unmute' ? undefined : 'not unmuted'));
    second.socket.terminate();
    const third = await welcome(2, 's2', 0);
    client.send(samplesFrom(0, 1));
    await arrived(third, [0]);
    expect(third.messages.map(({ kind }) => kind)).toEqual(['hello']);
  });

  it('gives up on an error that will not pass, with its code', async () => {
    const connection = await gateway.connection(0);
    await hello(connection);
    connection.send({ kind: 'error', code: 'language_unsupported', message: 'No.', retryable: false });
    connection.socket.close(4400, 'language_unsupported: No.');
    await expect(client.ready).rejects.toMatchObject({ code: 'language_unsupported', message: 'No.' });
    await expect(client.end()).rejects.toMatchObject({ code: 'language_unsupported' });
    expect(gateway.connections).toHaveLength(1);
  });

  it('gives up on something that answers what no gateway would', async () => {
    const connection = await gateway.connection(0);
    await hello(connection);
    connection.socket.send('{"kind":"welcome","version":1}');
    await expect(client.ready).rejects.toMatchObject({ code: 'message_malformed' });
    await waitUntil(() =>
      connection.socket.readyState === connection.socket.CLOSED ? undefined : 'not closed',
    );
    expect(gateway.connections).toHaveLength(1);
  });

  it('connects again after an error that may pass', async () => {
    const first = await welcome(0, 's1', 0);
    await client.ready;
    first.send({ kind: 'error', code: 'audio_too_fast', message: 'Slower.', retryable: true });
    first.socket.close(4429, 'audio_too_fast');
    expect(await hello(await gateway.connection(1))).toMatchObject({ resume: { stream: 's1' } });
  });

  it('says no more after close', async () => {
    const first = await welcome(0, 's1', 0);
    await client.ready;
    const ended = client.end();
    client.close();
    await expect(ended).rejects.toMatchObject({ code: 'connection_closed' });
    await waitUntil(() => (first.socket.readyState === first.socket.CLOSED ? undefined : 'not closed'));
    expect(gateway.connections).toHaveLength(1);
  });
});
