import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeWithModel } from '../asr/testing/real-model.js';
import { createLogger } from './log.js';
import { helloWith, RawPeer, welcomedPeer } from './testing/raw-peer.js';
import { framesOf, longestTrack, undisturbedWords } from './testing/short-meeting.js';
import { startTestGateway, TextSink } from './testing/test-gateway.js';
import { waitUntil } from './testing/wait-until.js';

function logged(level: string, fields: object): string {
  const sink = new TextSink();
  createLogger(level, sink).info(fields, 'something happened');
  return sink.text;
}

describe('the log', () => {
  it.each(['debug', 'info'])('hides text, names and identities at level %s', (level) => {
    const fields = {
      text: 'hush',
      name: 'Ana',
      identity: 'ana-1',
      speaker: { name: 'Ana', identity: 'ana-1', text: 'hush' },
    };
    expect(logged(level, fields)).not.toMatch(/hush|ana/i);
    expect(logged(level, fields)).toContain('something happened');
  });

  it('tells rooms apart by a label in place of their name', () => {
    const sink = new TextSink();
    createLogger('info', sink).child({ room: 'secret' }).info({ other: 1 }, 'joined the room');
    createLogger('info', sink).info({ room: 'secret' }, 'left the room');
    expect(sink.text).not.toContain('secret');
    expect(sink.text.match(/"room":"room-2bb80d53"/g)).toHaveLength(2);
  });

  it('shows them at trace', () => {
    expect(logged('trace', { text: 'hush' })).toContain('hush');
    expect(logged('trace', { room: 'secret' })).toContain('secret');
  });

  it('costs nobody anything when the disk is full', (context) => {
    if (!existsSync('/dev/full')) context.skip('there is no /dev/full on this system');
    const program = `
      import { createLogger } from ${JSON.stringify(new URL('../dist/gateway/log.js', import.meta.url).href)};
      const log = createLogger('info');
      for (let line = 0; line < 100; line++) log.info('something happened');
      console.log('still there');`;
    const full = openSync('/dev/full', 'w');
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', full],
      encoding: 'utf8',
      timeout: 20_000,
    });
    closeSync(full);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'still there\n' });
  });

  it('writes nothing below its level, and one JSON object a line', () => {
    expect(logged('warn', {})).toBe('');
    expect(JSON.parse(logged('info', { rooms: 3 }))).toMatchObject({ msg: 'something happened', rooms: 3 });
  });
});

describeWithModel('the log of a gateway', (model) => {
  it.each(['info', 'debug'])(
    'has no word and no name of a meeting at level %s, whatever happens',
    async (logLevel) => {
      const gateway = await startTestGateway(model, { logLevel });
      const { pcm } = await longestTrack();
      const words = await undisturbedWords(gateway, pcm);
      const person = { room: 'secret-room', speaker: { identity: 'identity-of-ana', name: 'Name of Ana' } };
      const peer = await welcomedPeer(gateway.url, { ...person, vocabulary: ['Secret phrase'] });
      const frames = [...framesOf(pcm)];
      for (const frame of frames.slice(0, frames.length / 2)) peer.sendPcm(frame);
      const [pid] = gateway.engine.childPids;
      process.kill(pid!, 'SIGKILL');
      for (const frame of frames.slice(frames.length / 2)) peer.sendPcm(frame);
      const refused = await new RawPeer(`${gateway.url}/v1/ingest`).opened();
      refused.send(helloWith({ ...person, language: 'xx' }));
      await refused.closed();
      peer.send({ kind: 'end' });
      await peer.received('ended');
      await waitUntil(() =>
        gateway.logText().includes('recogniser ended by itself') ? undefined : 'the crash is not logged',
      );
      await gateway.close();
      const log = gateway.logText();
      for (const line of log.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
      expect(log).not.toMatch(/secret|of.ana/i);
      const messages = log
        .trim()
        .split('\n')
        .map((line) => JSON.stringify(JSON.parse(line)));
      for (const word of words.filter(({ length }) => length > 6)) {
        for (const message of messages) expect(message.toLowerCase()).not.toContain(word);
      }
    },
  );
});
