import { malformedField, type CodecError } from './codec-error.js';

/** Inclusive bounds of a number, or of the length of a text in UTF-16 code units. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
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

  /** `path` is where `value` was found, empty for the message itself. */
  constructor(value: unknown, path = '') {
    if (!isObject(value)) throw malformedField(path, 'an object', value);
    this.#fields = value;
    this.#path = path;
  }

  text(name: string, bounds: Bounds): string {
    const value = this.#fields[name];
    if (typeof value !== 'string' || value.length < bounds.min || value.length > bounds.max) {
      throw this.malformed(name, `a text of ${bounds.min} to ${bounds.max} characters`);
    }
    return value;
  }

  optionalText(name: string, bounds: Bounds): string | undefined {
    return this.#fields[name] === undefined ? undefined : this.text(name, bounds);
  }

  integer(name: string, bounds: Bounds): number {
    const value = this.#fields[name];
    if (!isIntegerWithin(value, bounds)) {
      throw this.malformed(name, `an integer from ${bounds.min} to ${bounds.max}`);
    }
    return withoutSignOfZero(value);
  }

  optionalInteger(name: string, bounds: Bounds): number | undefined {
    return this.#fields[name] === undefined ? undefined : this.integer(name, bounds);
  }

  /** A number from 0 to 1, or undefined where the field is absent. */
  optionalFraction(name: string): number | undefined {
    const value = this.#fields[name];
    if (value === undefined) return undefined;
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
    return this.#fields[name] === undefined ? false : this.flag(name);
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const value = this.#fields[name];
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.malformed(name, `one of ${choices.join(', ')}`);
    return found;
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  is(name: string, value: string): boolean {
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
    return new FieldReader(this.#fields[name], this.#pathOf(name));
  }

  list<Item>(name: string, readItem: (item: FieldReader) => Item): Item[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw this.malformed(name, 'a list');
    const path = this.#pathOf(name);
    return Array.from(value, (item: unknown, index) => readItem(new FieldReader(item, `${path}[${index}]`)));
  }

  /** The error for a field that breaks `rule`; completes the sentence "must be …". For rules between fields. */
  malformed(name: string, rule: string): CodecError {
    return malformedField(this.#pathOf(name), rule, this.#fields[name]);
  }

  #pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}

/** JSON writes -0 as 0: reading it as 0 keeps a message equal to itself after a round trip. */
const withoutSignOfZero = (value: number): number => value + 0;
