import { malformedField, type CodecError } from './codec-error.js';
import { LANGUAGE_TAG_RULE, languageTag } from './language.js';

/** Inclusive bounds of a number, or of the length of a text in UTF-16 code units. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export interface FieldReaderOptions {
  readonly path?: string;
  readonly nullIsAbsent?: boolean;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isIntegerWithin = (value: unknown, { min, max }: Bounds): value is number =>
  Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;

/**
 * Reads the fields of one object that came from outside and checks each of them.
 * Every method throws a `CodecError` `message_malformed` that names the path of the field, for instance `words[3].text`.
 */
export class FieldReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #nullIsAbsent: boolean;

  /**
   * `path` is where `value` was found, empty for the message itself. `nullIsAbsent`: an optional field may be null, which is how many
   * languages write that there is none.
   */
  constructor(value: unknown, { path = '', nullIsAbsent = false }: FieldReaderOptions = {}) {
    if (!isObject(value)) throw malformedField(path, 'an object', value);
    this.#fields = value;
    this.#path = path;
    this.#nullIsAbsent = nullIsAbsent;
  }

  text(name: string, bounds: Bounds): string {
    const value = this.#fields[name];
    if (typeof value !== 'string' || value.length < bounds.min || value.length > bounds.max) {
      throw this.malformed(name, `a text of ${bounds.min} to ${bounds.max} characters`);
    }
    return value;
  }

  optionalText(name: string, bounds: Bounds): string | undefined {
    return this.has(name) ? this.text(name, bounds) : undefined;
  }

  integer(name: string, bounds: Bounds): number {
    const value = this.#fields[name];
    if (!isIntegerWithin(value, bounds)) {
      throw this.malformed(name, `an integer from ${bounds.min} to ${bounds.max}`);
    }
    return withoutSignOfZero(value);
  }

  optionalInteger(name: string, bounds: Bounds): number | undefined {
    return this.has(name) ? this.integer(name, bounds) : undefined;
  }

  /** A number from 0 to 1, or undefined where the field is absent. */
  optionalFraction(name: string): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#fields[name];
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) {
      throw this.malformed(name, 'a number from 0 to 1');
    }
    return withoutSignOfZero(value);
  }

  flag(name: string): boolean {
    const value = this.#fields[name];
    if (typeof value !== 'boolean') throw this.malformed(name, 'true or false');
    return value;
  }

  /** False where the field is absent. */
  optionalFlag(name: string): boolean {
    return this.has(name) ? this.flag(name) : false;
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const value = this.#fields[name];
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.malformed(name, `one of ${choices.join(', ')}`);
    return found;
  }

  has(name: string): boolean {
    const value = this.#fields[name];
    return value !== undefined && !(value === null && this.#nullIsAbsent);
  }

  /** A language tag in its usual spelling (see `languageTag`); undefined where the field is absent or empty. */
  optionalLanguage(name: string): string | undefined {
    const value = this.#fields[name];
    if (!this.has(name) || value === '') return undefined;
    const tag = typeof value === 'string' ? languageTag(value) : undefined;
    if (tag === undefined) throw this.malformed(name, LANGUAGE_TAG_RULE);
    return tag;
  }

  is(name: string, value: string | number): boolean {
    return this.#fields[name] === value;
  }

  texts(name: string, { max, each }: { max: number; each: Bounds }): string[] {
    const value = this.#fields[name];
    const isGood = (text: unknown): text is string =>
      typeof text === 'string' && text.length >= each.min && text.length <= each.max;
    if (Array.isArray(value) && value.length <= max && value.every(isGood)) return value;
    throw this.malformed(name, `a list of at most ${max} texts of ${each.min} to ${each.max} characters`);
  }

  object(name: string): FieldReader {
    return this.#readerOf(this.#fields[name], this.#pathOf(name));
  }

  optionalObject(name: string): FieldReader | undefined {
    return this.has(name) ? this.object(name) : undefined;
  }

  list<Item>(name: string, readItem: (item: FieldReader) => Item): Item[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw this.malformed(name, 'a list');
    const path = this.#pathOf(name);
    return Array.from(value, (item: unknown, index) => readItem(this.#readerOf(item, `${path}[${index}]`)));
  }

  /** The error for a field that breaks `rule`; completes the sentence "must be …". For rules between fields. */
  malformed(name: string, rule: string): CodecError {
    return malformedField(this.#pathOf(name), rule, this.#fields[name]);
  }

  #readerOf(value: unknown, path: string): FieldReader {
    return new FieldReader(value, { path, nullIsAbsent: this.#nullIsAbsent });
  }

  #pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}

/** JSON writes -0 as 0: reading it as 0 keeps a message equal to itself after a round trip. */
const withoutSignOfZero = (value: number): number => value + 0;
