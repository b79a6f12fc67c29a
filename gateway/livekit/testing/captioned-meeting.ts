/** A real livekit-server, a real gateway with the real model, and people who talk and read in rooms of it. */
import { normaliseWords, wordErrorRate, type InstalledModel } from '../../../asr/index.js';
import {
  type CaptionState,
  participantIdentity,
  roomName,
  type RoomName,
  segmentsOf,
} from '../../../protocol/index.js';
import type { Settings } from '../../config/settings.js';
import { loadShortMeeting } from '../../testing/short-meeting.js';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../../testing/test-gateway.js';
import { waitUntil } from '../../testing/wait-until.js';
import { createDispatch } from '../participant/create-dispatch.js';
import { mintViewerToken } from '../participant/viewer-token.js';
import {
  joinAsPublisher,
  type PublishingParticipant,
  type PublishOptions,
} from '../participant/publishing-participant.js';
import {
  joinAsViewer,
  type ViewingParticipant,
  type ViewOptions,
} from '../participant/viewing-participant.js';
import { botIdentity } from '../tokens.js';
import type { TestLiveKit } from './livekit-server.js';

export const AGENT_NAME = 'multi-user-transcriber';
/** A DTX microphone sends nothing for long silences; a recogniser needs some to be sure that a sentence is over. */
const TRAILING_SILENCE_SAMPLES = 24_000;
const FRAME_SAMPLES = 640;

export type Voice = 'claire' | 'paul' | 'david';

export interface Speech {
  readonly pcm: Int16Array;
  /** What is said, normalised. */
  readonly words: readonly string[];
}

/** What each speaker of the short meeting says first, without the silence around it. */
export async function loadVoices(): Promise<Readonly<Record<Voice, Speech>>> {
  const { tracks } = await loadShortMeeting();
  const speechOf = (voice: Voice): Speech => {
    const track = tracks.find(({ identity }) => identity === voice);
    const first = track?.spoken[0];
    if (track === undefined || first === undefined) throw new Error(`${voice} says nothing`);
    // A second of silence ends what is said first.
    const after = track.spoken.findIndex(
      ({ startMs }, index) => startMs - (track.spoken[index - 1]?.endMs ?? startMs) > 400,
    );
    const spoken = track.spoken.slice(0, after === -1 ? undefined : after);
    const endMs = (spoken.at(-1)?.endMs ?? 0) + 150;
    return {
      pcm: track.pcm.slice(Math.max(0, first.startMs - 200) * 16, endMs * 16),
      words: normaliseWords(spoken.map(({ text }) => text).join(' ')),
    };
  };
  return { claire: speechOf('claire'), paul: speechOf('paul'), david: speechOf('david') };
}

export const liveKitSettings = (server: TestLiveKit): Partial<Settings> => ({
  LIVEKIT_URL: server.url,
  LIVEKIT_API_KEY: server.apiKey,
  LIVEKIT_API_SECRET: server.apiSecret,
});

/** A gateway that takes jobs of `server`; ready when it is registered. */
export async function startLiveKitGateway(
  model: InstalledModel,
  server: TestLiveKit,
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
  const gateway = await startTestGateway(model, {
    ...options,
    settings: { ...liveKitSettings(server), ...options.settings },
  });
  await waitUntil(() => gateway.livekit?.notReadyReason);
  return gateway;
}

/** One room, and whoever joins it by way of this; `leave` when done. */
export class MeetingRoom {
  readonly name: RoomName;
  readonly #server: TestLiveKit;
  readonly #joined: { leave(): Promise<void> }[] = [];

  constructor(server: TestLiveKit, name: string) {
    this.#server = server;
    this.name = roomName(name);
  }

  get bot(): string {
    return botIdentity(AGENT_NAME, this.name);
  }

