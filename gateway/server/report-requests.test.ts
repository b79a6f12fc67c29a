import { beforeAll, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { roomName, participantIdentity } from '../../protocol/index.js';
import { connectCaptions } from '../client/caption-client.js';
import { connectIngest } from '../client/ingest-client.js';
import type { ReportData } from '../report/report-data.js';
import { roomLabel } from '../rooms/room-label.js';
import { accessToken, TEST_KEYS } from '../testing/access-token.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { longestTrack } from '../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitFor, waitUntil } from '../testing/wait-until.js';

const OPERATOR_TOKEN = 'the-token-of-an-operator';
const ROOM = roomName('secret meeting');

describeWithModel('GET /v1/report', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let open: TestGateway;
  let guarded: TestGateway;
  let keyed: TestGateway;

  beforeAll(async () => {
    const start = async (settings: Parameters<typeof startTestGateway>[1]): Promise<TestGateway> => {
      const gateway = await startTestGateway(model, settings);
      afterAllTests(() => gateway.close());
      return gateway;
    };
    open = await start({});
    guarded = await start({ settings: { ...TEST_KEYS, CAPTION_OPERATOR_TOKEN: OPERATOR_TOKEN } });
    keyed = await start({ settings: { ...TEST_KEYS, CAPTION_REPORT: 'off' } });
  });

  const ask = (
    gateway: TestGateway,
    query = '',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> => fetch(`${gateway.url}/v1/report${query}`, { headers });

  const codeOf = async (answer: Promise<Response>): Promise<[number, unknown]> => {
    const response = await answer;
    return [response.status, ((await response.json()) as { code?: unknown }).code];
  };

  it('tells how late the words of a meeting were that goes on, and where their time went', async () => {
    const { pcm } = await longestTrack();
    const viewer = connectCaptions({ url: open.url, room: ROOM, reports: true, changed: () => undefined });
    afterwards(() => viewer.close());
    await viewer.ready;
    const speaker = connectIngest({
      url: open.url,
      room: ROOM,
      speaker: { identity: participantIdentity('ana'), name: 'Ana' },
    });
    await speaker.ready;
    speaker.send(pcm);
    await speaker.end();
    const read = async (): Promise<ReportData> =>
      (await (await ask(open, '?format=json&last=5m')).json()) as ReportData;
    let data: ReportData | undefined;
    let isAsking = false;
    // Words wait for the report of the viewer, or for its deadline and one more message.
    await waitUntil(() => {
      if (!isAsking) {
        isAsking = true;
        void read().then((answer) => {
          data = answer;
          isAsking = false;
        });
      }
      return (data?.words.count ?? 0) > 5 ? undefined : `only ${data?.words.count} words are reported`;
    });
    const found = await waitFor('data', () => data);
    expect(found.stages.find(({ stage }) => stage === 'lookahead')?.meanMs).toBeGreaterThan(0);
    expect(found.finals.count).toBeGreaterThan(0);
    expect(found.gateways[0]).toMatchObject({ model: model.id, engine: 'auto' });
    expect(found.rooms.map(({ room }) => room)).toEqual([roomLabel(ROOM)]);
    const page = await (await ask(open, '?last=5m')).text();
    expect(page).not.toContain(ROOM);
    expect(await (await ask(open, '?last=5m&names=1')).text()).toContain(ROOM);
  });

  it('answers in the format that is asked for, and lets a page run nothing', async () => {
    for (const [query, type] of [
      ['', 'text/html; charset=utf-8'],
      ['?format=json', 'application/json; charset=utf-8'],
      ['?format=csv', 'text/csv; charset=utf-8'],
    ] as const) {
      const response = await ask(open, query);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(type);
      expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
  });

  it('is for operators: by bearer token, or as the password of a browser', async () => {
    const basic = (password: string): string => `Basic ${Buffer.from(`ops:${password}`).toString('base64')}`;
    for (const Authorization of [`Bearer ${OPERATOR_TOKEN}`, basic(OPERATOR_TOKEN)])
      expect((await ask(guarded, '', { Authorization })).status).toBe(200);
    for (const headers of [
      {},
      { Authorization: 'Bearer something-else-entirely' },
      { Authorization: basic('') },
      { Authorization: `Bearer ${await accessToken({ video: { room: ROOM, roomAdmin: true } })}` },
    ])
      expect(await codeOf(ask(guarded, '', headers))).toEqual([401, 'unauthorised']);
    const challenge = (await ask(guarded)).headers.get('www-authenticate');
    expect(challenge).toContain('Bearer');
    expect(challenge).toContain('Basic realm=');
  });

  it('is closed where there are keys and no token of an operator', async () => {
    expect(await codeOf(ask(keyed))).toEqual([403, 'forbidden']);
  });

  it('is refused to pages of other sites', async () => {
    expect(await codeOf(ask(open, '', { Origin: 'https://evil.example' }))).toEqual([403, 'origin_refused']);
  });

  it.each(['?last=8d', '?format=pdf', '?form=json', '?from=now'])('refuses %s', async (query) => {
    expect(await codeOf(ask(open, query))).toEqual([400, 'query_invalid']);
  });

  it('says when none is kept', async () => {
    const off = await startTestGateway(model, { settings: { CAPTION_REPORT: 'off' } });
    afterwards(() => off.close());
    expect(await codeOf(ask(off))).toEqual([404, 'report_off']);
  });

  it('takes only GET and HEAD', async () => {
    const response = await fetch(`${open.url}/v1/report`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await fetch(`${open.url}/v1/report`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});
