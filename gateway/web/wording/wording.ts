/** What the page says in words. */
import type { CaptionState, GapReason, GapState, Speaker } from '../../../protocol/index.js';
import type { LinkState, RefusalCause } from '../sources/caption-source.js';

const GAP_REASONS: Readonly<Record<GapReason, string>> = {
  overloaded: 'recognition could not keep up',
  recogniser_failed: 'recognition failed',
  audio_missing: 'the sound did not arrive',
  gateway_restarted: 'captioning was restarted',
};

const REFUSALS: Readonly<Record<RefusalCause, string | undefined>> = {
  token_needed: 'an access token is needed, as #token=… at the end of the address of this page.',
  token_malformed: 'the access token in the address of this page is not well-formed.',
  unreadable: 'this page cannot read what the gateway sends. Load the page again.',
  told: undefined,
};

/** What to call a speaker: the name where there is anything to see in it, else the identity. */
export function speakerName({ identity, name, label }: Speaker): string {
  const shown = /[\p{L}\p{N}\p{P}\p{S}]/u.test(name) ? name : identity;
  return label === undefined ? shown : `${shown} (${label})`;
}

/** For instance "not captioned: 4 s (recognition failed)". */
export function gapText({ startMs, endMs, reason }: Pick<GapState, 'startMs' | 'endMs' | 'reason'>): string {
  return `not captioned: ${durationText(endMs - startMs)} (${GAP_REASONS[reason]})`;
}

function durationText(durationMs: number): string {
  const seconds = Math.max(1, Math.round(durationMs / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

export interface StatusText {
  readonly text: string;
  readonly tone: 'neutral' | 'good' | 'warning' | 'bad';
}

/** How captions are doing, as far as this page knows. `captions` is undefined while nothing is known. */
export function statusText(
  link: LinkState,
  captions: Pick<CaptionState, 'state' | 'reason'> | undefined,
): StatusText {
  switch (link.kind) {
    case 'connecting':
      return { text: 'Connecting…', tone: 'neutral' };
    case 'lost':
      return { text: 'No connection: captions have stopped. Trying again…', tone: 'bad' };
    case 'refused':
      return { text: `Captions unavailable: ${REFUSALS[link.cause] ?? link.reason}`, tone: 'bad' };
    case 'connected':
      return serviceText(captions ?? { state: 'live', reason: '' });
  }
}

function serviceText({ state, reason }: Pick<CaptionState, 'state' | 'reason'>): StatusText {
  switch (state) {
    case 'live':
      return { text: 'Live', tone: 'good' };
    case 'degraded':
      return { text: withReason('Captions degraded', reason), tone: 'warning' };
    case 'unavailable':
      return { text: withReason('Captions unavailable', reason), tone: 'bad' };
  }
}

const withReason = (text: string, reason: string): string => (reason === '' ? text : `${text}: ${reason}`);