  /** As La Suite Meet's backend does when somebody opens the subtitles. */
  dispatch(metadata?: string): Promise<void> {
    return createDispatch(this.#server, {
      room: this.name,
      agentName: AGENT_NAME,
      ...(metadata === undefined ? {} : { metadata }),
    });
  }

  async speaker(
    identity: string,
    options: Partial<Pick<PublishOptions, 'e2eeKey' | 'muted' | 'source' | 'name'>> = {},
  ): Promise<PublishingParticipant> {
    const participant = await joinAsPublisher({
      server: this.#server,
      room: this.name,
      identity: participantIdentity(identity),
      // A machine that is busy with other tests is late, and nobody is cut short for it.
      maxPendingMs: 60_000,
      ...options,
    });
    this.#joined.push(participant);
    return participant;
  }

  async viewer(
    identity: string,
    options: Partial<Pick<ViewOptions, 'e2eeKey' | 'changed'>> = {},
  ): Promise<ViewingParticipant> {
    const participant = await joinAsViewer({
      server: this.#server,
      room: this.name,
      identity: participantIdentity(identity),
      ...options,
    });
    this.#joined.push(participant);
    return participant;
  }

  /** What the gateway at `url` has kept, as text. */
  async transcript(url: string): Promise<string> {
    const reader = { room: this.name, identity: participantIdentity('vera'), name: '' };
    const token = await mintViewerToken(this.#server, reader);
    const response = await fetch(`${url}/v1/rooms/${this.name}/transcript.txt`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    return response.text();
  }

  async leave(): Promise<void> {
    await Promise.all(this.#joined.splice(0).map((participant) => participant.leave()));
  }
}

/** At the pace of speech, with the silence that ends a sentence. */
export async function say(speaker: PublishingParticipant, { pcm }: Pick<Speech, 'pcm'>): Promise<void> {
  for (let first = 0; first < pcm.length; first += FRAME_SAMPLES)
    await speaker.write(pcm.subarray(first, first + FRAME_SAMPLES));
  for (let sent = 0; sent < TRAILING_SILENCE_SAMPLES; sent += FRAME_SAMPLES)
    await speaker.write(new Int16Array(FRAME_SAMPLES));
}

/** What a state shows of one speaker, normalised. */
export const wordsOf = (state: CaptionState, identity: string, label?: string): string[] =>
  normaliseWords(
    segmentsOf(state)
      .filter(({ speaker }) => speaker.identity === identity && speaker.label === label)
      .flatMap(({ words }) => words.map(({ text }) => text))
      .join(' '),
  );

/** Finals only, normalised. */
export const finalWordsOf = ({ finals }: CaptionState, identity: string): string[] =>
  normaliseWords(
    finals
      .filter(({ speaker }) => speaker.identity === identity)
      .flatMap(({ words }) => words.map(({ text }) => text))
      .join(' '),
  );

/** What the text streams of `lk.transcription` say when the last one of each segment counts. */
export function streamedWordsOf({ textStreams }: ViewingParticipant, identity: string): string[] {
  const texts = new Map<string, string>();
  for (const { speaker, text, attributes } of textStreams)
    if (speaker === identity) texts.set(attributes['lk.segment_id'] ?? '', text);
  return normaliseWords([...texts.values()].join(' '));
}

/** What La Suite Meet's subtitle view shows: the first text of each id, joined by spaces. */
export function legacyWordsOf({ transcriptions }: ViewingParticipant, identity: string): string[] {
  const texts = new Map<string, string>();
  for (const { speaker, segments } of transcriptions) {
    const [segment] = segments;
    if (speaker === identity && segments.length === 1 && segment !== undefined && !texts.has(segment.id))
      texts.set(segment.id, segment.text);
  }
  return normaliseWords([...texts.values()].join(' '));
}

/** Recognition through Opus errs now and then; what is said and what is shown must still be plainly the same. */
export const isHeard = (shown: readonly string[], said: readonly string[]): boolean =>
  shown.length > 0 && (wordErrorRate(said, shown).rate ?? 1) <= 0.5;
