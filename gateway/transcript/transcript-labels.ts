/** What the project itself says in a transcript, besides what people said. */
import type { GapReason } from '../../protocol/index.js';

export const LABEL_LANGUAGES = ['en', 'fr', 'de'] as const;
export type LabelLanguage = (typeof LABEL_LANGUAGES)[number];

export interface TranscriptLabels {
  readonly title: string;
  /** `when`: a moment, in ISO 8601. */
  readonly began: (when: string) => string;
  readonly ended: (when: string) => string;
  readonly goesOn: string;
  readonly dropped: (entries: number) => string;
  readonly gap: (what: { seconds: number; reason: GapReason }) => string;
  readonly writtenBy: (author: string) => string;
}

const REASONS: Readonly<Record<LabelLanguage, Readonly<Record<GapReason, string>>>> = {
  en: {
    overloaded: 'recognition could not keep up',
    recogniser_failed: 'recognition failed',
    audio_missing: 'the sound did not arrive',
    gateway_restarted: 'captions were interrupted',
  },
  fr: {
    overloaded: 'la reconnaissance n’a pas suivi',
    recogniser_failed: 'la reconnaissance a échoué',
    audio_missing: 'le son n’est pas arrivé',
    gateway_restarted: 'les sous-titres ont été interrompus',
  },
  de: {
    overloaded: 'die Erkennung kam nicht nach',
    recogniser_failed: 'die Erkennung ist ausgefallen',
    audio_missing: 'der Ton kam nicht an',
    gateway_restarted: 'die Untertitel waren unterbrochen',
  },
};

export const LABELS: Readonly<Record<LabelLanguage, TranscriptLabels>> = {
  en: {
    title: 'Transcript',
    began: (when) => `Began ${when}`,
    ended: (when) => `Ended ${when}`,
    goesOn: 'The meeting goes on.',
    dropped: (entries) => `The first ${entries} entries are not kept any more.`,
    gap: ({ seconds, reason }) => `[${seconds} s not captioned: ${REASONS.en[reason]}]`,
    writtenBy: (author) => `written by ${author}`,
  },
  fr: {
    title: 'Transcription',
    began: (when) => `Début ${when}`,
    ended: (when) => `Fin ${when}`,
    goesOn: 'La réunion est en cours.',
    dropped: (entries) => `Les ${entries} premières entrées ne sont plus conservées.`,
    gap: ({ seconds, reason }) => `[${seconds} s sans sous-titres : ${REASONS.fr[reason]}]`,
    writtenBy: (author) => `saisi par ${author}`,
  },
  de: {
    title: 'Mitschrift',
    began: (when) => `Beginn ${when}`,
    ended: (when) => `Ende ${when}`,
    goesOn: 'Die Besprechung dauert an.',
    dropped: (entries) => `Die ersten ${entries} Einträge sind nicht mehr vorhanden.`,
    gap: ({ seconds, reason }) => `[${seconds} s ohne Untertitel: ${REASONS.de[reason]}]`,
    writtenBy: (author) => `geschrieben von ${author}`,
  },
};
