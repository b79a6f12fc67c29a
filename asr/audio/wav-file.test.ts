import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { CaptionError } from '../../protocol/index.js';
import { parseWav, readWavFile, toSixteenKilohertz } from './wav-file.js';

/** Another implementation's idea of a WAV file. `bitDepth`: '8', '16', '24', '32', '32f', '64', '8a', … */
function writeWav(options: {
  bitDepth: string;
  channels: readonly (readonly number[])[];
  sampleRateHz?: number;
}): Uint8Array {
  const file = new wavefile.WaveFile();
  const samples = options.channels.map((channel) => [...channel]);
  file.fromScratch(samples.length, options.sampleRateHz ?? 16_000, options.bitDepth, samples);
  return file.toBuffer();
}

interface Chunk {
  readonly id: string;
  readonly content: Uint8Array;
  readonly declaredBytes?: number;
}

function riff(chunks: readonly Chunk[], trailing: Uint8Array = new Uint8Array(0)): Uint8Array {
  const parts = chunks.map(({ id, content, declaredBytes }) => {
    const header = Buffer.alloc(8);
    header.write(id, 'latin1');
    header.writeUInt32LE(declaredBytes ?? content.length, 4);
    return Buffer.concat([header, content, Buffer.alloc(content.length % 2)]);
  });
  return Buffer.concat([Buffer.from('RIFF\xff\xff\xff\xffWAVE', 'latin1'), ...parts, trailing]);
}

interface FormatFields {
  readonly tag?: number;
  readonly channelCount?: number;
  readonly sampleRateHz?: number;
  readonly bits?: number;
  readonly subFormat?: number;
}

function formatChunk(fields: FormatFields): Chunk {
  const content = Buffer.alloc(fields.subFormat === undefined ? 16 : 40);
  content.writeUInt16LE(fields.tag ?? 1, 0);
  content.writeUInt16LE(fields.channelCount ?? 1, 2);
  content.writeUInt32LE(fields.sampleRateHz ?? 16_000, 4);
  content.writeUInt16LE(fields.bits ?? 16, 14);
  if (fields.subFormat !== undefined) content.writeUInt16LE(fields.subFormat, 24);
  return { id: 'fmt ', content };
}

const samples16 = (...values: number[]): Uint8Array => new Uint8Array(Int16Array.from(values).buffer);
const float32 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const float64 = (...values: number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);
const firstChannel = (bytes: Uint8Array): number[] => [...(parseWav(bytes).channels[0] ?? [])];

function errorOf(bytes: Uint8Array): CaptionError {
  try {
    parseWav(bytes);
  } catch (error) {
    if (error instanceof CaptionError) return error;
    throw error;
  }
  throw new Error('was read');
}

const pcm16 = fc.array(fc.integer({ min: -32_768, max: 32_767 }), { maxLength: 50 });

