import { shownName } from '../../protocol/index.js';
import { chopText } from '../transcript/text-columns.js';

/** Characters of a name that systems refuse. */
const FORBIDDEN_IN_NAMES = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}<>:"/\\|?*]+/gu;
/** What `filename*` may hold as it is (RFC 8187, attr-char), of what encodeURIComponent leaves alone. */
const NOT_ATTRIBUTE_CHARACTERS = /['()*]/g;
const ASCII = /^[ -~]*$/;
const MAX_NAME_COLUMNS = 60;

/**
 * A file to be saved under a name, as RFC 6266 has it: the name itself in `filename*`, and something like it in ASCII for clients
 * that do not know that. `extension` is ASCII.
 */
export function attachment(name: {
  readonly of: string;
  readonly suffix: string;
  readonly extension: string;
}): string {
  const rest = `${name.suffix}.${name.extension}`;
  const own = shownName(name.of, name.of).replace(FORBIDDEN_IN_NAMES, ' ').replace(/\s+/gu, ' ').trim();
  const shown = (chopText(own, MAX_NAME_COLUMNS)[0] ?? '').replace(/^[.\s]+|[.\s]+$/gu, '');
  const ascii = shown
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/gi, '-')
    .replace(/^-+|-+$/g, '');
  const fallback = `filename="${ascii === '' ? 'transcript' : ascii}-${rest}"`;
  if (ASCII.test(shown)) return `attachment; ${fallback}`;
  const encoded = encodeURIComponent(`${shown}-${rest}`).replace(
    NOT_ATTRIBUTE_CHARACTERS,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; ${fallback}; filename*=UTF-8''${encoded}`;
}
