import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { epochMs, participantIdentity, roomName, segmentId } from '../../protocol/index.js';
import type { Room } from '../rooms/room.js';
import { accessToken, TEST_KEYS } from '../testing/access-token.js';
import { cleanupsAfterAll } from '../testing/cleanups.js';
import { textMatching } from '../testing/matchers.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';

let rooms = 0;

/** A room where two people have said something, and one is still speaking. */
function spokenRoom(gateway: TestGateway, name = `room ${(rooms += 1)}`): Room {
  const room = gateway.rooms.enter(roomName(name));
  room.addSpeaker('test');
  const say = (who: string, text: string, isFinal: boolean): void =>
    room.publishDelta({
      speaker: { identity: participantIdentity(who.toLowerCase()), name: who },
      segment: segmentId(`${who}-${text}`),
      keep: 0,
      words: text.split(' ').map((word, index) => ({
        text: word,
        startMs: epochMs(room.epochMs + 1000 + index * 300),
        endMs: epochMs(room.epochMs + 1300 + index * 300),
      })),
      stable: isFinal ? text.split(' ').length : 0,
      isFinal,
      language: 'en',
    });
  say('Ana', 'Good morning.', true);
  say('Bo', 'Hello Ana.', true);
  say('Ana', 'provisional', false);
  return room;
}

