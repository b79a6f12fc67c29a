/** Messages as an attacker would change them: fields that are wrong, missing or huge, and text that is no JSON. */
import type { SeededRandom } from './random.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const DEEP = '['.repeat(5000) + ']'.repeat(5000);
const HOSTILE_VALUES: readonly Json[] = [
  ...[null, true, 0, -1, 0.5, 1e308, -1e308, 2 ** 53, 8.64e15, 8.64e15 + 1],
  ...['', ' ', 'a'.repeat(300), 'a'.repeat(5000), '日'.repeat(35), '😀', '\u0000', '\ud800', '\udfff\ud800'],
  ...['\u202e\u2066name', '../../etc/passwd', '__proto__', 'constructor', '%00', '<script>', '"\\"'],
  ...[[], {}, [[]], [null], [{}], { __proto__: 1 }, { length: 1e9 }, Array<number>(2000).fill(0)],
];
const HOSTILE_TEXTS = [
  ...['', '{', '[]', 'null', '"', 'NaN', '{"kind":', '{"kind":1}', '{"__proto__":{"kind":"hello"}}', DEEP],
  ...['\ufeff{}', '{"kind":"hello","kind":"end"}', `{"kind":"${'x'.repeat(70_000)}"}`, '\u0000'],
];

/** One hostile text, made of one of `messages`, or of nothing. */
export function hostileText(random: SeededRandom, messages: readonly Json[]): string {
  if (random.below(10) === 0) return random.of(HOSTILE_TEXTS);
  let message = random.of(messages);
  for (let changes = 1 + random.below(3); changes > 0; changes -= 1) message = changed(random, message);
  const text = JSON.stringify(message);
  return random.below(5) === 0 ? damaged(random, text) : text;
}

/** The same text as bytes, some of them wrong. */
export function hostileBytes(random: SeededRandom, messages: readonly Json[]): Uint8Array {
  const bytes = new TextEncoder().encode(hostileText(random, messages));
  for (let changes = random.below(4); changes > 0 && bytes.length > 0; changes -= 1)
    bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

/** Somewhere in it, a value is another one, is missing, or is there twice. */
function changed(random: SeededRandom, value: Json): Json {
  if (value === null || typeof value !== 'object' || random.below(6) === 0) return random.of(HOSTILE_VALUES);
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    if (items.length === 0) return [random.of(HOSTILE_VALUES)];
    const at = random.below(items.length);
    return items.map((item, index) => (index === at ? changed(random, item) : item));
  }
  const fields = Object.entries(value as Readonly<Record<string, Json>>);
  const [name] = fields.length === 0 ? ['kind'] : random.of(fields);
  const others = fields.filter(([field]) => field !== name);
  if (random.below(4) === 0) return Object.fromEntries(others);
  const was = fields.find(([field]) => field === name)?.[1] ?? null;
  return Object.fromEntries([...others, [name, changed(random, was)]]);
}

function damaged(random: SeededRandom, text: string): string {
  const at = random.below(text.length);
  switch (random.below(3)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return `${text.slice(0, at)}${String.fromCharCode(random.below(0x1_0000))}${text.slice(at)}`;
    default:
      return text.slice(0, at) + text.slice(at + 1);
  }
}
