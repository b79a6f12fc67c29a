/**
 * WAV files to 16-bit samples.
 *
 * The layout is that of Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" (RIFF, WAVE) and, for
 * WAVE_FORMAT_EXTENSIBLE, of mmreg.h. Only the chunks `fmt ` and `data` are looked at, so that nothing else a file may
 * carry can do harm: the package `wavefile`, with which the tests write, ends the process on a 60-byte file whose `cue `
 * chunk claims four billion entries, and reads float samples of extensible files as integers.
 */
import { readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CaptionError, errorMessage, SAMPLE_RATE_HZ } from '../../protocol/index.js';
import { toPcm16 } from './audio-frame.js';
import { createResampler } from './resampler.js';

export interface WavAudio {
  readonly sampleRateHz: number;
  /** One array for each channel, at least one, all of the same length. */
  readonly channels: Int16Array[];
}

/**
 * Reads a WAV file of any rate and number of channels: 8, 16, 24, 32-bit integers, 32 and 64-bit floats.
 * The whole file is held in memory; at most 2 GB.
 * @throws CaptionError `file_not_found`; `wav_unreadable`, with what it is instead and what to do.
 */
export async function readWavFile(path: string): Promise<WavAudio> {
  const bytes = await readBytes(path);
  try {
    return parseWav(bytes);
  } catch (error) {
    throw new CaptionError('wav_unreadable', `${path}: ${errorMessage(error)}`, { cause: error });
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new CaptionError('file_not_found', `There is no file ${path}.`, { cause: error });
    }
    throw new CaptionError('wav_unreadable', `${path} cannot be read: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/**
 * The same for bytes in memory. Audio data that ends before its declared size (a recording cut short, a stream of
 * unknown length) is read as far as it goes, and so is sound of which the header says that there is none, or less than half: a
 * recorder that broke down did not get round to writing how long it is. Floats are clipped to [-1, 1]; not-a-number becomes 0.
 * @throws CaptionError `wav_unreadable`.
 */
export function parseWav(bytes: Uint8Array): WavAudio {
  const { format, data } = findChunks(bytes);
  const { channelCount, sampleRateHz, encoding } = readFormat(format);
  const frames = Math.floor(data.byteLength / (encoding.bytesPerSample * channelCount));
  const channels = Array.from({ length: channelCount }, (_, channel) => {
    const pcm = new Int16Array(frames);
    for (let frame = 0; frame < frames; frame++) {
      pcm[frame] = encoding.read(data, (frame * channelCount + channel) * encoding.bytesPerSample);
    }
    return pcm;
  });
  return { sampleRateHz, channels };
}

/**
 * A whole recording at 16 kHz, round(samples * 16,000 / rate) samples. Lets other work in between after each 10 s of audio.
 * @throws CaptionError `sample_rate_unsupported`.
 */
export async function toSixteenKilohertz(pcm: Int16Array, sampleRateHz: number): Promise<Int16Array> {
  if (sampleRateHz === SAMPLE_RATE_HZ) return pcm;
  const resampler = await createResampler(sampleRateHz);
  const output = new Int16Array(Math.round((pcm.length * SAMPLE_RATE_HZ) / sampleRateHz));
  const pieceSamples = 10 * sampleRateHz;
  let written = 0;
  for (let from = 0; from < pcm.length; from += pieceSamples) {
    const piece = resampler.process(pcm.subarray(from, from + pieceSamples));
    output.set(piece, written);
    written += piece.length;
    await nextTurn();
  }
  output.set(resampler.flush(), written);
  return output;
}

const HOW_TO_CONVERT = 'Convert it first, for instance: ffmpeg -i INPUT -c:a pcm_s16le OUTPUT.wav';

const unreadable = (what: string): CaptionError =>
  new CaptionError('wav_unreadable', `${what}. ${HOW_TO_CONVERT}`);

const RIFF_HEADER_BYTES = 12;
/**
 * RF64 (EBU Tech 3306) and its successor BW64 (ITU-R BS.2088) are the same but for the sizes of long recordings, which are in a chunk
 * `ds64`: the `data` chunk itself says 0xffffffff, which is more than follows, and is read as far as it goes.
 */
const WAV_FORMS: ReadonlySet<string> = new Set(['RIFF', 'RF64', 'BW64']);
const CHUNK_HEADER_BYTES = 8;

/** Chunks that there are in WAV files. */
const KNOWN_CHUNKS: ReadonlySet<string> = new Set(
  'ds64,fmt ,data,LIST,fact,JUNK,junk,PAD ,FLLR,bext,iXML,axml,chna,cue ,plst,smpl,inst,id3 ,ID3 ,PEAK,cart,levl,umid,minf,elm1,regn,acid,strc,_PMX,DISP,afsp,LGWV'.split(
    ',',
  ),
);

/** The parts of a RIFF file that matter. A chunk is: id (4 bytes), size (4 bytes), content, a byte to make it even. */
function findChunks(bytes: Uint8Array): { format: DataView; data: DataView } {
  const isWav = WAV_FORMS.has(text(bytes, 0)) && text(bytes, 8) === 'WAVE';
  if (!isWav) throw unreadable(`This is ${nameOf(bytes)}, not a WAV file`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: DataView | undefined;
  let data: DataView | undefined;
  let at = RIFF_HEADER_BYTES;
  let last: { readonly id: string; readonly at: number; readonly size: number } | undefined;
  while (at + CHUNK_HEADER_BYTES <= bytes.length && (format === undefined || (data?.byteLength ?? 0) === 0)) {
    const [id, size] = [text(bytes, at), view.getUint32(at + 4, true)];
    last = { id, at, size };
    const start = at + CHUNK_HEADER_BYTES;
    const isUnfinished =
      id === 'data' &&
      size < (bytes.length - start) / 2 &&
      !areChunks(bytes, chunkAfter(bytes, { start, size }));
    const end = isUnfinished ? bytes.length : Math.min(start + size, bytes.length);
    const content = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
    if (id === 'fmt ') format ??= content;
    if (id === 'data' && (data === undefined || data.byteLength === 0)) data = content;
    at = isUnfinished ? end : chunkAfter(bytes, { start, size });
  }
  if (format !== undefined && data !== undefined) return { format, data };
  const overrun = last !== undefined && last.at + CHUNK_HEADER_BYTES + last.size > bytes.length;
  if (last !== undefined && overrun && last.id !== 'data') {
    const name = KNOWN_CHUNKS.has(last.id) ? `"${last.id.trim()}"` : 'without a known name';
    throw unreadable(
      `The WAV file is damaged or cut off: its chunk ${name} at byte ${last.at} says that it has ${last.size} bytes, which is more than follow`,
    );
  }
  throw unreadable(
    format === undefined
      ? 'The WAV header is cut off or has no format'
      : 'The WAV file has a header but no audio data',
  );
}

/** Where the next chunk begins. Some programs leave out the byte that makes an odd one even. */
function chunkAfter(bytes: Uint8Array, { start, size }: { start: number; size: number }): number {
  const end = start + size;
  if (size % 2 === 0) return end;
  const lacksPadding = KNOWN_CHUNKS.has(text(bytes, end)) && !KNOWN_CHUNKS.has(text(bytes, end + 1));
  return lacksPadding ? end : end + 1;
}

/** Whether there is nothing but chunks from here on, or nothing at all: not sound. */
function areChunks(bytes: Uint8Array, from: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = from;
  while (at + CHUNK_HEADER_BYTES <= bytes.length) {
    if (!CHUNK_ID.test(text(bytes, at))) return false;
    at = chunkAfter(bytes, { start: at + CHUNK_HEADER_BYTES, size: view.getUint32(at + 4, true) });
  }
  return at >= bytes.length;
}

/** Also of chunks that nobody knows. */
const CHUNK_ID = /^[ -~]{4}$/;

const text = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

/** What a file that is no WAV is, by its first bytes. */
function nameOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  const first = text(bytes, 0);
  if (first === 'RIFX') return 'a big-endian WAV file (RIFX)';
  if (first === 'OggS') return 'an Ogg file';
  if (first === 'fLaC') return 'a FLAC file';
  if (first === 'FORM') return 'an AIFF file';
  if (first === '\x1aE\xdf\xa3') return 'a Matroska or WebM file';
  if (text(bytes, 4) === 'ftyp') return 'an MP4 file';
  if (first.startsWith('ID3') || /^\xff[\xe0-\xff]/.test(first)) return 'an MP3 or AAC file';
  return 'something else';
}

/** How one sample is stored. */
interface Encoding {
  readonly bytesPerSample: number;
  /** The sample at a byte offset, scaled to 16 bits. */
  read(data: DataView, at: number): number;
}

/** Full scale is 32,768, so that 16-bit audio which became float comes back unchanged. */
function fromFloat(sample: number): number {
  if (Number.isNaN(sample)) return 0;
  return toPcm16(sample * 32_768);
}

/** Of longer integers the upper 16 bits are kept. */
const INTEGER_ENCODINGS = new Map<number, Encoding>([
  [8, { bytesPerSample: 1, read: (data, at) => (data.getUint8(at) - 128) * 256 }],
  [16, { bytesPerSample: 2, read: (data, at) => data.getInt16(at, true) }],
  [24, { bytesPerSample: 3, read: (data, at) => data.getInt16(at + 1, true) }],
  [32, { bytesPerSample: 4, read: (data, at) => data.getInt16(at + 2, true) }],
]);

const FLOAT_ENCODINGS = new Map<number, Encoding>([
  [32, { bytesPerSample: 4, read: (data, at) => fromFloat(data.getFloat32(at, true)) }],
  [64, { bytesPerSample: 8, read: (data, at) => fromFloat(data.getFloat64(at, true)) }],
]);

const FORMAT_INTEGER = 1;
const FORMAT_FLOAT = 3;
const FORMAT_EXTENSIBLE = 0xfffe;

/** Names of formats people have in WAV files that are not plain samples. */
const COMPRESSED_FORMATS = new Map([
  [0x02, 'Microsoft ADPCM'],
  [0x06, 'A-law'],
  [0x07, 'mu-law'],
  [0x11, 'IMA ADPCM'],
  [0x31, 'GSM 6.10'],
  [0x50, 'MPEG'],
  [0x55, 'MP3'],
  [0xff, 'AAC'],
]);

const FORMAT_BYTES = 16;
/** In the extensible form the real format is the first two bytes of the sub-format GUID. */
const SUB_FORMAT_OFFSET = 24;
const EXTENSIBLE_FORMAT_BYTES = 40;

function readFormat(format: DataView): { channelCount: number; sampleRateHz: number; encoding: Encoding } {
  if (format.byteLength < FORMAT_BYTES) throw unreadable('The WAV header is cut off');
  const channelCount = format.getUint16(2, true);
  const sampleRateHz = format.getUint32(4, true);
  if (channelCount === 0) throw unreadable('The WAV file says it has no channels');
  if (sampleRateHz === 0) throw unreadable('The WAV file says its sample rate is 0 Hz');
  return {
    channelCount,
    sampleRateHz,
    encoding: encodingOf(readFormatTag(format), wholeBytes(format.getUint16(14, true))),
  };
}

/** Samples of 12 or 20 bits stand in the upper bits of the next whole bytes. */
const wholeBytes = (bits: number): number => Math.ceil(bits / 8) * 8;

function readFormatTag(format: DataView): number {
  const tag = format.getUint16(0, true);
  if (tag !== FORMAT_EXTENSIBLE) return tag;
  if (format.byteLength < EXTENSIBLE_FORMAT_BYTES) throw unreadable('The WAV header is cut off');
  return format.getUint16(SUB_FORMAT_OFFSET, true);
}

function encodingOf(formatTag: number, bits: number): Encoding {
  if (formatTag !== FORMAT_INTEGER && formatTag !== FORMAT_FLOAT) {
    const name = COMPRESSED_FORMATS.get(formatTag) ?? `format 0x${formatTag.toString(16).padStart(4, '0')}`;
    throw unreadable(`The audio is compressed (${name}); only plain samples can be read`);
  }
  const encoding = (formatTag === FORMAT_FLOAT ? FLOAT_ENCODINGS : INTEGER_ENCODINGS).get(bits);
  if (encoding === undefined) {
    throw unreadable(
      `The WAV file has ${formatTag === FORMAT_FLOAT ? 'float' : 'integer'} samples of ${bits} bits`,
    );
  }
  return encoding;
}
