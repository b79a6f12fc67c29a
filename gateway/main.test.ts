import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { WaveFile } from 'wavefile';
import { describeWithModel } from '../asr/testing/real-model.js';
import { startForwardProxy } from '../asr/testing/forward-proxy.js';
import { loadSpeex, SpeexStream } from '../asr/audio/speex-wasm.js';
import { normaliseWords } from '../asr/index.js';
import { SETTING_NAMES } from './config/settings.js';
import { cleanupsAfterAll, cleanupsAfterEach } from './testing/cleanups.js';
import { freePort } from './livekit/server/free-ports.js';
import { longestTrack, SHORT_MEETING } from './testing/short-meeting.js';
import { waitFor, waitUntil } from './testing/wait-until.js';
import { anyNumber, objectWith } from './testing/matchers.js';
import { type ProgramOptions, startProgram } from './testing/program.js';

const run = (args: readonly string[], options: ProgramOptions = {}) => startProgram(args, options).ended;

describe('caption-gateway', () => {
  const afterwards = cleanupsAfterEach();

  async function emptyDir(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'caption-cli-'));
    afterwards(() => rm(dir, { recursive: true, force: true }));
    return dir;
  }

  it('--help lists commands, settings and exit codes', async () => {
    const { code, stdout, stderr } = await run(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of ['serve', 'demo', 'transcribe', 'models'])
      expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    for (const name of SETTING_NAMES) expect(stdout).toContain(name);
    expect(stdout).toMatch(/0 good\s+1 failed\s+2 wrong usage or configuration\s+3 model missing/);
  });

  it.each([
    ['an unknown command', ['fly'], 'fly'],
    ['an unknown flag', ['serve', '--fly'], '--fly'],
    ['no command', [], 'Usage'],
    ['no file', ['transcribe'], 'file'],
    ['a file that is not there', ['transcribe', 'nowhere.wav'], 'nowhere.wav'],
    ['a file that is no WAV file', ['transcribe', SHORT_MEETING], 'WAV'],
    ['two formats', ['transcribe', 'a.wav', '--vtt', '--srt'], 'one of'],
    ['a meeting that is not there', ['demo', '--meeting', 'nowhere.json'], 'nowhere.json'],
    ['both a meeting and WAV files', ['demo', '--meeting', SHORT_MEETING, '--wav', 'a.wav'], 'either'],
    ['no speed', ['demo', '--speed', '0'], '--speed'],
    ['a speed that is a word', ['demo', '--speed', 'fast'], '--speed'],
  ])('ends with 2 for %s, and says so on standard error', async (_, args, told) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(told);
    expect(stderr).not.toMatch(/\n\s+at .*:\d+:\d+/);
  });

  it.each([
    ['a setting that does not exist', { CAPTION_PROT: '1' }, 'Did you mean CAPTION_PORT?'],
    ['a value out of range', { CAPTION_PORT: '99999' }, '0 to 65535'],
    ['an address that is not loopback, without keys', { CAPTION_HOST: '0.0.0.0' }, 'LIVEKIT_API_KEY'],
  ])('ends with 2 for %s', async (_, env, told) => {
    const { code, stdout, stderr } = await run(['serve'], { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(told);
  });

  it.each([
    ['serve'],
    ['demo'],
    ['transcribe', fileURLToPath(new URL('../fixtures/speech/short-03-david.wav', import.meta.url))],
  ])(
    '%s ends with 3 and tells three ways to get a model, when there is none and no network',
    async (...args) => {
      const cwd = await emptyDir();
      const env = {
        CAPTION_MODELS_DIR: join(cwd, 'models-of-mine'),
        XDG_CACHE_HOME: join(cwd, 'cache'),
        CAPTION_MODELS_MIRROR: `http://127.0.0.1:${await freePort()}/`,
      };
      const { code, stdout, stderr } = await run(args, { cwd, env });
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toContain('model_missing');
      expect(stderr).toContain('models pull');
      expect(stderr).toContain('models import');
      expect(stderr).toContain('CAPTION_MODELS_MIRROR');
    },
  );
});

