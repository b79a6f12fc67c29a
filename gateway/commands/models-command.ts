/** `caption-gateway models`: which models there are, and how they get onto this machine. */
import { dirname } from 'node:path';
import type { Command } from 'commander';
import {
  DEFAULT_MODEL_ID,
  importModel,
  listInstalled,
  MODEL_REGISTRY,
  pullModel,
  registeredModel,
  verifyModel,
  type ListedModel,
  type OnInstallProgress,
  type RegisteredModel,
} from '../../asr/models/index.js';
import { CaptionError } from '../../protocol/index.js';
import { jsonDocument } from './command-context.js';
import { describeModels, formatModelTable } from './models-table.js';
import { InstallProgressDisplay } from './install-progress-display.js';

export interface ModelsCommandContext {
  /** Searched first to last, as from `modelDirectories`. */
  readonly directories: readonly string[];
  /** Installed into the first that can be written, as from `modelStores`. */
  readonly stores: readonly string[];
  /** `CAPTION_MODELS_MIRROR`, if set. */
  readonly mirror?: string | undefined;
  /** Results, and nothing else. */
  readonly stdout: NodeJS.WritableStream;
  /** Progress and remarks. */
  readonly stderr: NodeJS.WritableStream;
  /** Whether `stderr` is a terminal, where a line can be written again. */
  readonly isTty: boolean;
  /** Aborting it ends a download; what was received is kept for the next one. */
  readonly signal: AbortSignal;
  /** Default: the built-in one. */
  readonly registry?: readonly RegisteredModel[] | undefined;
}

/**
 * Adds `models list|pull|verify|import` to `program`; `models` alone lists. The actions throw CaptionErrors: `model_*`
 * (no usable model), `usage_*` (wrong argument), `download_failed` (server out of reach), `archive_*` (bad archive).
 */
export function registerModelsCommand(program: Command, context: ModelsCommandContext): void {
  const models = program.command('models').description('list, fetch and check speech models');
  models
    .command('list', { isDefault: true })
    .description('show the models that can be had and those that are installed')
    .option('--json', 'print one JSON document instead of a table')
    .action((options: { json?: boolean }) => listModels(context, options.json === true));
  models
    .command('pull')
    .description('download and install a model')
    .argument('[id]', 'which one', DEFAULT_MODEL_ID)
    .action((id: string) => pull(context, id));
  models
    .command('verify')
    .description('read installed models through and compare them with what was installed')
    .argument('[id]', 'only this one (default: all)')
    .action((id: string | undefined) => verify(context, id));
  models
    .command('import')
    .description('install a model from a folder or a .tar.bz2, .tar.gz or .tar archive')
    .argument('<path>', 'the folder or archive')
    .option('--id <id>', 'what to call it (default: by the name of the folder or archive)')
    .action((path: string, options: { id?: string }) => importFrom(context, path, options.id));
}

async function listModels(context: ModelsCommandContext, json: boolean): Promise<void> {
  const installed = await listInstalled(context.directories, context.registry);
  const models = describeModels(context.registry ?? MODEL_REGISTRY, installed);
  if (json) {
    context.stdout.write(`${jsonDocument({ models, directories: context.directories })}\n`);
    return;
  }
  context.stdout.write(formatModelTable(models));
  context.stderr.write(`Searched: ${context.directories.join(', ')}\n`);
}

async function pull(context: ModelsCommandContext, id: string): Promise<void> {
  const present = (await installedWithId(context, id)).find((listed) => listed.state === 'usable');
  if (present !== undefined) {
    context.stderr.write(`${id} is installed already.\n`);
    context.stdout.write(`${present.dir}\n`);
    return;
  }
  const { stores, mirror, signal, registry } = context;
  const model = await withProgress(context, id, (onProgress) =>
    pullModel({ id, stores, mirror, signal, registry, onProgress }),
  );
  context.stdout.write(`${model.dir}\n`);
}

async function importFrom(
  context: ModelsCommandContext,
  path: string,
  id: string | undefined,
): Promise<void> {
  const { stores, signal, registry, directories } = context;
  const model = await withProgress(context, id ?? path, (onProgress) =>
    importModel({ path, id, stores, signal, registry, onProgress }),
  );
  context.stdout.write(`${model.dir}\n`);
  const [first] = await installedWithId(context, model.id);
  if (first !== undefined && first.dir !== model.dir && directories.includes(dirname(model.dir))) {
    context.stderr.write(`Note: ${first.dir} has a model of the same id and is searched before.\n`);
  }
}

async function verify(context: ModelsCommandContext, id: string | undefined): Promise<void> {
  const listed =
    id === undefined
      ? await listInstalled(context.directories, context.registry)
      : await installedWithId(context, id);
  if (listed.length === 0) {
    throw new CaptionError(
      'model_missing',
      `${id === undefined ? 'No model is' : `The model "${id}" is not`} installed in ${context.directories.join(', ')}. ` +
        '"caption-gateway models pull" fetches one.',
    );
  }
  const problems: CaptionError[] = [];
  for (const model of listed) {
    const problem = await verifyOne(context, model);
    if (problem !== undefined) problems.push(problem);
  }
  const [first] = problems;
  if (first !== undefined) {
    throw new CaptionError(first.code, problems.map((problem) => problem.message).join('\n'), {
      cause: first,
    });
  }
}

async function verifyOne(
  context: ModelsCommandContext,
  listed: ListedModel,
): Promise<CaptionError | undefined> {
  if (listed.state === 'broken') {
    context.stdout.write(`${listed.id}  ${listed.dir}  ${listed.problem.code}\n`);
    return listed.problem;
  }
  const { id } = listed.model;
  try {
    const { signal, registry } = context;
    const verified = await verifyModel({ id, dir: listed.dir, signal, registry });
    const how =
      verified.checked === 'checksums'
        ? `good: ${verified.files} files as installed`
        : 'plausible: no install record to compare with';
    context.stdout.write(`${id}  ${listed.dir}  ${how}\n`);
    return undefined;
  } catch (error) {
    if (!(error instanceof CaptionError)) throw error;
    context.stdout.write(`${id}  ${listed.dir}  ${error.code}\n`);
    return error;
  }
}

async function installedWithId(context: ModelsCommandContext, id: string): Promise<readonly ListedModel[]> {
  const listed = await listInstalled(context.directories, context.registry);
  const wanted = registeredModel(id, context.registry)?.id ?? id;
  return listed.filter((model) => (model.state === 'usable' ? model.model.id : model.id) === wanted);
}

async function withProgress<T>(
  context: ModelsCommandContext,
  label: string,
  work: (onProgress: OnInstallProgress) => Promise<T>,
): Promise<T> {
  const display = new InstallProgressDisplay({ output: context.stderr, isTty: context.isTty, label });
  try {
    return await work((progress) => display.show(progress));
  } finally {
    display.close();
  }
}
