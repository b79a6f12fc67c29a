/**
 * Where viewers find the public keys of a LiveKit room: one property of the room's metadata, which is JSON that applications use
 * as well and participants cannot write.
 */

/** The property; its value is a list of keys: points of P-256, uncompressed, in base64url. */
export const ROOM_KEYS_PROPERTY = 'captionKeys';
/** More are not looked at. */
export const MAX_ROOM_KEYS = 4;
const KEY = /^[A-Za-z0-9_-]{87}$/;

/** What is a key in `value`, at most `MAX_ROOM_KEYS`. */
export const roomKeysOf = (value: unknown): readonly string[] =>
  Array.isArray(value)
    ? value.filter((key): key is string => typeof key === 'string' && KEY.test(key)).slice(0, MAX_ROOM_KEYS)
    : [];

/** The keys in a room's metadata; none where it has none, or is no JSON. */
export const roomKeysIn = (metadata: string | undefined): readonly string[] =>
  roomKeysOf(objectIn(metadata ?? '')?.[ROOM_KEYS_PROPERTY]);

/**
 * The metadata with these keys and, to the letter, everything else that was in it. Undefined where it is neither empty nor a
 * JSON object: then it is not ours to change.
 */
export const withRoomKeys = (metadata: string, keys: readonly string[]): string | undefined => {
  if (metadata.trim() === '') return JSON.stringify({ [ROOM_KEYS_PROPERTY]: keys });
  const before = objectIn(metadata);
  if (before === undefined) return undefined;
  const wanted = JSON.stringify({ ...before, [ROOM_KEYS_PROPERTY]: keys });
  // Numbers may be longer than JavaScript's, and a property may be there twice: the text is changed, not what it was read as.
  const candidate = ROOM_KEYS_PROPERTY in before ? replaced(metadata, keys) : appended(metadata, keys);
  return isSame(candidate, wanted) ? candidate : wanted;
};

const ourPart = (keys: readonly string[]): string => `"${ROOM_KEYS_PROPERTY}":${JSON.stringify(keys)}`;

const replaced = (metadata: string, keys: readonly string[]): string =>
  metadata.replace(new RegExp(`"${ROOM_KEYS_PROPERTY}"\\s*:\\s*\\[[^\\]]*\\]`), ourPart(keys));

const appended = (metadata: string, keys: readonly string[]): string => {
  const body = metadata.trimEnd().slice(0, -1).trimEnd();
  return `${body}${body.endsWith('{') ? '' : ','}${ourPart(keys)}}`;
};

const isSame = (candidate: string, wanted: string): boolean => {
  const read = objectIn(candidate);
  return read !== undefined && JSON.stringify(read) === wanted;
};

const objectIn = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
};
