import { PROTOCOL_VERSION, type CaptionDelta } from './caption.js';
import { malformedField } from './codec-error.js';
import { MAX_WORD_CHARS } from './limits.js';
import { jsonBytes, packByBytes } from './packing.js';
import { MAX_SIGNABLE_BYTES } from './signature.js';

/** Most bytes of one UTF-16 unit in JSON: `\u001f`. */
const MAX_BYTES_PER_CHAR = 6;
/** More than the names and numbers of a word ever need. */
const WORD_OVERHEAD_BYTES = 130;
/** More than the names and numbers of a delta around its words ever need. */
const DELTA_OVERHEAD_BYTES = 450;

/**
 * Makes a delta fit `MAX_MESSAGE_BYTES` with its signature: `[delta]` itself where it fits, which is nearly always and costs no encoding.
 * Otherwise several deltas with consecutive `revision` and `seq`, counted from those of `delta`; the last leaves the
 * segment as `delta` alone would, except that its revision is larger. The caller goes on counting after the last.
 * Throws `CodecError` `message_malformed` for a word of more than `MAX_WORD_CHARS`. Other rules are checked on encoding.
 */
export const splitDelta = (delta: CaptionDelta): CaptionDelta[] => {
  if (worstCaseBytes(delta) <= MAX_SIGNABLE_BYTES || encodedBytes(delta) <= MAX_SIGNABLE_BYTES)
    return [delta];
  const groups = packByBytes(delta.words, MAX_SIGNABLE_BYTES - headerBytes(delta));
  // No words: it is the header that is too large, which only texts beyond their limits can do. Encoding tells which.
  if (groups.length === 0) return [delta];
  let keep = delta.keep;
  return groups.map((words, index) => {
    const part: CaptionDelta = {
      ...delta,
      seq: delta.seq + index,
      revision: delta.revision + index,
      keep,
      words,
      stable: Math.min(delta.stable, keep + words.length),
      isFinal: delta.isFinal && index === groups.length - 1,
    };
    keep += words.length;
    return part;
  });
};

/** An upper bound from lengths alone: far quicker than encoding. */
const worstCaseBytes = (delta: CaptionDelta): number => {
  const { room, speaker, trackSid, segment, language, words } = delta;
  const { identity, name, label } = speaker;
  const headerChars = [room, identity, name, label, trackSid, segment, language].reduce(
    (chars, text) => chars + (text?.length ?? 0),
    0,
  );
  const wordsChars = words.reduce((chars, word, index) => chars + checkedLength(word.text, index), 0);
  const overheadBytes = DELTA_OVERHEAD_BYTES + words.length * WORD_OVERHEAD_BYTES;
  return overheadBytes + (headerChars + wordsChars) * MAX_BYTES_PER_CHAR;
};

const checkedLength = (text: string, index: number): number => {
  if (text.length <= MAX_WORD_CHARS) return text.length;
  throw malformedField(`words[${index}].text`, `a text of 1 to ${MAX_WORD_CHARS} characters`, text);
};

const encodedBytes = (delta: CaptionDelta): number => jsonBytes({ v: PROTOCOL_VERSION, ...delta });

/** Everything but the words, with the longest numbers that any part can have. */
const headerBytes = (delta: CaptionDelta): number => {
  const longest = Number.MAX_SAFE_INTEGER;
  return encodedBytes({
    ...delta,
    seq: longest,
    revision: longest,
    keep: longest,
    stable: longest,
    isFinal: false,
    words: [],
  });
};
