import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { msToSamples } from '../protocol/index.js';
import { ChildEngine } from './child-engine.js';
import { CHILD_EXIT, type EngineChoice } from './child/messages.js';
import type { AsrEvent } from './engine.js';
import { scratchDirs } from './models/testing/scratch-dir.js';
import type { ChildDown } from './supervisor/supervised-child.js';
import { type Clip, joinPcm, ownSpeech, realSpeech, silence } from './testing/clips.js';
import {
  breachesOf,
  feed,
  finalsOf,
  finalWords,
  gapsOf,
  readAll,
  recognise,
  segmentsOf,
} from './testing/drive-stream.js';
import { type Misbehaviour, MISBEHAVING_CHILD, misbehavingModel } from './testing/misbehaviour.js';
import { describeWithModel } from './testing/real-model.js';

const newDir = scratchDirs();
const quickRestart = { firstDelayMs: 5, maxDelayMs: 20, healthyAfterMs: 30_000 };

const withPauses = (clips: readonly Clip[]): Int16Array =>
  joinPcm(clips.flatMap(({ pcm }) => [pcm, silence(650)]));

describeWithModel('ChildEngine when its children are killed', (model) =>
  describe.each<EngineChoice>(['zipformer', 'sherpa'])('with engine %s', (choice) => {
    let engine: ChildEngine;
    let tracks: Int16Array[];
    let undisturbed: string[][];
    const downs: ChildDown[] = [];

    beforeAll(async () => {
      engine = await ChildEngine.start({
        model,
        engine: choice,
        children: 1,
        observer: { childDown: (info) => downs.push(info) },
        supervision: { backoff: quickRestart },
      });
      const monologue = (await ownSpeech('monologue-01'))[0]!.pcm.subarray(0, msToSamples(14_000));
      const real = await realSpeech('jfk');
      tracks = [
        withPauses(await ownSpeech('short')),
        monologue,
        real?.pcm ?? withPauses((await ownSpeech('demo')).slice(0, 2)),
      ];
      undisturbed = [];
      for (const pcm of tracks) undisturbed.push(finalWords(await recognise(engine.openStream(), pcm)));
      expect(undisturbed.flat().length).toBeGreaterThan(60);
    });
    afterAll(async () => {
      await engine.close();
    });

    /** Feeds all tracks at once and kills the child whenever the first one gets past one of these positions. */
    async function runWithKills(killAtSamples: readonly number[]): Promise<AsrEvent[][]> {
      const due = [...killAtSamples].sort((a, b) => a - b);
      const kill = (throughSample: number): void => {
        if (due[0] === undefined || throughSample < due[0]) return;
        due.shift();
        for (const pid of engine.childPids) process.kill(pid, 'SIGKILL');
      };
      return Promise.all(
        tracks.map((pcm, index) => recognise(engine.openStream(), pcm, index === 0 ? { pushed: kill } : {})),
      );
    }

    it('comes to the same words, none lost and none doubled, and never takes back a stable one', async () => {
      const position = fc.integer({ min: 0, max: tracks[0]!.length - 1 });
      const kills = fc.array(position, { minLength: 1, maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(kills, async (killAtSamples) => {
          const before = downs.length;
          const all = await runWithKills(killAtSamples);
          expect(all.map(finalWords)).toEqual(undisturbed);
          for (const events of all) {
            expect(breachesOf(events)).toEqual([]);
            expect(gapsOf(events)).toEqual([]);
          }
          expect(downs.length).toBeGreaterThan(before);
        }),
        { numRuns: 4, seed: 20_261_123, endOnFailure: true },
      );
      // A child takes 0.5 s to start, and ten on a machine that has much else to do; there are up to a dozen starts.
    }, 600_000);

    it('tells that it is degraded meanwhile, and live again', async () => {
      await vi.waitFor(() => expect(engine.health.state).toBe('live'), { timeout: 20_000 });
      process.kill(engine.childPids[0]!, 'SIGKILL');
      await vi.waitFor(() => expect(engine.health.state).toBe('degraded'));
      await vi.waitFor(() => expect(engine.health).toEqual({ state: 'live', reason: '' }), {
        timeout: 20_000,
      });
    });
  }),
);

describe('ChildEngine when recognition stays away', () => {
  const MAX_BACKLOG = msToSamples(30_000);

  /** A child that says something to every chunk of speech, and dies soon. */
  async function startThatDies(
    then: NonNullable<Extract<Misbehaviour, { kind: 'die_while_decoding' }>['then']>,
  ): Promise<ChildEngine> {
    const lives = { file: join(await newDir(), 'lives'), count: 1 };
    return ChildEngine.start({
      model: misbehavingModel({ kind: 'die_while_decoding', afterChunks: 20, lives, then }),
      children: 1,
      supervision: { entry: MISBEHAVING_CHILD, backoff: quickRestart, sweepIntervalMs: 50 },
    });
  }

  it('gives up what is older than 30 s, tells it as gaps without a hole between them, and holds no more', async () => {
    const engine = await startThatDies({ kind: 'never_ready' });
    const monologue = (await ownSpeech('monologue-01'))[0]!.pcm;
    const pcm = joinPcm([monologue, silence(700), monologue]);
    const stream = engine.openStream();
    const reading = readAll(stream);
    let mostBehind = 0;
    await feed(stream, pcm, {
      maxBehindSamples: Infinity,
      pushed: (throughSample) => {
        mostBehind = Math.max(mostBehind, throughSample - stream.recognisedThroughSample);
        expect(engine.openUtterances).toBeLessThanOrEqual(8);
      },
    });
    expect(mostBehind).toBeGreaterThan(MAX_BACKLOG / 2);
    // Pauses between utterances are nobody's backlog.
    expect(mostBehind).toBeLessThan(MAX_BACKLOG + msToSamples(3000));
    stream.destroy();
    const events = await reading;
    const gaps = gapsOf(events);
    expect(gaps.length).toBeGreaterThanOrEqual(2);
    expect(new Set(gaps.map(({ reason }) => reason))).toEqual(new Set(['overloaded']));
    gaps.slice(1).forEach((gap, index) => {
      expect(gap.fromSample).toBeGreaterThanOrEqual(gaps[index]!.toSample - msToSamples(300));
      expect(gap.fromSample - gaps[index]!.toSample).toBeLessThan(msToSamples(1000));
    });
    expect(gaps.at(-1)!.toSample).toBeGreaterThan(pcm.length - MAX_BACKLOG - msToSamples(3000));
    const told = segmentsOf(events);
    expect(gaps[0]!.fromSample).toBeGreaterThanOrEqual(told.at(-1)!.decodedThroughSample);
    expect(finalsOf(events).flatMap(({ words }) => words).length).toBeGreaterThan(5);
    await engine.close();
  });

  it('tells a gap and lets a stream close when no child will ever come back', async () => {
    const engine = await startThatDies({ kind: 'exit_before_ready', code: CHILD_EXIT.configurationRefused });
    const stream = engine.openStream();
    const reading = readAll(stream);
    await feed(stream, (await ownSpeech('monologue-01'))[0]!.pcm.subarray(0, msToSamples(12_000)), {
      maxBehindSamples: Infinity,
    });
    await stream.close();
    const events = await reading;
    expect(gapsOf(events).map(({ reason }) => reason)).toContain('recogniser_failed');
    expect(breachesOf(events)).toEqual([]);
    expect(engine.health.state).toBe('unavailable');
    await engine.close();
  });
});
