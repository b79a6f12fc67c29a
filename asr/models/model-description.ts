/** `model.json`: what a person may say about a model that the registry does not know. Every field is optional. */
import { join } from 'node:path';
import { CaptionError } from '../../protocol/index.js';
import { readTextFile } from '../text-file.js';
import { isMissing } from './install-record.js';
import type { Casing } from './registry.js';

export const MODEL_DESCRIPTION_FILE = 'model.json';

export interface ModelDescription {
  readonly title?: string;
  /** BCP 47. */
  readonly languages?: readonly string[];
  readonly casing?: Casing;
  readonly punctuates?: boolean;
}

/**
 * The description in a model's folder; empty where there is none.
 * Throws CaptionError `model_damaged` when it is not JSON or a field has the wrong type.
 */
export async function readModelDescription(dir: string): Promise<ModelDescription> {
  const path = join(dir, MODEL_DESCRIPTION_FILE);
  let text: string;
  try {
    text = await readTextFile(path);
  } catch (error) {
    if (isMissing(error)) return {};
    throw error;
  }
  const description = parseDescription(text);
  if (description !== undefined) return description;
  throw new CaptionError(
    'model_damaged',
    `${path} is no model description: it may hold "title" (text), "languages" (list of texts), ` +
      '"casing" ("upper", "lower" or "mixed") and "punctuates" (true or false).',
  );
}

function parseDescription(text: string): ModelDescription | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const said = withoutNulls(value);
  return isDescription(said) ? said : undefined;
}

/** Null says nothing. */
const withoutNulls = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));

function isDescription(value: unknown): value is ModelDescription {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { title, languages, casing, punctuates } = value as Partial<Record<keyof ModelDescription, unknown>>;
  return (
    (title === undefined || typeof title === 'string') &&
    (languages === undefined ||
      (Array.isArray(languages) && languages.every((language) => typeof language === 'string'))) &&
    (casing === undefined || casing === 'upper' || casing === 'lower' || casing === 'mixed') &&
    (punctuates === undefined || typeof punctuates === 'boolean')
  );
}
