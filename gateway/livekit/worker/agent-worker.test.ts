import {
  AvailabilityRequest,
  Job,
  JobAssignment,
  JobStatus,
  JobTermination,
  JobType,
  Room,
} from '@livekit/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { CaptionError, type RoomName, roomName } from '../../../protocol/index.js';
import { createLogger } from '../../log.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitUntil } from '../../testing/wait-until.js';
import type { Captioner, CaptionerRequest } from '../captioner.js';
import type { CaptionerEnd } from '../captioner-end.js';
import { CaptionerRegistry } from '../captioner-registry.js';
import { AgentWorker, type AgentWorkerOptions } from './agent-worker.js';
import { ScriptedAgentServer } from '../testing/scripted-agent-server.js';

const ANSWERS_PINGS = { answersPings: true };

class ScriptedCaptioner implements Captioner {
  readonly room: RoomName;
  readonly request: CaptionerRequest;
  readonly speakerCount = 1;
  readonly ended: Promise<CaptionerEnd>;
  isConnected = true;
  end: (end: CaptionerEnd) => void = () => undefined;

  constructor(request: CaptionerRequest) {
    this.request = request;
    this.room = request.room;
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  async stop(): Promise<void> {
    this.end({ kind: 'stopped' });
    await this.ended;
  }
}

const job = (id: string, room: string | undefined, fields: { type?: JobType; metadata?: string } = {}): Job =>
  new Job({
    id,
    dispatchId: `AD_${id}`,
    type: JobType.JT_ROOM,
    ...fields,
    ...(room === undefined ? {} : { room: new Room({ name: room }) }),
  });

describe('the agent worker', () => {
  const afterThis = cleanupsAfterEach();
  let captioners: ScriptedCaptioner[] = [];
  let maxSpeakers = 100;
  afterEach(() => {
    captioners = [];
    maxSpeakers = 100;
  });

  const start = async (options: Partial<AgentWorkerOptions> = {}, server_ = ANSWERS_PINGS) => {
    const server = await ScriptedAgentServer.start(server_);
    afterThis(() => server.close());
    const registry = new CaptionerRegistry({
      startCaptioner: (request) => {
        const captioner = new ScriptedCaptioner(request);
        captioners.push(captioner);
        return captioner;
      },
      load: () => ({
        speakers: captioners.length,
        maxSpeakers,
        maxRooms: 100,
        busyShare: 0,
        isHealthy: true,
      }),
    });
    afterThis(() => registry.close({ deadlineMs: 0 }));
    const outcomes: string[] = [];
    const worker = new AgentWorker({
      url: server.url,
      apiKey: 'key',
      apiSecret: 'a secret of at least thirty-two characters',
      agentName: 'captions',
      version: '1.0.0',
      captioners: registry,
      participantName: 'Captions',
      participantAttributes: { instance: 'one' },
      mayCaption: () => Promise.resolve(true),
      observer: { registration: (outcome) => void outcomes.push(outcome), offerAnswered: () => undefined },
      log: createLogger('silent'),
      ...options,
    });
    afterThis(() => worker.close());
    await waitUntil(() => (worker.state === 'registered' ? undefined : 'registered'));
    const offer = (offered: Job): void =>
      server.say({ case: 'availability', value: new AvailabilityRequest({ job: offered }) });
    const answer = (jobId: string) => server.heard('availability', (reply) => reply.jobId === jobId);
    const assign = (assigned: Job, token = 'a token'): void =>
      server.say({ case: 'assignment', value: new JobAssignment({ job: assigned, token }) });
    const told = (jobId: string): JobStatus[] =>
      server.all('updateJob').flatMap((update) => (update.jobId === jobId ? [update.status] : []));
    /** Offered, accepted and assigned. */
    const running = async (id: string, room: string): Promise<ScriptedCaptioner> => {
      offer(job(id, room));
      expect(await answer(id)).toMatchObject({ available: true });
      assign(job(id, room, { metadata: 'per room' }));
      await server.heard('updateJob', (update) => update.jobId === id);
      return captioners.at(-1)!;
    };
    return { server, registry, worker, outcomes, offer, answer, assign, told, running };
  };

  it('registers under its name for rooms, hidden and as an agent', async () => {
    const { server } = await start();

    expect(server.all('register')[0]).toMatchObject({
      type: JobType.JT_ROOM,
      agentName: 'captions',
      version: '1.0.0',
      allowedPermissions: {
        hidden: true,
        agent: true,
        canSubscribe: true,
        canPublish: false,
        canPublishData: true,
      },
    });
  });

  it('takes a room: reserved when offered, joined when assigned, reported to its end', async () => {
    const { server, offer, answer, assign, told } = await start();

    offer(job('AJ_1', 'standup'));
    expect(await answer('AJ_1')).toMatchObject({
      available: true,
      terminate: false,
      participantName: 'Captions',
      participantAttributes: { instance: 'one' },
    });
    expect(captioners).toEqual([]);
    assign(job('AJ_1', 'standup', { metadata: '{"language":"fr"}' }), 'the token');
    await server.heard('updateJob', ({ jobId }) => jobId === 'AJ_1');

    expect(captioners.map(({ request }) => request)).toEqual([
      {
        room: 'standup',
        url: server.url,
        token: 'the token',
        dispatchMetadata: '{"language":"fr"}',
        dispatchId: 'AD_AJ_1',
      },
    ]);
    captioners[0]!.end({ kind: 'everybody_left' });
    await server.heard('updateJob', ({ status }) => status === JobStatus.JS_SUCCESS);
    expect(told('AJ_1')).toEqual([JobStatus.JS_RUNNING, JobStatus.JS_SUCCESS]);
  });

  it('reports a room that it could not caption as failed, and why', async () => {
    const { server, running, told } = await start();
    const captioner = await running('AJ_1', 'standup');

    captioner.end({ kind: 'failed', error: new CaptionError('livekit_unreachable', 'nobody is there') });

    const report = await server.heard('updateJob', ({ status }) => status === JobStatus.JS_FAILED);
    expect(report).toMatchObject({ jobId: 'AJ_1', error: 'nobody is there' });
    expect(told('AJ_1')).toEqual([JobStatus.JS_RUNNING, JobStatus.JS_FAILED]);
  });

  it('refuses a room that it captions, for all; of two offers that come together one is accepted', async () => {
    const { offer, answer, running } = await start();
    await running('AJ_1', 'standup');

    offer(job('AJ_2', 'standup'));
    expect(await answer('AJ_2')).toMatchObject({ available: false, terminate: true });

    offer(job('AJ_3', 'review'));
    offer(job('AJ_4', 'review'));
    const answers = [await answer('AJ_3'), await answer('AJ_4')];
    expect(answers.map(({ available }) => available)).toEqual([true, false]);
    expect(answers[1]).toMatchObject({ terminate: true });
  });

  it('refuses for itself alone when it is full or draining', async () => {
    maxSpeakers = 1;
    const { server, worker, offer, answer } = await start();
    offer(job('AJ_1', 'standup'));
    expect(await answer('AJ_1')).toMatchObject({ available: true });

    offer(job('AJ_2', 'review'));
    expect(await answer('AJ_2')).toMatchObject({ available: false, terminate: false });

    worker.drain();
    offer(job('AJ_3', 'retrospective'));
    expect(await answer('AJ_3')).toMatchObject({ available: false, terminate: false });
    expect(server.all('updateWorker').at(-1)).toMatchObject({ load: 1 });
  });

  it('leaves a room to the gateway that has it, and takes it where nobody can say', async () => {
    const { offer, answer } = await start({
      mayCaption: (room) =>
        room === 'theirs' ? Promise.resolve(false) : Promise.reject(new Error('Redis is away')),
    });

    offer(job('AJ_1', 'theirs'));
    expect(await answer('AJ_1')).toMatchObject({ available: false, terminate: true });
    offer(job('AJ_2', 'unknown'));
    expect(await answer('AJ_2')).toMatchObject({ available: true });
  });

  it('refuses offers that are not for it, and serves the next one', async () => {
    const { server, offer, answer } = await start();

    server.say({ case: 'availability', value: new AvailabilityRequest() });
    server.say({ case: 'assignment', value: new JobAssignment() });
    server.say({ case: 'termination', value: new JobTermination({ jobId: 'AJ_never' }) });
    offer(job('AJ_1', undefined));
    offer(job('AJ_2', ''));
    offer(job('AJ_3', 'standup', { type: JobType.JT_PUBLISHER }));

    for (const id of ['AJ_1', 'AJ_2', 'AJ_3'])
      expect(await answer(id)).toMatchObject({ available: false, terminate: false });
    offer(job('AJ_4', 'standup'));
    expect(await answer('AJ_4')).toMatchObject({ available: true });
  });

  it('goes on whatever bytes it is sent', async () => {
    const { server, worker, offer, answer } = await start();
    let count = 0;

    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string()), async (bytes) => {
        server.sayBytes(bytes);
        count += 1;
        const id = `AJ_${String(count)}`;
        offer(job(id, ''));
        await answer(id);
      }),
      { numRuns: 50 },
    );

    expect(server.connections).toBe(1);
    expect(worker.state).toBe('registered');
  });

  it('says so when it is assigned what it has not accepted', async () => {
    const { server, assign } = await start();

    assign(job('AJ_late', 'standup'));

    expect(await server.heard('updateJob', ({ jobId }) => jobId === 'AJ_late')).toMatchObject({
      status: JobStatus.JS_FAILED,
      error: 'not accepted',
    });
    expect(captioners).toEqual([]);
  });

  it('lets a healthy bot stay when its job is terminated, and stops one that has lost its room', async () => {
    const { server, registry, running } = await start({ terminationGraceMs: 1 });
    const healthy = await running('AJ_1', 'standup');
    const lost = await running('AJ_2', 'review');
    lost.isConnected = false;

    for (const jobId of ['AJ_1', 'AJ_2'])
      server.say({ case: 'termination', value: new JobTermination({ jobId }) });

    expect(await lost.ended).toEqual({ kind: 'stopped' });
    expect(registry.captionerOf(healthy.room)).toBe(healthy);
    for (const id of ['AJ_1', 'AJ_2'])
      await server.heard('updateJob', ({ jobId, status }) => jobId === id && status === JobStatus.JS_SUCCESS);
  });

  it('registers again and again when the connection is lost, and its bots go on', async () => {
    const { server, registry, worker, outcomes, running, offer, answer } = await start();
    const captioner = await running('AJ_1', 'standup');

    for (let times = 2; times <= 3; times += 1) {
      server.drop();
      await waitUntil(() =>
        server.connections === times && worker.state === 'registered' ? undefined : 'registered again',
      );
    }

    expect(outcomes).toEqual(['registered', 'lost', 'registered', 'lost', 'registered']);
    expect(registry.captionerOf(roomName('standup'))).toBe(captioner);
    expect(server.all('updateWorker').at(-1)).toMatchObject({ jobCount: 1 });
    // The server has forgotten the job, and offers the room anew.
    offer(job('AJ_2', 'standup'));
    expect(await answer('AJ_2')).toMatchObject({ available: false, terminate: true });
  });

  it('leaves a server that has gone silent', async () => {
    const { outcomes } = await start({ pingIntervalMs: 20 }, { answersPings: false });

    await waitUntil(() => (outcomes.includes('lost') ? undefined : 'the connection is given up'));
  });

  it('tells the ends of its jobs when it is closed', async () => {
    const { server, worker, running, told } = await start();
    await running('AJ_1', 'standup');

    worker.close();
    worker.close();

    await server.heard('updateJob', ({ status }) => status === JobStatus.JS_SUCCESS);
    expect(told('AJ_1')).toEqual([JobStatus.JS_RUNNING, JobStatus.JS_SUCCESS]);
    expect(worker.state).toBe('closed');
  });
});
