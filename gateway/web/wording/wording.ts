/** What the interface says in words, in the reader's language. */
import { type CaptionState, type GapState, shownName, type Speaker } from '../../../protocol/index.js';
import type { LinkState } from '../sources/caption-source.js';
import { ENGLISH, type Wording } from './english.js';
import { firstLanguage } from './first-language.js';
import { FRENCH } from './french.js';
import { GERMAN } from './german.js';

export type { Wording } from './english.js';

const LANGUAGES: ReadonlyMap<string, Wording> = new Map([
  ['en', ENGLISH],
  ['fr', FRENCH],
  ['de', GERMAN],
]);

export interface InterfaceLanguage {
  /** BCP 47: of the words, and for times. */
  readonly tag: string;
  readonly wording: Wording;
}

/** The first of `wanted` (BCP 47) in which there are words; English for none. */
export function interfaceLanguage(wanted: readonly string[]): InterfaceLanguage {
  return firstLanguage(wanted, LANGUAGES) ?? { tag: 'en-GB', wording: ENGLISH };
}

/** What to call a speaker, and which of several voices of theirs it is. */
export function speakerName({ identity, name, label }: Speaker): string {
  const shown = shownName(name, identity);
  return label === undefined ? shown : `${shown} (${label})`;
}

/** For instance "not captioned: 4 s (recognition failed)". */
export function gapText(
  { startMs, endMs, reason }: Pick<GapState, 'startMs' | 'endMs' | 'reason'>,
  wording: Wording = ENGLISH,
): string {
  return wording.notCaptioned(durationText(endMs - startMs), wording.gapReasons[reason]);
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
  captions: (Pick<CaptionState, 'state' | 'reason' | 'code'> & { readonly behindS?: number }) | undefined,
  wording: Wording = ENGLISH,
): StatusText {
  switch (link.kind) {
    case 'connecting':
      return { text: wording.connecting, tone: 'neutral' };
    case 'uncaptioned':
      return { text: wording.uncaptioned, tone: 'neutral' };
    case 'unverified':
      return { text: wording.withReason(wording.unavailable, wording.unverified[link.cause]), tone: 'bad' };
    case 'lost':
      return { text: wording.lost, tone: 'bad' };
    case 'refused': {
      const reason = link.cause === 'told' ? link.reason : wording.refusals[link.cause];
      return { text: wording.withReason(wording.unavailable, reason), tone: 'bad' };
    }
    case 'connected':
      return serviceText(captions ?? { state: 'live', reason: '' }, wording);
  }
}

function serviceText(
  captions: Pick<CaptionState, 'state' | 'reason' | 'code'> & { readonly behindS?: number },
  wording: Wording,
): StatusText {
  const { state, behindS = 0 } = captions;
  const reason = reasonText(captions, wording);
  const withReason = (text: string): string => (reason === '' ? text : wording.withReason(text, reason));
  switch (state) {
    case 'live':
      return behindS > 0
        ? { text: wording.behind(behindS), tone: 'warning' }
        : { text: wording.live, tone: 'good' };
    case 'degraded':
      return {
        text:
          behindS > 0
            ? `${withReason(wording.degraded)} ${wording.behind(behindS)}`
            : withReason(wording.degraded),
        tone: 'warning',
      };
    case 'unavailable':
      return { text: withReason(wording.unavailable), tone: 'bad' };
  }
}

/** In the reader's language where the gateway said a code that there are words for; else as the gateway said it, in English. */
function reasonText(
  { code, reason }: Pick<CaptionState, 'reason' | 'code'>,
  { statusReasons }: Wording,
): string {
  const known = Object.entries(statusReasons).find(([name]) => name === code);
  return known?.[1] ?? reason;
}
