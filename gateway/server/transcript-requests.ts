import type { ServerResponse } from 'node:http';
import { CaptionError, languageTag, primaryLanguage, type RoomName } from '../../protocol/index.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import { wallClockMs } from '../clock.js';
import { formatJson, formatMarkdown, formatText } from '../transcript/document-formats.js';
import { formatSrt, formatWebVtt } from '../transcript/subtitle-formats.js';
import { clipTranscript } from '../transcript/clip-transcript.js';
import type { Transcript } from '../transcript/transcript-entry.js';
import type { FormerMeeting, TranscriptKeeper } from '../transcript/transcript-keeper.js';
import { LABEL_LANGUAGES, type LabelLanguage } from '../transcript/transcript-labels.js';
import { attachment } from './attachment.js';
import type { Permissions } from './authentication.js';
import { Downloads, toChunks } from './downloads.js';
import { sendJson } from './http-answers.js';

interface TranscriptFormat {
  readonly type: string;
  readonly write: (transcript: Transcript, options: { language: LabelLanguage }) => Iterable<string>;
}

/** By the extension in the address. */
const TRANSCRIPT_FORMATS: ReadonlyMap<string, TranscriptFormat> = new Map([
  ['vtt', { type: 'text/vtt; charset=utf-8', write: formatWebVtt }],
  ['srt', { type: 'application/x-subrip; charset=utf-8', write: formatSrt }],
  ['txt', { type: 'text/plain; charset=utf-8', write: formatText }],
  ['md', { type: 'text/markdown; charset=utf-8', write: formatMarkdown }],
  ['json', { type: 'application/json; charset=utf-8', write: formatJson }],
]);

export interface RoomRequest {
  readonly room: RoomName;
  readonly query: URLSearchParams;
  readonly permissions: Permissions;
  readonly response: ServerResponse;
  /** HEAD: headers only. */
  readonly isHead: boolean;
}

export interface TranscriptRequestsOptions {
  /** Without a keeper there are no transcripts. */
  readonly keeper: TranscriptKeeper | undefined;
  readonly rooms: RoomRegistry;
  /**
   * For a gateway without keys, which knows nobody: so long after its end the last meeting of a room is given to whoever asks.
   * Undefined where there are keys: it is given to those who were there.
   */
  readonly openForMs?: number;
  /** Who takes nothing of a download for so long is cut off. */
  readonly maxPauseMs: number;
}

/** Transcripts over HTTP: download, list, delete. */
export class TranscriptRequests {
  readonly #keeper: TranscriptKeeper | undefined;
  readonly #rooms: RoomRegistry;
  readonly #openForMs: number | undefined;
  readonly #downloads: Downloads;

  constructor(options: TranscriptRequestsOptions) {
    this.#keeper = options.keeper;
    this.#rooms = options.rooms;
    this.#openForMs = options.openForMs;
    this.#downloads = new Downloads(options);
  }

