import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithModel } from '../asr/testing/real-model.js';
import { isRunning } from '../asr/testing/processes.js';
import { participantIdentity, roomName } from '../protocol/index.js';
import { connectCaptions } from './client/caption-client.js';
import { connectIngest } from './client/ingest-client.js';
import { cleanupsAfterEach } from './testing/cleanups.js';
import { freePort } from './livekit/server/free-ports.js';
import { type Program, startProgram } from './testing/program.js';
import { framesOf, longestTrack, shownWords, undisturbedWords } from './testing/short-meeting.js';
import { startTestGateway } from './testing/test-gateway.js';
import { waitUntil } from './testing/wait-until.js';

/** Words that are said when the new gateway has long been there. */
const LAST_WORDS = 8;

describeWithModel('a gateway that is killed in mid-sentence', (model) => {
  const afterwards = cleanupsAfterEach();

  async function serve(port: number): Promise<Program> {
    const program = startProgram(['serve'], {
      env: {
        CAPTION_PORT: String(port),
        CAPTION_MODELS_DIR: dirname(model.dir),
        CAPTION_RECOGNISERS: '1',
        CAPTION_INGEST_AHEAD_S: '3600',
      },
    });
    afterwards(() => program.kill());
    await waitUntil(() => (program.stderr().includes('gateway ready') ? undefined : program.stderr()));
    return program;
  }

  /** Its recogniser and the standby. */
  async function twoChildrenOf({ child }: Program): Promise<number[]> {
    let pids: number[] = [];
    await waitUntil(async () => {
      const told = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
      pids = told.trim().split(' ').map(Number);
      return pids.length === 2 ? undefined : `children: ${told}`;
    });
    return pids;
  }

  it('leaves no process, and its speakers go on in the next one', async () => {
    const { pcm } = await longestTrack();
    const reference = await startTestGateway(model);
    const expected = await undisturbedWords(reference, pcm);
    await reference.close();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const first = await serve(port);
    const children = await twoChildrenOf(first);
    const room = roomName('council');
    const viewer = connectCaptions({ url, room, changed: () => undefined });
    afterwards(() => viewer.close());
    const speaker = connectIngest({ url, room, speaker: { identity: participantIdentity('ana'), name: '' } });
    afterwards(() => speaker.close());
    await Promise.all([viewer.ready, speaker.ready]);
    const half = Math.floor(pcm.length / 2);
    for (const frame of framesOf(pcm.subarray(0, half))) speaker.send(frame);
    await waitUntil(() => (shownWords(viewer.state, 'ana').length > 2 ? undefined : 'no words are shown'));
    await first.kill();
    await waitUntil(() => {
      const left = children.filter(isRunning);
      return left.length === 0 ? undefined : `still running: ${left.join(', ')}`;
    });
    await serve(port);
    for (const frame of framesOf(pcm.subarray(half))) speaker.send(frame);
    await speaker.end();
    await viewer.settled();
    expect(viewer.state.open).toEqual([]);
    expect(viewer.state.gaps).toEqual([]);
    const shown = shownWords(viewer.state, 'ana');
    expect(shown.slice(-LAST_WORDS)).toEqual(expected.slice(-LAST_WORDS));
    expect(shown.length).toBeLessThanOrEqual(expected.length);
  });
});
