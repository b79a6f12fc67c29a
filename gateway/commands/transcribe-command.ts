import type { Command } from 'commander';
import {
  ChildEngine,
  type EngineChoice,
  mixToMono,
  parseVocabulary,
  readWavFile,
  toSixteenKilohertz,
} from '../../asr/index.js';
import { CaptionError, SAMPLE_RATE_HZ } from '../../protocol/index.js';
import { environmentWith } from '../config/environment.js';
import { languageChooser } from '../rooms/caption-language.js';
import { recordingTranscript, type RecordedTrack } from '../transcribe/recording-transcript.js';
import { transcribePcm, type TranscribedSegment } from '../transcribe/transcribe-pcm.js';
import { formatSrt, formatWebVtt } from '../transcript/subtitle-formats.js';
import { terminalLine, terminalText } from '../terminal-text.js';
import { type CommandContext, printJson } from './command-context.js';
import { locateModels } from './locate-model.js';

interface TranscribeFlags {
  readonly json?: boolean;
  readonly vtt?: boolean;
  readonly srt?: boolean;
  readonly txt?: boolean;
  readonly realtime?: boolean;
  readonly splitChannels?: boolean;
  readonly language?: string;
  readonly vocabulary: string[];
}

interface TranscribedTrack {
  readonly file: string;
  /** 1, 2, … with `--split-channels`. */
  readonly channel?: number;
  readonly seconds: number;
  /** False where nothing was recognised: silence, noise, or a file that is not what somebody took it for. */
  readonly hasSpeech: boolean;
  readonly text: string;
  readonly realTimeFactor: number;
  readonly segments: readonly TranscribedSegment[];
}

/** `caption-gateway transcribe FILE...`: the live pipeline on WAV files. */
export function registerTranscribeCommand(program: Command, context: () => CommandContext): void {
  program
    .command('transcribe')
    .description('put WAV files through the same pipeline as live speech')
    .argument('<file...>', 'WAV files of any rate; 8, 16, 24, 32 bit or float; mono or more channels')
    .option('--json', 'print one JSON document')
    .option('--vtt', 'print WebVTT')
    .option('--srt', 'print SubRip')
    .option('--txt', 'print the text only (default)')
    .option('--realtime', 'feed the audio at the pace of speech')
    .option('--split-channels', 'one speaker per channel instead of a mix of all channels')
    .option('--language <tag>', 'language of the speech, for models that know several')
    .option('--vocabulary <phrase...>', 'names and terms: favoured, and spelled so', [])
    .action((files: string[], flags: TranscribeFlags) => transcribe(context(), files, flags));
}

async function transcribe(
  context: CommandContext,
  files: readonly string[],
  flags: TranscribeFlags,
): Promise<void> {
  const formats = [flags.json, flags.vtt, flags.srt, flags.txt].filter((isChosen) => isChosen === true);
  if (formats.length > 1)
    throw new CaptionError('usage_formats', 'Choose one of --json, --vtt, --srt and --txt.');
  if ((flags.vtt === true || flags.srt === true) && files.length > 1) {
    throw new CaptionError('usage_formats', 'Subtitles are written for one file at a time.');
  }
  const vocabulary = parseVocabulary(flags.vocabulary);
  const inputs = await Promise.all(files.map((file) => readTracks(file, flags.splitChannels === true)));
  const models = await locateModels(context);
  const { settings } = context.environment;
  const language = languageChooser(models.model, settings.CAPTION_LANGUAGE)(flags.language);
  const engine = await ChildEngine.start({
    ...models,
    children: 1,
    environment: environmentWith({}),
    engine: settings.CAPTION_ENGINE as EngineChoice,
    changedWordsAllowed: settings.CAPTION_CHANGED_WORDS_PERCENT / 100,
    observer: {
      childReady: ({ refusal }) => {
        if (refusal !== undefined)
          context.stderr.write(
            `Our own engine cannot run the model, sherpa-onnx does: ${terminalText(refusal)}\n`,
          );
      },
    },
  });
  const results: TranscribedTrack[] = [];
  try {
    const unfavoured = await engine.unfavoured(vocabulary);
    if (unfavoured !== undefined) context.stderr.write(`${terminalText(unfavoured.error.message)}\n`);
    // One after the other: what shares a batch must not depend on chance.
    for (const { file, channel, pcm } of inputs.flat()) {
      const startedAtMs = performance.now();
      const segments = await transcribePcm(pcm, {
        engine,
        language,
        vocabulary,
        realtime: flags.realtime === true,
        signal: context.signal,
      });
      const seconds = pcm.length / SAMPLE_RATE_HZ;
      const tookS = (performance.now() - startedAtMs) / 1000;
      results.push({
        file,
        ...(channel === undefined ? {} : { channel }),
        seconds,
        hasSpeech: segments.length > 0,
        text: segments.map(({ text }) => text).join(' '),
        realTimeFactor: seconds === 0 ? 0 : Number((tookS / seconds).toFixed(4)),
        segments,
      });
    }
  } finally {
    await engine.close();
  }
  for (const file of new Set(files))
    context.stderr.write(nothingHeard(results.filter((track) => track.file === file)));
  if (flags.json === true) printJson(context, { model: models.model.id, files: results });
  else context.stdout.write(formatAll(results, flags));
}

interface InputTrack {
  readonly file: string;
  readonly channel?: number;
  readonly pcm: Int16Array;
}

async function readTracks(file: string, splitChannels: boolean): Promise<InputTrack[]> {
  const { channels, sampleRateHz } = await readWavFile(file);
  if (!splitChannels) return [{ file, pcm: await toSixteenKilohertz(mixToMono(channels), sampleRateHz) }];
  return Promise.all(
    channels.map(async (pcm, index) => ({
      file,
      channel: index + 1,
      pcm: await toSixteenKilohertz(pcm, sampleRateHz),
    })),
  );
}

/** An empty transcript alone looks as if nothing had been said. Empty where one of the file's tracks has speech. */
function nothingHeard(tracks: readonly TranscribedTrack[]): string {
  const [first] = tracks;
  if (first === undefined || tracks.some(({ hasSpeech }) => hasSpeech)) return '';
  const what =
    first.seconds === 0 ? 'it has no audio' : `no speech was found in ${first.seconds.toFixed(1)} s of audio`;
  return `${terminalLine(first.file)}: ${what}.\n`;
}

function formatAll(results: readonly TranscribedTrack[], flags: TranscribeFlags): string {
  if (flags.vtt !== true && flags.srt !== true)
    return results
      .map(({ segments }) => segments.map(({ text }) => `${terminalLine(text)}\n`).join(''))
      .join('\n');
  const tracks = results.map(({ channel, segments }): RecordedTrack => ({
    segments,
    ...(channel === undefined ? {} : { speaker: `Channel ${channel}` }),
  }));
  const options = { namesSpeakers: tracks.some(({ speaker }) => speaker !== undefined) };
  const transcript = recordingTranscript(tracks);
  return [...(flags.vtt === true ? formatWebVtt : formatSrt)(transcript, options)].join('');
}
