/** The program as a user starts it, killed in the middle of a meeting: what was final is on disk, and the application is told. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { connectCaptions } from '../client/caption-client.js';
import { roomName } from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { welcomedCaptioner } from '../testing/captioner-peer.js';
import type { Program } from '../testing/program.js';
import { waitUntil } from '../testing/wait-until.js';
import { startKeepingGateway } from '../testing/keeping-gateway.js';
import { startToldApplication } from '../testing/told-application.js';

const ROOM = roomName('council');
/** The dead gateway counts as alive for ten seconds. */
const RECOVERY_DEADLINE_MS = 40_000;

const linesOnDisk = (dir: string): number =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .reduce((sum, name) => sum + readFileSync(join(dir, name), 'utf8').split('\n').length - 1, 0);

describeWithModel('a gateway that is killed', () => {
  const afterwards = cleanupsAfterEach();

  async function serve(dir: string, hook: string): Promise<Program & { readonly url: string }> {
    const program = await startKeepingGateway(dir, hook);
    afterwards(() => program.kill());
    return program;
  }

  it('loses no more of a transcript than the line that was open, and tells of the end when it is back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'caption-killed-'));
    afterwards(() => rm(folder, { recursive: true }));
    const dir = join(folder, 'transcripts');
    const application = await startToldApplication();
    afterwards(() => application.close());
    const { url: hook, notices } = application;
    const first = await serve(dir, hook);
    const viewer = connectCaptions({ url: first.url, room: ROOM, changed: () => undefined });
    afterwards(() => viewer.close());
    await viewer.ready;
    const captioner = await welcomedCaptioner(first.url, ROOM, { settleAfterMs: 0 });
    for (let line = 1; line <= 20; line += 1)
      captioner.line(line, `This is line ${line}.`, { isCommitted: true });
    captioner.line(21, 'And this one is still');
    await captioner.received('shown', ({ line }) => line === 21);
    await waitUntil(() => (viewer.state.open.length === 1 ? undefined : 'the last line is not shown'));
    const seen = viewer.state.finals.map(({ words }) => words.map(({ text }) => text).join(' '));
    // A line is handed to the system the moment it is final; only the system's own time for it is waited for.
    await waitUntil(() => (linesOnDisk(dir) > 20 ? undefined : 'the last final is not on disk'));
    await first.kill();

    const [room = ''] = (await readdir(dir)).filter((name) => /^[a-f0-9]{32}$/.test(name));
    const [file = ''] = await readdir(join(dir, room));
    const path = join(dir, room, file);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const written = (await readFile(path, 'utf8')).trimEnd().split('\n').slice(1);
    const texts = written.map((line) =>
      (JSON.parse(line) as { words: [string][] }).words.map(([text]) => text).join(' '),
    );
    expect(texts).toEqual(seen);
    expect(texts).toHaveLength(20);

    application.comeUp();
    const second = await serve(dir, hook);
    const meeting = file.replace('.jsonl', '');
    const address = `${second.url}/v1/rooms/council/transcript.txt?meeting=${meeting}`;
    const text = await (await fetch(address)).text();
    expect(text.match(/^\[.*/gm)?.map((line) => line.slice(line.indexOf('Carol')))).toEqual(
      seen.map((line) => `Carol: ${line}`),
    );
    await waitUntil(() => (notices.length > 0 ? undefined : 'nobody was told'), RECOVERY_DEADLINE_MS);
    expect(notices[0]).toMatchObject({
      id: `msg_${meeting}`,
      type: 'meeting.ended',
      data: { room: 'council', meeting, reason: 'gateway_died', segments: 20, words: 80, speakers: 1 },
    });
    // What was told is not told again by the next start.
    await waitUntil(async () =>
      (await readFile(path, 'utf8')).includes('"delivered"') ? undefined : 'the file does not say so',
    );
    second.child.kill('SIGTERM');
    await second.ended;
    const third = await serve(dir, hook);
    const another = await welcomedCaptioner(third.url, 'elsewhere', { settleAfterMs: 0 });
    another.line(1, 'A later meeting.', { isCommitted: true });
    await another.received('settled');
    third.child.kill('SIGTERM');
    await third.ended;
    await waitUntil(() => (notices.length > 1 ? undefined : 'the second end was not told'));
    expect(notices.slice(1).map(({ data }) => [data['room'], data['reason']])).toEqual([
      ['elsewhere', 'gateway_stopped'],
    ]);
  }, 120_000);

  it('leaves its meetings to another one with the same folder, which goes on with its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'caption-shared-'));
    afterwards(() => rm(folder, { recursive: true }));
    const dir = join(folder, 'transcripts');
    const application = await startToldApplication();
    afterwards(() => application.close());
    application.comeUp();
    const { url: hook, notices } = application;
    const write = async (url: string, room: string) => {
      const captioner = await welcomedCaptioner(url, room, { settleAfterMs: 0 });
      captioner.line(1, `Said in ${room}.`, { isCommitted: true });
      await captioner.received('settled');
      return captioner;
    };
    const [first, second] = [await serve(dir, hook), await serve(dir, hook)];
    await write(first.url, 'killed');
    const goesOn = await write(second.url, 'goes on');
    // It looks after the folder next, and began after that meeting did.
    const third = await serve(dir, hook);
    await write(third.url, 'third');
    await waitUntil(() => (linesOnDisk(dir) >= 6 ? undefined : 'not everything is on disk'));
    await first.kill();
    const told = (): string[] =>
      notices.map(({ data }) => `${String(data['room'])}: ${String(data['reason'])}`);
    await waitUntil(() => (told().length > 0 ? undefined : 'nobody was told'), RECOVERY_DEADLINE_MS);
    expect(told()).toEqual(['killed: gateway_died']);
    goesOn.line(2, 'And to its end.', { isCommitted: true });
    await goesOn.received('settled', ({ line }) => line === 2);
    for (const program of [second, third]) {
      program.child.kill('SIGTERM');
      await program.ended;
    }
    await waitUntil(() => (told().length === 3 ? undefined : `told is ${told().join()}`));
    expect(told().slice(1)).toEqual(['goes on: gateway_stopped', 'third: gateway_stopped']);
    expect(notices[1]?.data).toMatchObject({ segments: 2, words: 8 });
    const left = await readdir(join(dir, 'gateways'));
    expect(left).toEqual([]);
    const ends = readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => readFileSync(join(dir, name), 'utf8').match(/"kind":"end"/g)?.length);
    expect(ends).toEqual([1, 1, 1]);
  }, 120_000);
});
