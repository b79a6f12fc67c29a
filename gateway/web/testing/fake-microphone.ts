/** What Chromium hears in place of a microphone: real speech where it is beside the checkout, else the project's own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { normaliseWords } from '../../../asr/index.js';
import { ownSpeech, realSpeech, silence, joinPcm } from '../../../asr/testing/clips.js';

const RATE_HZ = 16_000;
const WAV_HEADER_BYTES = 44;

export interface FakeMicrophone {
  /** For Chromium; the clip is heard again and again from the moment the microphone is opened. */
  readonly flags: readonly string[];
  /** What is said, normalised. */
  readonly words: readonly string[];
  /** Removes the file. */
  remove(): Promise<void>;
}

export async function makeFakeMicrophone(): Promise<FakeMicrophone> {
  const [own] = await ownSpeech('demo-01-claire');
  const clip = (await realSpeech('LJ001-0011')) ?? own;
  if (clip === undefined) throw new Error('there is no speech');
  const folder = await mkdtemp(join(tmpdir(), 'caption-microphone-'));
  const path = join(folder, 'speech.wav');
  await writeFile(path, wavOf(joinPcm([silence(500), clip.pcm, silence(2500)])));
  return {
    flags: [
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${path}`,
    ],
    words: normaliseWords(clip.text),
    remove: () => rm(folder, { recursive: true }),
  };
}

/** 16 kHz, mono, PCM16. */
function wavOf(pcm: Int16Array): Uint8Array {
  const bytes = new Uint8Array(WAV_HEADER_BYTES + pcm.byteLength);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string): void => bytes.set(new TextEncoder().encode(value), at);
  text(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE_HZ, true);
  view.setUint32(28, RATE_HZ * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, pcm.byteLength, true);
  bytes.set(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength), WAV_HEADER_BYTES);
  return bytes;
}
