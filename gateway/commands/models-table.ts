/** What `models list` shows, as data and as a table. */
import { DEFAULT_MODEL_ID, type ListedModel, type RegisteredModel } from '../../asr/models/index.js';
import { terminalLine } from '../terminal-text.js';

/** One line of the list. The field names are those of `models list --json`. */
export interface ModelDescription {
  readonly id: string;
  readonly title: string;
  readonly kind: RegisteredModel['kind'];
  /** BCP 47. */
  readonly languages: readonly string[];
  /** Absent for a model that is not registered. */
  readonly licence?: string;
  /** What is used when nothing is configured. */
  readonly isDefault: boolean;
  /** Size of the download, where it is known. */
  readonly archiveBytes?: number;
  /** The copy that is used; absent when there is none. */
  readonly installed?: InstalledDescription;
}

export interface InstalledDescription {
  readonly dir: string;
  readonly state: ListedModel['state'];
  /** On disk; absent for a broken one. */
  readonly sizeBytes?: number;
  /** What is wrong with a broken one. */
  readonly problem?: string;
}

/** The registered models, then those that were only found on disk. */
export function describeModels(
  registry: readonly RegisteredModel[],
  listed: readonly ListedModel[],
): readonly ModelDescription[] {
  const used = new Map<string, ListedModel>();
  for (const model of listed) {
    const id = idOf(model);
    const known = used.get(id);
    // Of several the first usable one is the one that is used.
    if (known === undefined || (known.state === 'broken' && model.state === 'usable')) used.set(id, model);
  }
  const registered = registry.map((model) => describeRegistered(model, used.get(model.id)));
  const others = [...used].filter(([id]) => !registry.some((model) => model.id === id));
  return [...registered, ...others.map(([id, model]) => describeOther(id, model))];
}

/** A table for people, with its header, ending in a line break. */
export function formatModelTable(models: readonly ModelDescription[]): string {
  const rows = [
    ['MODEL', 'LANGUAGE', 'LICENCE', 'DOWNLOAD', 'INSTALLED', ''],
    ...models.map((model) => [
      model.id,
      model.languages.join(', ') || '?',
      model.licence ?? '?',
      model.archiveBytes === undefined ? '?' : formatMegabytes(model.archiveBytes),
      installedText(model.installed),
      model.isDefault ? 'default' : '',
    ]),
  ].map((row) => row.map(terminalLine));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Decimal megabytes, as download pages give them. */
export const formatMegabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

function describeRegistered(model: RegisteredModel, found: ListedModel | undefined): ModelDescription {
  const { id, title, kind, languages, licence } = model;
  return {
    id,
    title,
    kind,
    languages,
    licence,
    isDefault: id === DEFAULT_MODEL_ID,
    ...(model.archive.sizeBytes === undefined ? {} : { archiveBytes: model.archive.sizeBytes }),
    ...(found === undefined ? {} : { installed: describeInstalled(found) }),
  };
}

function describeOther(id: string, found: ListedModel): ModelDescription {
  const said =
    found.state === 'usable' ? found.model : { title: id, languages: [], kind: 'recogniser' as const };
  return {
    id,
    title: said.title,
    kind: said.kind,
    languages: said.languages,
    isDefault: false,
    installed: describeInstalled(found),
  };
}

const describeInstalled = (found: ListedModel): InstalledDescription =>
  found.state === 'usable'
    ? { dir: found.dir, state: found.state, sizeBytes: found.sizeBytes }
    : { dir: found.dir, state: found.state, problem: found.problem.message };

const idOf = (listed: ListedModel): string => (listed.state === 'usable' ? listed.model.id : listed.id);

function installedText(installed: InstalledDescription | undefined): string {
  if (installed === undefined) return '-';
  if (installed.sizeBytes === undefined) return `BROKEN ${installed.dir}`;
  return `${installed.dir} (${formatMegabytes(installed.sizeBytes)})`;
}
