/**
 * Units and identifiers as types of their own, so that two strings or two numbers cannot be swapped.
 * Brands exist in the compiler only; at run time they are plain strings and numbers.
 */
declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A place in one speaker's audio, counted in samples at 16 kHz since the stream began. Exact and replayable. */
export type SampleIndex = Branded<number, 'SampleIndex'>;
/** Milliseconds since 1970-01-01T00:00:00Z. The only time that travels to viewers. */
export type EpochMs = Branded<number, 'EpochMs'>;
/** Milliseconds of one process's monotonic clock. Differences mean something, values do not. */
export type MonotonicMs = Branded<number, 'MonotonicMs'>;

/** Name of a meeting room: 1 to 256 characters. */
export type RoomName = Branded<string, 'RoomName'>;
/** Stable identity of a participant within a room: 1 to 256 characters. */
export type ParticipantIdentity = Branded<string, 'ParticipantIdentity'>;
/** Identifies one caption segment of one speaker; never used twice, also not after a restart of the gateway. */
export type SegmentId = Branded<string, 'SegmentId'>;

/** The rate at which everything behind the edge works. */
export const SAMPLE_RATE_HZ = 16_000;
export const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;

export const samplesToMs = (samples: number): number => samples / SAMPLES_PER_MS;
/** Rounds to the nearest sample. */
export const msToSamples = (durationMs: number): number => Math.round(durationMs * SAMPLES_PER_MS);

export const sampleIndex = (value: number): SampleIndex => value as SampleIndex;
export const epochMs = (value: number): EpochMs => value as EpochMs;
export const monotonicMs = (value: number): MonotonicMs => value as MonotonicMs;
export const roomName = (value: string): RoomName => value as RoomName;
export const participantIdentity = (value: string): ParticipantIdentity => value as ParticipantIdentity;
export const segmentId = (value: string): SegmentId => value as SegmentId;
