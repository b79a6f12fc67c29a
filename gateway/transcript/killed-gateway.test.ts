/** The program as a user starts it, killed in the middle of a meeting: what was final is on disk, and the application is told. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook as IndependentWebhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { connectCaptions } from '../client/caption-client.js';
import { roomName } from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { welcomedCaptioner } from '../testing/captioner-peer.js';
import { type Program, startProgram } from '../testing/program.js';
import { waitFor, waitUntil } from '../testing/wait-until.js';

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`;
const ROOM = roomName('council');
/** A stale lock of the dead gateway lasts five seconds. */
const RECOVERY_DEADLINE_MS = 40_000;

const linesOnDisk = (dir: string): number =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .reduce((sum, name) => sum + readFileSync(join(dir, name), 'utf8').split('\n').length - 1, 0);

interface Notice {
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

describeWithModel('a gateway that is killed', () => {
  const afterwards = cleanupsAfterEach();

  async function application() {
    const notices: Notice[] = [];
    let isUp = false;
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const headers = request.headers as Record<string, string>;
        const notice = new IndependentWebhook(SECRET).verify(body, headers) as Omit<Notice, 'id'>;
        if (isUp) notices.push({ ...notice, id: headers['webhook-id'] ?? '' });
        response.writeHead(isUp ? 204 : 503).end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterwards(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    return { url, notices, comeUp: () => (isUp = true) };
  }

  async function serve(dir: string, hook: string): Promise<Program & { readonly url: string }> {
    const program = startProgram(['serve'], {
      env: {
        CAPTION_PORT: '0',
        CAPTION_RECOGNISERS: '1',
        CAPTION_TRANSCRIPT: 'disk',
        CAPTION_TRANSCRIPT_DIR: dir,
        CAPTION_WEBHOOK_URL: hook,
        CAPTION_WEBHOOK_SECRET: SECRET,
      },
    });
    afterwards(() => program.kill());
    const url = await waitFor(
      'the gateway is not ready',
      () => /"url":"([^"]+)"/.exec(program.stderr())?.[1],
    );
    return { ...program, url };
  }

  it('loses no more of a transcript than the line that was open, and tells of the end when it is back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'caption-killed-'));
    afterwards(() => rm(folder, { recursive: true }));
    const dir = join(folder, 'transcripts');
    const { url: hook, notices, comeUp } = await application();
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

    const [room = ''] = (await readdir(dir)).filter((name) => name !== 'lock');
    const [file = ''] = await readdir(join(dir, room));
    const path = join(dir, room, file);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const written = (await readFile(path, 'utf8')).trimEnd().split('\n').slice(1);
    const texts = written.map((line) =>
      (JSON.parse(line) as { words: [string][] }).words.map(([text]) => text).join(' '),
    );
    expect(texts).toEqual(seen);
    expect(texts).toHaveLength(20);

    comeUp();
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
    let end = '';
    const look = setInterval(() => void readFile(path, 'utf8').then((content) => (end = content)), 20);
    afterwards(() => clearInterval(look));
    await waitUntil(() => (end.includes('"delivered"') ? undefined : 'the file does not say so'));
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
});
