/**
 * How long the texts of a message may be, in UTF-16 code units (what `length` counts in JavaScript).
 * JSON needs at most 6 bytes for a unit. Together the limits guarantee that a delta or a snapshot part with one word
 * fits `MAX_MESSAGE_BYTES` whatever the texts are, so that splitting always succeeds; a test holds them to that.
 */

/** Longest `room`, speaker `identity`, speaker `name` and status `reason`; LiveKit's limit for the first three. */
export const MAX_NAME_CHARS = 256;
/** Longest `label` of a speaker. */
export const MAX_LABEL_CHARS = 64;
/** Longest `trackSid`. */
export const MAX_TRACK_SID_CHARS = 64;
/** Longest `code` of a status. */
export const MAX_STATUS_CODE_CHARS = 32;
/** Longest `segment`. */
export const MAX_SEGMENT_ID_CHARS = 128;
/** Longest `text` of one word. */
export const MAX_WORD_CHARS = 1000;
/** Longest `language`: the length that RFC 5646, section 4.4.1, calls enough for every language tag. */
export const MAX_LANGUAGE_CHARS = 35;
/** Most parts of one snapshot. */
export const MAX_SNAPSHOT_PARTS = 1000;
/** Largest moment: the largest value of a JavaScript `Date`. */
export const MAX_EPOCH_MS = 8_640_000_000_000_000;