describe('parseWav', () => {
  it.each([
    ['8', 1 / 256, 128],
    ['16', 1, 0],
    ['24', 256, 0],
    ['32', 65_536, 0],
    ['32f', 1 / 32_768, 0],
    ['64', 1 / 32_768, 0],
  ])('reads what another program writes with bit depth %s', (bitDepth, scale, offset) => {
    const coarse = (sample: number): number => (bitDepth === '8' ? Math.floor(sample / 256) * 256 : sample);
    fc.assert(
      fc.property(pcm16, (values) => {
        const stored = values.map((sample) => coarse(sample) * scale + offset);
        expect(firstChannel(writeWav({ bitDepth, channels: [stored] }))).toEqual(values.map(coarse));
      }),
    );
  });

  it('keeps channels apart and tells the sample rate', () => {
    const wav = parseWav(
      writeWav({
        bitDepth: '16',
        channels: [
          [1, 2, 3],
          [4, 5, 6],
        ],
        sampleRateHz: 44_100,
      }),
    );
    expect(wav).toEqual({ sampleRateHz: 44_100, channels: [Int16Array.of(1, 2, 3), Int16Array.of(4, 5, 6)] });
  });

  it('reads more than two channels, which other programs write in the extensible form', () => {
    const wav = parseWav(
      writeWav({
        bitDepth: '16',
        channels: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      }),
    );
    expect(wav.channels).toEqual([Int16Array.of(1, 2), Int16Array.of(3, 4), Int16Array.of(5, 6)]);
  });

  it('reads floats in the extensible form', () => {
    const format = formatChunk({ tag: 0xfffe, subFormat: 3, bits: 32 });
    expect(firstChannel(riff([format, { id: 'data', content: float32(0.5, -0.25) }]))).toEqual([
      16_384, -8_192,
    ]);
  });

  it('clips floats and turns not-a-number into silence', () => {
    const values = [2, -2, 1, -1, Number.NaN, Infinity, -Infinity];
    const clipped = [32_767, -32_768, 32_767, -32_768, 0, 32_767, -32_768];
    const data = (content: Uint8Array): Chunk => ({ id: 'data', content });
    expect(firstChannel(riff([formatChunk({ tag: 3, bits: 32 }), data(float32(...values))]))).toEqual(
      clipped,
    );
    expect(firstChannel(riff([formatChunk({ tag: 3, bits: 64 }), data(float64(...values))]))).toEqual(
      clipped,
    );
  });

  it.each([10, 1_000, 0xffffffff])('reads audio that ends before its declared %i bytes', (declaredBytes) => {
    const data = { id: 'data', content: samples16(7, 8, 9), declaredBytes };
    expect(firstChannel(riff([formatChunk({}), data]))).toEqual([7, 8, 9]);
  });

  it('leaves out a frame that is cut in two', () => {
    const data = { id: 'data', content: Uint8Array.of(1, 0, 2, 0, 3, 0, 4), declaredBytes: 0xffffffff };
    const wav = parseWav(riff([formatChunk({ channelCount: 2 }), data]));
    expect(wav.channels).toEqual([Int16Array.of(1, 3), Int16Array.of(2, 4)]);
  });

  it('does not read the byte that makes a chunk even', () => {
    const data = { id: 'data', content: Uint8Array.of(128, 129, 130) };
    expect(firstChannel(riff([formatChunk({ bits: 8 }), data]))).toEqual([0, 256, 512]);
  });

  it('passes over other chunks, whatever they claim', () => {
    const cue = { id: 'cue ', content: Uint8Array.of(255, 255, 255, 255) };
    const odd = { id: 'LIST', content: Uint8Array.of(1, 2, 3) };
    const data = { id: 'data', content: samples16(5) };
    const after = { id: 'iXML', content: new Uint8Array(0), declaredBytes: 0xffffffff };
    expect(firstChannel(riff([cue, odd, formatChunk({}), odd, data, after]))).toEqual([5]);
  });

  it.each([0, 0xffffffff])(
    'reads sound whose size a recorder that broke down left at %i',
    (declaredBytes) => {
      const list = { id: 'LIST', content: Buffer.from('INFOISFT') };
      const data = { id: 'data', content: samples16(7, 8, 9, 0, 0, 0), declaredBytes };
      expect(firstChannel(riff([list, formatChunk({}), data]))).toEqual([7, 8, 9, 0, 0, 0]);
    },
  );

  it.each([2, 4, 8])(
    'reads sound of which a recorder that broke down said %i bytes only',
    (declaredBytes) => {
      const data = { id: 'data', content: samples16(7, 8, 9, 0, 0, 0, 1, 2, 3, 4), declaredBytes };
      expect(firstChannel(riff([formatChunk({}), data]))).toEqual([7, 8, 9, 0, 0, 0, 1, 2, 3, 4]);
    },
  );

  it('takes no chunk for sound, known or not, however long it is', () => {
    const data = { id: 'data', content: samples16(7) };
    const unknown = { id: 'xYz!', content: new Uint8Array(100) };
    expect(firstChannel(riff([formatChunk({}), data, unknown]))).toEqual([7]);
  });

  it('reads the sound behind an empty chunk', () => {
    const empty = { id: 'data', content: new Uint8Array(0) };
    const data = { id: 'data', content: samples16(7, 8, 9) };
    expect(firstChannel(riff([formatChunk({}), empty, data]))).toEqual([7, 8, 9]);
  });

  it.each(['RF64', 'BW64'])('reads a long recording (%s), whose sizes are elsewhere', (form) => {
    const sizes = { id: 'ds64', content: new Uint8Array(28) };
    const data = { id: 'data', content: samples16(7, 8, 9), declaredBytes: 0xffffffff };
    const bytes = Buffer.from(riff([sizes, formatChunk({}), data]));
    bytes.write(form, 'latin1');
    expect(firstChannel(bytes)).toEqual([7, 8, 9]);
  });

  it('reads samples of fewer bits than their bytes have', () => {
    const twelve = { id: 'data', content: samples16(0x1230, -0x1230) };
    expect(firstChannel(riff([formatChunk({ bits: 12 }), twelve]))).toEqual([0x1230, -0x1230]);
    const twenty = { id: 'data', content: Uint8Array.of(0xf0, 0x34, 0x12) };
    expect(firstChannel(riff([formatChunk({ bits: 20 }), twenty]))).toEqual([0x1234]);
  });

  it('takes no chunk for sound where there is none', () => {
    const odd = { id: 'LIST', content: Uint8Array.of(1, 2, 3) };
    const empty = { id: 'data', content: new Uint8Array(0) };
    expect(firstChannel(riff([formatChunk({}), empty, odd, { id: 'id3 ', content: samples16(1) }]))).toEqual(
      [],
    );
  });

  it.each(['fmt ', 'LIST', 'data'])(
    'reads a file whose odd chunk before "%s" has no byte that makes it even',
    (next) => {
      const odd = (content: number[]): Uint8Array => {
        const chunk = Buffer.alloc(8);
        chunk.write('LIST', 'latin1');
        chunk.writeUInt32LE(content.length, 4);
        return Buffer.concat([chunk, Uint8Array.from(content)]);
      };
      const chunks = [
        formatChunk({}),
        { id: 'LIST', content: samples16(1) },
        { id: 'data', content: samples16(5, 6) },
      ];
      const parts = chunks.flatMap((chunk) => [
        ...(chunk.id === next ? [odd([1, 2, 3])] : []),
        riff([chunk]).subarray(12),
      ]);
      expect(firstChannel(Buffer.concat([riff([]), ...parts]))).toEqual([5, 6]);
    },
  );

  it('names the chunk that is damaged, and where', () => {
    const broken = { id: 'bext', content: samples16(1, 2), declaredBytes: 1_000_000 };
    const { code, message } = errorOf(riff([formatChunk({}), broken, { id: 'data', content: samples16(1) }]));
    expect(code).toBe('wav_unreadable');
    expect(message).toMatch(/"bext" at byte 36 says that it has 1000000 bytes/);
  });

  it('accepts a file without any samples', () => {
    expect(firstChannel(riff([formatChunk({}), { id: 'data', content: new Uint8Array(0) }]))).toEqual([]);
  });

  it.each([
    ['empty', new Uint8Array(0)],
    ['Ogg', Buffer.from('OggS............')],
    ['FLAC', Buffer.from('fLaC............')],
    ['MP3', Buffer.from('ID3.............')],
    ['MP4', Buffer.from('....ftypM4A ....')],
    ['WebM', Buffer.from('\x1aE\xdf\xa3........', 'latin1')],
    ['RIFX', Buffer.from('RIFX....WAVE....')],
    ['something else', Buffer.from('RIFF....AVI ....')],
  ])('says what a file is that is no WAV: %s', (name, bytes) => {
    const error = errorOf(bytes);
    expect(error.code).toBe('wav_unreadable');
    expect(error.message).toContain(name);
    expect(error.message).toContain('ffmpeg');
  });

  const audio = { id: 'data', content: samples16(1, 2) };
  it.each([
    ['A-law', writeWav({ bitDepth: '8a', channels: [[1, 2]] })],
    ['mu-law', writeWav({ bitDepth: '8m', channels: [[1, 2]] })],
    ['MP3', riff([formatChunk({ tag: 0x55 }), audio])],
    ['0x1234', riff([formatChunk({ tag: 0x1234 }), audio])],
    ['mu-law', riff([formatChunk({ tag: 0xfffe, subFormat: 7 }), audio])],
    ['integer samples of 40 bits', riff([formatChunk({ bits: 40 }), audio])],
    ['float samples of 16 bits', riff([formatChunk({ tag: 3, bits: 16 }), audio])],
    ['no channels', riff([formatChunk({ channelCount: 0 }), audio])],
    ['0 Hz', riff([formatChunk({ sampleRateHz: 0 }), audio])],
    ['cut off', riff([{ id: 'fmt ', content: new Uint8Array(10) }, audio])],
    ['cut off', riff([formatChunk({ tag: 0xfffe }), audio])],
    ['cut off', riff([])],
    ['no audio data', riff([formatChunk({})])],
  ])('refuses with a reason: %s', (reason, bytes) => {
    const error = errorOf(bytes);
    expect(error.code).toBe('wav_unreadable');
    expect(error.message).toContain(reason);
  });

  it('reads or refuses any bytes, and never fails in another way', () => {
    const intact = writeWav({
      bitDepth: '16',
      channels: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    });
    const damaged = fc
      .array(fc.record({ at: fc.nat(intact.length - 1), byte: fc.nat(255) }), { maxLength: 6 })
      .chain((changes) =>
        fc.nat(intact.length).map((length) => {
          const bytes = Uint8Array.from(intact);
          for (const { at, byte } of changes) bytes[at] = byte;
          return bytes.subarray(0, length);
        }),
      );
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 80 })), (bytes) => {
        try {
          expect(parseWav(bytes).channels.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ name: 'CaptionError', code: 'wav_unreadable' });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('readWavFile', () => {
  it('reads a file, and names it in errors', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wav-file-'));
    try {
      const good = join(folder, 'good.wav');
      const bad = join(folder, 'bad.wav');
      await writeFile(good, writeWav({ bitDepth: '16', channels: [[1, 2]] }));
      await writeFile(bad, 'OggS, not WAV');
      expect(await readWavFile(good)).toEqual({ sampleRateHz: 16_000, channels: [Int16Array.of(1, 2)] });
      await expect(readWavFile(bad)).rejects.toMatchObject({
        code: 'wav_unreadable',
        message: expect.stringMatching(/bad\.wav: .*an Ogg file/) as string,
      });
      await expect(readWavFile(folder)).rejects.toMatchObject({ code: 'wav_unreadable' });
      await expect(readWavFile(join(folder, 'none.wav'))).rejects.toMatchObject({ code: 'file_not_found' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('toSixteenKilohertz', () => {
  it('returns audio at 16 kHz as it is', async () => {
    const pcm = Int16Array.of(1, 2);
    expect(await toSixteenKilohertz(pcm, 16_000)).toBe(pcm);
  });

  it('keeps a sine over the borders of its pieces', async () => {
    const sineAt = (rateHz: number, samples: number): Int16Array =>
      Int16Array.from({ length: samples }, (_, n) =>
        Math.round(8_000 * Math.sin((2 * Math.PI * 500 * n) / rateHz)),
      );
    const output = await toSixteenKilohertz(sineAt(48_000, 48_000 * 21), 48_000);
    const expected = sineAt(16_000, 16_000 * 21);
    expect(output).toHaveLength(expected.length);
    const worst = output
      .subarray(100, -100)
      .reduce((most, sample, n) => Math.max(most, Math.abs(sample - (expected[n + 100] ?? NaN))), 0);
    expect(worst).toBeLessThan(60);
  });

  it('refuses a rate it cannot convert', async () => {
    await expect(toSixteenKilohertz(new Int16Array(5), 100)).rejects.toMatchObject({
      code: 'sample_rate_unsupported',
    });
  });
});