  /** Throws CaptionError `forbidden`, `transcript_off`, `transcript_missing`, `query_invalid` or `downloads_busy`. */
  async download(request: RoomRequest, extension: string): Promise<void> {
    const { room, query, permissions, response, isHead } = request;
    const format = TRANSCRIPT_FORMATS.get(extension);
    if (format === undefined) throw new CaptionError('not_found', 'There is no such format of transcripts.');
    const meeting = query.get('meeting') ?? undefined;
    if (meeting === undefined) permissions.requireView(room);
    else permissions.requireAdminister(room);
    const options = readQuery(query);
    await this.#downloads.take(clientOf(request), async () => {
      const { headers, chunks } = await this.#downloads.inTurn(async () => {
        const transcript = await this.#read(request, meeting);
        const parts = isHead ? [] : format.write(clipTranscript(transcript, options), options);
        return {
          headers: headersOf(transcript, { type: format.type, extension }),
          chunks: response.destroyed ? [] : await toChunks(parts),
        };
      });
      response.writeHead(200, headers);
      await this.#downloads.send(response, chunks);
    });
  }

  async #read({ room, permissions }: RoomRequest, meeting: string | undefined): Promise<Transcript> {
    const keeper = this.#required(room);
    const transcript =
      meeting === undefined
        ? await keeper.readLatest(room, (former) => this.#mayRead(former, { room, permissions }))
        : await keeper.read(room, meeting);
    // The same words for those who were not there: that there was a meeting is not for them either.
    if (transcript === undefined) throw missing(meeting);
    return transcript;
  }

  /** Throws CaptionError `forbidden` or `transcript_off`. */
  async list({ room, permissions, response }: RoomRequest): Promise<void> {
    permissions.requireAdminister(room);
    sendJson(response, 200, { room, meetings: await this.#required(room).list(room) });
  }

  /** Throws CaptionError `forbidden`, `transcript_off` or `transcript_missing`. */
  async remove({ room, query, permissions, response }: RoomRequest): Promise<void> {
    permissions.requireAdminister(room);
    if (this.#keeper === undefined) {
      if (!query.has('meeting')) this.#rooms.find(room)?.forgetHistory();
      throw off();
    }
    const deleted = await this.#keeper.forget(room, query.get('meeting') ?? undefined);
    if (deleted === 0) throw new CaptionError('transcript_missing', 'There was nothing to delete.');
    sendJson(response, 200, { room, deleted });
  }

  /** Who may see captions today was not necessarily there at the last meeting of the same room. */
  #mayRead(
    { endedAtMs, attendees }: FormerMeeting,
    { room, permissions }: Pick<RoomRequest, 'room' | 'permissions'>,
  ): boolean {
    if (this.#openForMs !== undefined) return wallClockMs() - endedAtMs < this.#openForMs;
    const { owner } = permissions;
    return (owner !== undefined && attendees.has(owner.identity)) || mayAdminister(permissions, room);
  }

  #required(room: RoomName): TranscriptKeeper {
    const showsHistory = this.#rooms.find(room)?.showsHistory ?? true;
    if (this.#keeper === undefined || !showsHistory) throw off();
    return this.#keeper;
  }
}

function mayAdminister(permissions: Permissions, room: RoomName): boolean {
  try {
    permissions.requireAdminister(room);
    return true;
  } catch {
    return false;
  }
}

const missing = (meeting: string | undefined): CaptionError =>
  new CaptionError(
    'transcript_missing',
    meeting === undefined
      ? 'Nothing has been said in this room, or the meeting is over: then its transcript is for those who were there, for a while, and for holders of roomAdmin.'
      : 'There is no such meeting of this room, or it is not kept any more.',
  );

const off = (): CaptionError =>
  new CaptionError('transcript_off', 'No transcript is kept: CAPTION_TRANSCRIPT or the room says so.');

function readQuery(query: URLSearchParams): { fromMs: number; toMs: number; language: LabelLanguage } {
  const lang = query.get('lang') ?? 'en';
  const language = LABEL_LANGUAGES.find((known) => known === primaryLanguage(languageTag(lang) ?? ''));
  if (language === undefined) {
    throw new CaptionError('query_invalid', `lang must be one of ${LABEL_LANGUAGES.join(', ')}.`);
  }
  const [fromMs, toMs] = [secondsOf(query, 'from', 0), secondsOf(query, 'to', Infinity)];
  if (fromMs > toMs) throw new CaptionError('query_invalid', 'from must not be later than to.');
  return { fromMs, toMs, language };
}

function secondsOf(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const seconds = Number(text);
  if (text !== '' && Number.isFinite(seconds) && seconds >= 0) return seconds * 1000;
  throw new CaptionError('query_invalid', `${name} must be a number of seconds since the meeting began.`);
}

const headersOf = (transcript: Transcript, { type, extension }: { type: string; extension: string }) => ({
  'Content-Type': type,
  'Content-Disposition': attachment({
    of: String(transcript.room ?? ''),
    suffix: new Date(transcript.startedAtMs).toISOString().slice(0, 16).replaceAll(':', '-'),
    extension,
  }),
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
});

/** Who has a share of downloads: an identity, or an address where no token says who it is. */
const clientOf = ({ permissions, response }: RoomRequest): string =>
  permissions.owner?.identity ?? response.req.socket.remoteAddress ?? '';
