/** What stands in an access token, for the page to show: the gateway alone decides what it is worth. */
export interface TokenOwner {
  readonly identity: string;
  /** May be empty. */
  readonly name: string;
  /** The only room that the token is for; empty where it names none. */
  readonly room: string;
}

/** Undefined for a token that cannot be read. */
export function ownerOf(token: string): TokenOwner | undefined {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
    const { sub, name, video } = claims;
    if (typeof sub !== 'string' || sub === '') return undefined;
    const room = typeof video === 'object' && video !== null && 'room' in video ? video.room : '';
    return { identity: sub, name: textOr(name), room: textOr(room) };
  } catch {
    return undefined;
  }
}

const textOr = (value: unknown): string => (typeof value === 'string' ? value : '');