describe('caption-gateway behind a proxy', () => {
  const afterwards = cleanupsAfterEach();

  it('downloads models through it, but not what NO_PROXY names', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'caption-cli-'));
    afterwards(() => rm(cwd, { recursive: true, force: true }));
    // Nobody answers behind it: the download fails either way, and the proxy has seen who asked.
    const proxy = await startForwardProxy(await freePort());
    afterwards(() => proxy.close());
    const pull = (env: Readonly<Record<string, string>>) =>
      run(['models', 'pull', 'zipformer-en-3.3m'], {
        env: {
          CAPTION_MODELS_DIR: join(cwd, 'models'),
          XDG_CACHE_HOME: join(cwd, 'cache'),
          CAPTION_MODELS_MIRROR: 'http://mirror.test/models',
          http_proxy: '',
          HTTP_PROXY: proxy.host,
          ...env,
        },
        cwd,
      });
    expect((await pull({ no_proxy: '.test' })).code).toBe(4);
    expect(proxy.seen).toEqual([]);
    expect((await pull({ no_proxy: '' })).code).toBe(4);
    expect(proxy.seen[0]?.request).toMatch(/^GET http:\/\/mirror\.test\/models\//);
  });
});

describeWithModel('caption-gateway with a model', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let dir: string;
  let pcm: Int16Array;
  let expected: string[];
  const env = { CAPTION_MODELS_DIR: dirname(model.dir) };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'caption-cli-'));
    afterAllTests(() => rm(dir, { recursive: true, force: true }));
    const track = await longestTrack();
    pcm = track.pcm.subarray(Math.round(track.spoken[0]!.startMs * 16) - 4000).subarray(0, 5 * 16_000);
    await writeWav('speech.wav', [pcm], { rateHz: 16_000, bits: '16' });
    expected = normaliseWords((await run(['transcribe', join(dir, 'speech.wav')], { env })).stdout);
    expect(expected.length).toBeGreaterThan(5);
  });

  async function writeWav(
    name: string,
    channels: readonly Int16Array[],
    format: { rateHz: number; bits: string },
  ): Promise<string> {
    const wav = new WaveFile();
    wav.fromScratch(
      channels.length,
      format.rateHz,
      '16',
      channels.length === 1 ? channels[0]! : channels.map((channel) => channel),
    );
    if (format.bits !== '16') wav.toBitDepth(format.bits);
    const file = join(dir, name);
    await writeFile(file, wav.toBuffer());
    return file;
  }

  async function atRate(rateHz: number): Promise<Int16Array> {
    if (rateHz === 16_000) return pcm;
    const stream = new SpeexStream(await loadSpeex(), { fromHz: 16_000, toHz: rateHz, quality: 8 });
    const converted = stream.resample(pcm);
    stream.destroy();
    return converted;
  }

  interface TranscribeDocument {
    model: string;
    files: {
      file: string;
      channel?: number;
      seconds: number;
      hasSpeech: boolean;
      text: string;
      realTimeFactor: number;
      segments: {
        startMs: number;
        endMs: number;
        text: string;
        words: { text: string; startMs: number; endMs: number; shownAtMs: number }[];
      }[];
    }[];
  }

  async function transcribeJson(...args: string[]): Promise<TranscribeDocument> {
    const { code, stdout, stderr } = await run(['transcribe', ...args, '--json'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as TranscribeDocument;
  }

  describe('transcribe', () => {
    it('--json prints one document with everything that is documented', async () => {
      const file = join(dir, 'speech.wav');
      const document = await transcribeJson(file, file);
      expect(document.model).toBe(model.id);
      expect(document.files.map((entry) => entry.file)).toEqual([file, file]);
      const [first, second] = document.files;
      expect(second?.text).toBe(first?.text);
      expect(normaliseWords(first!.text)).toEqual(expected);
      expect(first!.seconds).toBeCloseTo(pcm.length / 16_000, 3);
      expect(first!.realTimeFactor).toBeGreaterThan(0);
      expect(first!.segments.map(({ text }) => text).join(' ')).toBe(first!.text);
      for (const { startMs, endMs, text, words } of first!.segments) {
        expect(words.map((word) => word.text).join(' ')).toBe(text);
        expect([startMs, endMs]).toEqual([words[0]?.startMs, words.at(-1)?.endMs]);
        for (const word of words) {
          expect(word.endMs).toBeGreaterThanOrEqual(word.startMs);
          expect(word.shownAtMs).toBeGreaterThanOrEqual(word.startMs);
          expect(word.shownAtMs).toBeLessThanOrEqual(pcm.length / 16 + 1000);
        }
      }
    });

    it.each([
      ['8 bit', 16_000, '8'],
      ['24 bit', 48_000, '24'],
      ['32 bit', 44_100, '32'],
      ['float', 24_000, '32f'],
      ['16 bit', 8000, '16'],
    ])('reads %s at %i Hz', async (_, rateHz, bits) => {
      const file = await writeWav(`${rateHz}-${bits}.wav`, [await atRate(rateHz)], { rateHz, bits });
      const { code, stdout } = await run(['transcribe', file], { env });
      const words = normaliseWords(stdout);
      expect(code).toBe(0);
      // Less is understood of 8 bit and of half the band; of the others nearly the same.
      const understood = words.filter((word) => expected.includes(word)).length;
      expect(understood).toBeGreaterThanOrEqual(
        expected.length * (bits === '8' || rateHz === 8000 ? 0.25 : 0.8),
      );
    });

    it('runs the engine that the settings name, and says what it cannot favour', async () => {
      const args = ['transcribe', join(dir, 'speech.wav'), '--vocabulary', 'La Suite', '日本'];
      const runs = await Promise.all(
        ['zipformer', 'sherpa'].map((engine) => run(args, { env: { ...env, CAPTION_ENGINE: engine } })),
      );
      expect(runs.map(({ code }) => code)).toEqual([0, 0]);
      const [zipformer, sherpa] = runs.map(({ stderr }) => stderr);
      expect(zipformer).toContain('日本');
      expect(zipformer).not.toContain('La Suite');
      expect(sherpa).toContain('sherpa-onnx favours no phrases');
    });

    it('--vtt, --srt and --txt print what they say', async () => {
      const file = join(dir, 'speech.wav');
      const [vtt, srt, txt] = await Promise.all(
        ['--vtt', '--srt', '--txt'].map((flag) => run(['transcribe', file, flag], { env })),
      );
      expect(vtt?.stdout).toMatch(/^WEBVTT\n\n\d\d:\d\d:\d\d\.\d{3} --> \d\d:\d\d:\d\d\.\d{3} \S+ \S+\n/);
      expect(srt?.stdout).toMatch(/^1\n\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\n/);
      expect(normaliseWords(txt!.stdout)).toEqual(expected);
      const spoken = (text: string): string[] =>
        normaliseWords(text.replace(/^(?:WEBVTT|\d+|.*-->.*)$|<[\d:.]+>/gm, ''));
      expect(spoken(vtt!.stdout)).toEqual(expected);
      expect(spoken(srt!.stdout)).toEqual(expected);
    });

    it('--split-channels takes each channel for a speaker; without it they are mixed', async () => {
      const silence = new Int16Array(pcm.length);
      const file = await writeWav('stereo.wav', [silence, pcm], { rateHz: 16_000, bits: '16' });
      const { files } = await transcribeJson(file, '--split-channels');
      expect(files.map(({ channel, text }) => [channel, text !== ''])).toEqual([
        [1, false],
        [2, true],
      ]);
      expect(normaliseWords(files[1]!.text)).toEqual(expected);
      const subtitles = await run(['transcribe', file, '--split-channels', '--vtt'], { env });
      expect(subtitles.stdout).toContain('<v Channel 2>');
      const mixed = await transcribeJson(file);
      expect(mixed.files).toHaveLength(1);
      expect(mixed.files[0]).not.toHaveProperty('channel');
    });

    it('takes a file without any audio', async () => {
      const file = await writeWav('empty.wav', [new Int16Array(0)], { rateHz: 16_000, bits: '16' });
      const { code, stdout, stderr } = await run(['transcribe', file, '--json'], { env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: `${file}: it has no audio.\n` });
      const { files } = JSON.parse(stdout) as TranscribeDocument;
      expect(files).toEqual([
        { file, seconds: 0, hasSpeech: false, text: '', realTimeFactor: 0, segments: [] },
      ]);
    });

    it('says of a file in which it found no speech that there is none', async () => {
      const hum = Int16Array.from({ length: 48_000 }, (_, n) => Math.round(300 * Math.sin(n / 20)));
      const file = await writeWav('hum.wav', [hum, hum], { rateHz: 16_000, bits: '16' });
      for (const flag of ['--txt', '--split-channels']) {
        const { code, stdout, stderr } = await run(['transcribe', file, flag], { env });
        expect({ code, words: stdout.trim() }).toEqual({ code: 0, words: '' });
        expect(stderr).toBe(`${file}: no speech was found in 3.0 s of audio.\n`);
      }
    });

    it('hears the words of a recorder that broke down, and of channels that take each other away', async () => {
      const opposite = pcm.map((sample) => Math.max(-32_767, -sample));
      const stereo = await writeWav('opposite.wav', [pcm, opposite], { rateHz: 16_000, bits: '16' });
      const broken = join(dir, 'broken.wav');
      const bytes = await readFile(join(dir, 'speech.wav'));
      bytes.writeUInt32LE(0, bytes.indexOf('data', 0, 'latin1') + 4);
      await writeFile(broken, bytes);
      const { files } = await transcribeJson(stereo, broken);
      expect(files.map(({ hasSpeech, text }) => [hasSpeech, normaliseWords(text)])).toEqual([
        [true, expected],
        [true, expected],
      ]);
    });

    it.each([
      ['a language that the model does not know', ['--language', 'fr'], 'language_unsupported'],
      ['a phrase that is too long', ['--vocabulary', 'x'.repeat(2000)], 'vocabulary_invalid'],
      ['subtitles of two files', ['--vtt', 'FILE'], 'usage_formats'],
    ])('ends with 2 for %s', async (_, args, told) => {
      const file = join(dir, 'speech.wav');
      const { code, stdout, stderr } = await run(
        ['transcribe', file, ...args.map((arg) => (arg === 'FILE' ? join(dir, 'again.wav') : arg))],
        { env },
      );
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(told);
    });

    beforeAll(async () => {
      await symlink(join(dir, 'speech.wav'), join(dir, 'again.wav'));
    });
  });

  describe('demo', () => {
    it('--json prints one document with everything that is documented', async () => {
      const { code, stdout, stderr } = await run(
        ['demo', '--meeting', SHORT_MEETING, '--speed', '4', '--json'],
        { env },
      );
      expect(code).toBe(0);
      const document = JSON.parse(stdout) as Record<string, unknown>;
      expect(document).toMatchObject({
        model: model.id,
        seconds: anyNumber,
        wer: anyNumber,
        wordLatencyMs: { p50: anyNumber, p95: anyNumber, count: anyNumber },
        finalLatencyMs: { p50: anyNumber, p95: anyNumber },
        lostWords: 0,
        duplicatedWords: 0,
        resyncs: 0,
      });
      const meeting = JSON.parse(await readFile(SHORT_MEETING, 'utf8')) as {
        speakers: { identity: string }[];
      };
      expect(document['speakers']).toEqual(
        meeting.speakers.map(({ identity }) => objectWith({ identity, words: anyNumber, wer: anyNumber })),
      );
      expect(stderr).toMatch(/Watch it in a browser: http:\/\/127\.0\.0\.1:\d+\/\?room=demo/);
    });

    it('without a terminal prints captions line by line, then a table', async () => {
      const { code, stdout } = await run(
        ['demo', '--wav', join(dir, 'speech.wav'), join(dir, 'again.wav'), '--speed', '10'],
        { env },
      );
      expect(code).toBe(0);
      expect(stdout).not.toContain('\u001b[');
      expect(stdout).toMatch(/^ +\d+\.\d s {2}speech: \S+/m);
      expect(stdout).toMatch(/^ +\d+\.\d s {2}again: \S+/m);
      expect(stdout).toMatch(/^speaker +words +word errors +word p50 +word p95 +final p50$/m);
      expect(stdout).toMatch(/^all +\d+/m);
      expect(stdout).toContain('0 words lost, 0 doubled');
    });

    it('ends with 1 when it is interrupted', async () => {
      const demo = startProgram(['demo', '--meeting', SHORT_MEETING], { env });
      afterwards(() => void demo.child.kill('SIGKILL'));
      await waitUntil(() => (demo.stdout().includes('Watch it') ? undefined : 'it has not begun'));
      demo.child.kill('SIGINT');
      const { code, stderr } = await demo.ended;
      expect(code).toBe(1);
      expect(stderr).toContain('interrupted');
    });
  });

  describe('serve', () => {
    it.each(['SIGTERM', 'SIGINT'] as const)('runs until %s, then ends with 0', async (signal) => {
      const serve = startProgram(['serve'], { env: { ...env, CAPTION_PORT: '0' } });
      afterwards(() => void serve.child.kill('SIGKILL'));
      const url = await waitFor('it is not ready', () => /"url":"([^"]+)"/.exec(serve.stderr())?.[1]);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      serve.child.kill(signal);
      const { code, stdout, stderr } = await serve.ended;
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      for (const line of stderr.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
    });

    it('ends with 1 when its port is taken, and says which', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      afterwards(() => void server.close());
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const { code, stderr } = await run(['serve'], { env: { ...env, CAPTION_PORT: String(port) } });
      expect(code).toBe(1);
      expect(stderr).toContain('address_unavailable');
      expect(stderr).toContain(String(port));
    });
  });
});
