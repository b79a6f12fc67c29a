import { type Participant, Room, RoomEvent, type TranscriptionSegment } from 'livekit-client';
import type { Client } from './clients.js';
import { type Row, showRows } from './shown-rows.js';

interface Transcription {
  readonly participant: Participant;
  readonly segment: TranscriptionSegment;
}

/**
 * The rules of La Suite Meet's subtitle view (suitenumerique/meet, Subtitles.tsx): of the legacy event only, an event without
 * a participant or with more than one segment is dropped, a segment id it has seen is ignored for ever, consecutive segments
 * of one participant are a row, and a row's texts are trimmed and joined by a space.
 */
export async function joinAsMeet({ url, token, section }: Client): Promise<void> {
  const room = new Room();
  const kept: Transcription[] = [];
  const seenIds = new Set<string>();
  room.on(RoomEvent.TranscriptionReceived, (segments, participant) => {
    const [segment] = segments;
    if (participant === undefined || segment === undefined || segments.length !== 1) return;
    if (seenIds.has(segment.id)) return;
    seenIds.add(segment.id);
    kept.push({ participant, segment });
    showRows(section, rowsOf(kept));
  });
  await room.connect(url, token);
  section.dataset['joined'] = 'yes';
}

function rowsOf(transcriptions: readonly Transcription[]): Row[] {
  const rows: { speaker: string; texts: string[] }[] = [];
  for (const { participant, segment } of transcriptions) {
    const last = rows.at(-1);
    if (last?.speaker === participant.identity) last.texts.push(segment.text);
    else rows.push({ speaker: participant.identity, texts: [segment.text] });
  }
  return rows.map(({ speaker, texts }) => ({ speaker, text: joinTexts(texts) }));
}

const joinTexts = (texts: readonly string[]): string =>
  texts
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .join(' ');
