/** `bench agreement`: do both engines say the same? Whole clips, greedy, without looking ahead, one stream at a time. */
import { type InstalledModel, textAgreement, type TextAgreement } from '../asr/index.js';
import { formatColumns, readSpeech } from '../gateway/index.js';
import { type Arm, armsOf, bothPrecisions, runWorker } from './engine-arms.js';
import { readManifest } from './manifest.js';

const NOT_BATCHED = [1];

/** `firstAgainstSecond`: our texts measured against sherpa-onnx's. */
export interface AgreementArm extends TextAgreement {
  readonly precision: InstalledModel['precision'];
  /** Of clips whose texts differ: ours, then sherpa-onnx's. */
  readonly differences: readonly { readonly clip: string; readonly texts: readonly [string, string] }[];
}

export interface AgreementResult {
  readonly model: string;
  readonly arms: readonly AgreementArm[];
}

export async function runAgreementBench(options: {
  readonly manifest: string;
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}): Promise<AgreementResult> {
  const clips = await readManifest(options.manifest);
  const spoken = await Promise.all(clips.map(({ path }) => readSpeech(path)));
  const models = await bothPrecisions(options);
  const arms: AgreementArm[] = [];
  for (const model of models) {
    const texts: Partial<Record<Arm['engine'], readonly string[]>> = {};
    for (const arm of armsOf(model)) {
      options.output.write(`${arm.engine} ${model.precision}\n`);
      texts[arm.engine] = (await runWorker(arm, { clips: spoken, batchSizes: NOT_BATCHED })).texts;
      options.signal.throwIfAborted();
    }
    const { zipformer: ours = [], sherpa: theirs = [] } = texts;
    arms.push({
      precision: model.precision,
      ...textAgreement(ours, theirs),
      differences: clips.flatMap(({ id }, index) => {
        const pair: [string, string] = [ours[index] ?? '', theirs[index] ?? ''];
        return textAgreement([pair[0]], [pair[1]]).clipsThatDiffer === 0 ? [] : [{ clip: id, texts: pair }];
      }),
    });
  }
  return { model: models[0]?.id ?? '', arms };
}

export function formatAgreementResult({ model, arms }: AgreementResult): string {
  const rows = arms.map((arm) => [
    arm.precision,
    `${arm.clips - arm.clipsThatDiffer} of ${arm.clips}`,
    percentOf(arm.firstAgainstSecond),
    percentOf(arm.secondAgainstFirst),
  ]);
  const differences = arms.flatMap(({ precision, differences: list }) =>
    list.map(
      ({ clip, texts: [ours, theirs] }) => `${precision} ${clip}\n  ours    ${ours}\n  sherpa  ${theirs}\n`,
    ),
  );
  const table = formatColumns([['', 'same texts', 'ours against sherpa', 'sherpa against ours'], ...rows]);
  return `${table}\n${differences.join('')}model ${model}\n`;
}

const percentOf = (rate: number | null): string => (rate === null ? '–' : `${(rate * 100).toFixed(2)} %`);