describeWithModel('transcripts over HTTP', (model) => {
  const afterAllTests = cleanupsAfterAll();
  let gateway: TestGateway;
  let guarded: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway(model, {
      settings: { CAPTION_ALLOWED_ORIGINS: 'https://visio.example' },
    });
    guarded = await startTestGateway(model, { settings: TEST_KEYS });
    afterAllTests(() => gateway.close());
    afterAllTests(() => guarded.close());
  });

  const address = (room: { name: string }, rest: string, of = gateway): string =>
    `${of.url}/v1/rooms/${encodeURIComponent(room.name)}/${rest}`;

  it.each([
    ['vtt', 'text/vtt', /^WEBVTT\n[^]*<v Ana>Good <00:00:00\.300>morning\.\n/],
    ['srt', 'application/x-subrip', /^1\n00:00:00,000 --> 00:00:01,000\nAna: Good morning\.\n/],
    ['txt', 'text/plain', /^\[00:00:00\] Ana: Good morning\.$/m],
    ['md', 'text/markdown', /^\*\*Ana\*\* \(00:00:00\) {2}\nGood morning\.$/m],
    ['json', 'application/json', /"text":"Good morning\."/],
  ])('are given as %s', async (extension, type, content) => {
    const room = spokenRoom(gateway);
    const response = await fetch(address(room, `transcript.${extension}`));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
    expect(response.headers.get('content-disposition')).toMatch(
      new RegExp(`^attachment; filename="room-\\d+-[\\dT-]+\\.${extension}"$`),
    );
    expect(response.headers.get('cache-control')).toBe('no-store');
    const text = await response.text();
    expect(text).toMatch(content);
    expect(text).toContain('Hello');
    expect(text).not.toContain('provisional');
    const head = await fetch(address(room, `transcript.${extension}`), { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('are given in part, and with labels in another language', async () => {
    const room = spokenRoom(gateway);
    expect(await (await fetch(address(room, 'transcript.txt?lang=fr-FR'))).text()).toMatch(/^Transcription/);
    expect(await (await fetch(address(room, 'transcript.txt?from=60'))).text()).not.toContain('Ana');
    expect(await (await fetch(address(room, 'transcript.txt?from=0.5&to=1.2'))).text()).toContain('Ana');
  });

  it.each([
    ['transcript.txt?from=-1', 400, 'query_invalid'],
    ['transcript.txt?to=soon', 400, 'query_invalid'],
    ['transcript.txt?from=', 400, 'query_invalid'],
    ['transcript.txt?lang=tlh', 400, 'query_invalid'],
    ['transcript.pdf', 404, 'not_found'],
    ['transcript.txt?meeting=..%2F..%2Fpasswd', 404, 'transcript_missing'],
    ['transcript.txt?meeting=zz-000000000000', 404, 'transcript_missing'],
    ['wave', 404, 'not_found'],
    // In a plain object these would be found.
    ['transcript.constructor', 404, 'not_found'],
    ['transcript.valueof', 404, 'not_found'],
  ])('are not given for %s', async (rest, status, code) => {
    const response = await fetch(address(spokenRoom(gateway), rest));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  it('are not there for rooms in which nothing was said, or whose name is none', async () => {
    for (const [path, code] of [
      ['nobody/transcript.vtt', 'transcript_missing'],
      [`${'x'.repeat(257)}/transcript.vtt`, 'room_missing'],
      ['%ff/transcript.vtt', 'room_missing'],
    ] as const) {
      const response = await fetch(`${gateway.url}/v1/rooms/${path}`);
      expect(await response.json()).toMatchObject({ code });
    }
    expect(gateway.rooms.find(roomName('nobody'))).toBeUndefined();
  });

  it('are given to nobody while a room does not show its history', async () => {
    const room = spokenRoom(gateway);
    room.showsHistory = false;
    const response = await fetch(address(room, 'transcript.vtt'));
    expect([response.status, await response.json()]).toMatchObject([404, { code: 'transcript_off' }]);
  });

  it('are listed and deleted', async () => {
    const room = spokenRoom(gateway);
    const list = async () =>
      (await (await fetch(address(room, 'meetings'))).json()) as { meetings: unknown[] };
    expect(await list()).toMatchObject({
      meetings: [{ isInMemory: true, startedAt: textMatching(/^20.*Z$/) }],
    });
    const removed = await fetch(address(room, 'transcript'), { method: 'DELETE' });
    expect([removed.status, await removed.json()]).toEqual([200, { room: room.name, deleted: 1 }]);
    expect(await list()).toMatchObject({ meetings: [] });
    expect((await fetch(address(room, 'transcript.txt'))).status).toBe(404);
    expect((await fetch(address(room, 'transcript'), { method: 'DELETE' })).status).toBe(404);
  });

  it('say which methods there are', async () => {
    const room = spokenRoom(gateway);
    for (const [rest, method, allowed] of [
      ['transcript.vtt', 'POST', 'GET, HEAD'],
      ['transcript', 'GET', 'DELETE'],
      ['captions', 'GET', 'POST'],
    ] as const) {
      const response = await fetch(address(room, rest), { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, allowed]);
    }
  });

  it('are given to pages of allowed origins, and not to those of others', async () => {
    const room = spokenRoom(gateway);
    const ask = (origin: string, method = 'GET'): Promise<Response> =>
      fetch(address(room, 'transcript.vtt'), { method, headers: { origin } });
    const allowed = await ask('https://visio.example');
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://visio.example',
    ]);
    const preflight = await ask('https://visio.example', 'OPTIONS');
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'Authorization, Content-Type',
    ]);
    const refused = await ask('https://evil.example');
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  describe('with keys', () => {
    const status = async (rest: string, token?: string, method = 'GET'): Promise<number> => {
      const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      return (await fetch(address({ name: 'council' }, rest, guarded), { headers, method })).status;
    };

    it('go to those who may see the captions of this room', async () => {
      spokenRoom(guarded, 'council');
      expect(await status('transcript.vtt')).toBe(401);
      expect(await status('transcript.vtt', 'nonsense')).toBe(401);
      expect(await status('transcript.vtt', await accessToken())).toBe(200);
      const elsewhere = await accessToken({ video: { room: 'elsewhere', roomJoin: true } });
      expect(await status('transcript.vtt', elsewhere)).toBe(403);
      const deaf = await accessToken({ video: { room: 'council', roomJoin: true, canSubscribe: false } });
      expect(await status('transcript.vtt', deaf)).toBe(403);
      // A token in the address would end up in the logs of proxies: it counts for tools of captioners alone.
      expect(await status(`transcript.vtt?access_token=${await accessToken()}`)).toBe(401);
    });

    it('of meetings that are over go to administrators of the room alone, who may delete them', async () => {
      spokenRoom(guarded, 'council');
      const member = await accessToken();
      const admin = await accessToken({ video: { room: 'council', roomAdmin: true } });
      const foreign = await accessToken({ video: { room: 'elsewhere', roomAdmin: true } });
      for (const token of [member, foreign]) {
        expect(await status('meetings', token)).toBe(403);
        expect(await status('transcript', token, 'DELETE')).toBe(403);
        expect(await status('transcript.vtt?meeting=zz-000000000000', token)).toBe(403);
      }
      expect(await status('meetings', admin)).toBe(200);
      expect(await status('transcript', admin, 'DELETE')).toBe(200);
    });
  });

  describe('of a meeting that is over', () => {
    const TIMES = { CAPTION_MEETING_END_S: 1, CAPTION_ROOM_RETENTION_S: 2 };

    /** Two people spoke; then nobody was there any more. */
    async function pastMeeting(of: TestGateway, name?: string): Promise<Room> {
      const room = spokenRoom(of, name);
      // Somebody has the page open all along, so that the room is remembered.
      room.addViewer({ send: () => undefined, sendSnapshot: () => undefined });
      room.removeSpeaker('test');
      await waitUntil(() => (room.historyStart.endedAfterSeq > 0 ? undefined : 'the meeting goes on'));
      return room;
    }
    const saidIn = (room: Room): string =>
      room
        .snapshotFor(room.historyStart)
        .map((bytes) => new TextDecoder().decode(bytes))
        .join();

    it('go to those who were there and to administrators, and their words to nobody who comes later', async () => {
      const one = await startTestGateway(model, { settings: { ...TEST_KEYS, ...TIMES } });
      afterAllTests(() => one.close());
      const watcher = one.rooms.enter(roomName('council')).visit(participantIdentity('wanda'));
      const room = await pastMeeting(one, 'council');
      watcher.leave();
      const status = async (identity: string, video = {}): Promise<number> => {
        const token = await accessToken({ identity, video: { room: 'council', roomJoin: true, ...video } });
        const headers = { Authorization: `Bearer ${token}` };
        return (await fetch(address(room, 'transcript.vtt', one), { headers })).status;
      };
      expect(await status('eve')).toBe(404);
      expect(await status('wanda')).toBe(200);
      expect(await status('operator', { roomAdmin: true })).toBe(200);
      expect(saidIn(room)).not.toContain('morning');
      // To come now is not to have been there.
      const late = room.visit(participantIdentity('eve'));
      expect(await status('eve')).toBe(404);
      late.leave();
    });

    it('are there for a while without keys, whoever keeps the page open', async () => {
      const one = await startTestGateway(model, { settings: TIMES });
      afterAllTests(() => one.close());
      const room = await pastMeeting(one);
      const ask = (): Promise<Response> => fetch(address(room, 'transcript.txt', one));
      expect((await ask()).status).toBe(200);
      await waitUntil(async () => ((await ask()).status === 404 ? undefined : 'it is still given'));
      expect(await (await ask()).json()).toMatchObject({ code: 'transcript_missing' });
      expect(one.rooms.find(room.name)).toBe(room);
    });

    it('leave no words for latecomers when they are not kept at all, or are deleted', async () => {
      const none = await startTestGateway(model, { settings: { ...TIMES, CAPTION_TRANSCRIPT: 'off' } });
      afterAllTests(() => none.close());
      expect(saidIn(await pastMeeting(none))).not.toContain('morning');
      const going = spokenRoom(none);
      expect(saidIn(going)).toContain('morning');
      await fetch(address(going, 'transcript', none), { method: 'DELETE' });
      expect(saidIn(going)).not.toContain('morning');
    });
  });

  it('are not kept when they are switched off', async () => {
    const off = await startTestGateway(model, { settings: { CAPTION_TRANSCRIPT: 'off' } });
    afterAllTests(() => off.close());
    const response = await fetch(address(spokenRoom(off), 'transcript.txt', off));
    expect(await response.json()).toMatchObject({ code: 'transcript_off' });
  });

  it('cannot be started with a folder that cannot be written', async () => {
    const settings = { CAPTION_TRANSCRIPT: 'disk', CAPTION_TRANSCRIPT_DIR: '/dev/null/transcripts' };
    await expect(startTestGateway(model, { settings })).rejects.toMatchObject({
      code: 'transcript_dir_unusable',
    });
  });
});
