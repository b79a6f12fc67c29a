import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { describeWithModelAndLiveKit } from '../livekit/testing/livekit-server.js';
import { loadShortMeeting, SHORT_MEETING } from '../testing/short-meeting.js';
import type { DemoResult } from './run-demo.js';

const MAIN = fileURLToPath(new URL('../../dist/gateway/main.js', import.meta.url));

describeWithModelAndLiveKit('demo --livekit', (model, binary) => {
  it('prints one JSON document about a meeting in a real room, and ends by itself', async () => {
    // Rejects unless the exit code is 0.
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [MAIN, 'demo', '--livekit', '--json', '--meeting', SHORT_MEETING],
      { env: { ...process.env, LIVEKIT_SERVER_BIN: binary } },
    );
    const result = JSON.parse(stdout) as DemoResult;
    const { tracks } = await loadShortMeeting();
    expect(result.model).toBe(model.id);
    expect(result.speakers.map(({ identity }) => identity)).toEqual(tracks.map(({ identity }) => identity));
    expect(result).toMatchObject({ duplicatedWords: 0, statuses: [] });
    for (const { words, wer, wordLatencyMs } of result.speakers) {
      expect(words).toBeGreaterThan(0);
      expect(wer).toBeLessThan(0.5);
      expect(wordLatencyMs.count).toBeGreaterThan(0);
    }
    expect(stderr).toMatch(/Watch it in a browser: http:\/\/127\.0\.0\.1:\d+\/room#url=\S+&token=\S+/);
  }, 120_000);
});
