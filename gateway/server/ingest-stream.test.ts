import { beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { CaptionError, type IngestHello, participantIdentity, roomName } from '../../protocol/index.js';
import { AudioPace } from '../bounds/audio-pace.js';
import { createLogger } from '../log.js';
import { Room } from '../rooms/room.js';
import { SpeakerPipeline } from '../rooms/speaker-pipeline.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { IngestStream } from './ingest-stream.js';

const MAX_AHEAD_MS = 20_000;
const owner = { takenOver: () => undefined, warned: () => undefined, progressed: () => undefined };

describeWithModel("the pace of a speaker's audio", (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;
  let stream: IngestStream;
  let nowMs: number;
  /** Vocabularies that came into force. */
  let checked: (readonly string[])[];

  beforeAll(async () => {
    gateway = await startTestGateway(model);
    afterAllTests(() => gateway.close());
  });

  beforeEach(async () => {
    nowMs = 1000;
    checked = [];
    const hello: IngestHello = {
      kind: 'hello',
      version: 1,
      room: roomName('council'),
      speaker: { identity: participantIdentity('ana'), name: 'Ana' },
      sampleRateHz: 8000,
    };
    stream = await IngestStream.open({
      hello,
      enterRoom: () => new Room(hello.room, 5000),
      unfavoured: (vocabulary) => {
        checked.push(vocabulary);
        return gateway.engine.unfavoured(vocabulary);
      },
      createPipeline: (room, vocabulary) =>
        new SpeakerPipeline({
          room,
          engine: gateway.engine,
          speaker: hello.speaker,
          language: 'en',
          vocabulary,
          log: createLogger('silent'),
        }),
      pace: new AudioPace({ maxAheadMs: MAX_AHEAD_MS, now: () => nowMs }),
      now: () => nowMs,
    });
    afterwards(() => stream.close());
    stream.attach(owner);
  });

  /** The error's code, if any. */
  function send(durationMs: number): string | undefined {
    try {
      stream.push(Buffer.alloc(durationMs * 16));
      return undefined;
    } catch (error) {
      return error instanceof CaptionError ? error.code : String(error);
    }
  }

  it('may run ahead as far as it is allowed to, and no further', () => {
    expect(send(MAX_AHEAD_MS)).toBeUndefined();
    expect(send(40)).toBe('audio_too_fast');
    expect(stream.expectSample).toBe(MAX_AHEAD_MS * 8);
    nowMs += 10_000;
    expect(send(9000)).toBeUndefined();
  });

  it('gains nothing from silence', () => {
    nowMs += 3_600_000;
    expect(send(MAX_AHEAD_MS)).toBeUndefined();
    expect(send(40)).toBe('audio_too_fast');
  });

  it('may be that of a clock that is a little fast', () => {
    for (let second = 0; second < 200; second++) {
      nowMs += 950;
      expect(send(1000)).toBeUndefined();
    }
  });

  it('is not held against a speaker who mutes and unmutes all the time', () => {
    for (let turn = 0; turn < 100; turn++) {
      expect(send(1000)).toBeUndefined();
      nowMs += 1000;
      stream.mute();
      stream.unmute();
    }
  });

  it('may be as fast as it likes for what was said while the connection was gone', () => {
    stream.detach(owner);
    nowMs += 60_000;
    stream.attach(owner);
    expect(send(60_000)).toBeUndefined();
    expect(send(MAX_AHEAD_MS)).toBeUndefined();
    expect(send(40)).toBe('audio_too_fast');
  });

  it('is not disturbed by a flood of vocabularies: the first comes into force, the others wait', () => {
    const before = checked.length;
    for (let change = 0; change < 500; change++) stream.setVocabulary([`phrase ${change}`]);
    expect(checked.slice(before)).toEqual([['phrase 0']]);
    expect(() =>
      stream.setVocabulary(Array.from({ length: 640 }, (_, index) => `${index}`.padEnd(100, 'x'))),
    ).toThrow(expect.objectContaining({ code: 'vocabulary_invalid' }));
  });

  it('tells for how long nothing has come', () => {
    nowMs += 5000;
    expect(stream.silentForMs(nowMs)).toBe(5000);
    for (const sign of [
      () => send(40),
      () => stream.mute(),
      () => stream.unmute(),
      () => stream.attach(owner),
    ]) {
      nowMs += 1000;
      sign();
      expect(stream.silentForMs(nowMs)).toBe(0);
    }
  });
});
