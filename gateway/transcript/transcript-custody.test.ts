import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { epochMs, participantIdentity, roomName, segmentId } from '../../protocol/index.js';
import { createLogger } from '../log.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { TextSink } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { GatewayPresence } from './gateway-presence.js';
import { MeetingTranscript } from './meeting-transcript.js';
import { TranscriptCustody } from './transcript-custody.js';
import { TranscriptFiles } from './transcript-files.js';
import { encodeLine } from './transcript-line.js';

const ROOM = roomName('council');

describe('the folder of transcripts', () => {
  const afterwards = cleanupsAfterEach();

  async function folder() {
    const sink = new TextSink();
    const log = createLogger('info', sink);
    const parent = await mkdtemp(join(tmpdir(), 'caption-custody-'));
    afterwards(() => rm(parent, { recursive: true }));
    const files = new TranscriptFiles({ dir: join(parent, 'kept'), retentionDays: 30, log });
    await files.prepare();
    return { files, log, sink, parent };
  }

  /** A meeting of a gateway that is no more; the path of its file. */
  async function writeMeeting(files: TranscriptFiles): Promise<string> {
    const transcript = new MeetingTranscript({
      room: ROOM,
      startedAtMs: 1_700_000_000_000,
      maxBytes: 1e6,
      webhook: false,
      gateway: '',
    });
    const file = files.open(transcript.head);
    file.append(encodeLine(transcript.head, 0));
    file.append(
      transcript.add({
        kind: 'segment',
        segment: segmentId('s1'),
        speaker: { identity: participantIdentity('ana'), name: 'Ana' },
        language: 'en',
        words: [{ text: 'Hi.', startMs: epochMs(1_700_000_000_000), endMs: epochMs(1_700_000_000_300) }],
      }),
    );
    await file.close();
    for await (const path of files.paths()) return path;
    return '';
  }
  const makeOld = (path: string): Promise<void> => utimes(path, new Date(0), new Date(0));

  it('is looked after again after an error, however often: what is too old goes', async () => {
    const { files, log, sink } = await folder();
    const presence = await GatewayPresence.announce(files.dir, log);
    afterwards(() => presence.close());
    let failures = 0;
    const custody = new TranscriptCustody({
      files,
      presence,
      log,
      failed: () => (failures += 1),
      lookIntervalMs: 5,
    });
    afterwards(() => custody.close());
    const gateways = join(files.dir, 'gateways');
    for (const times of [1, 2]) {
      await rename(gateways, join(files.dir, 'away'));
      const before = failures;
      await waitUntil(() => (failures > before + 1 ? undefined : 'no round has failed'));
      await rename(join(files.dir, 'away'), gateways);
      await waitUntil(() =>
        sink.text.split('transcripts are looked after again').length > times ? undefined : 'it fails still',
      );
    }
    expect(sink.text.split('transcripts are not looked after').length - 1).toBeLessThan(failures);
    const path = await writeMeeting(files);
    // An abandoned meeting is ended in the same rounds.
    await mkdir(join(gateways, '0123456789ab'));
    await utimes(join(gateways, '0123456789ab'), new Date(0), new Date(0));
    await waitUntil(async () =>
      (await files.read(ROOM, path.slice(dirname(path).length + 1, -'.jsonl'.length)))?.end === undefined
        ? 'the meeting is not ended'
        : undefined,
    );
    expect(custody.isLate).toBe(false);
  });

  it('loses the folder of a room with its last file', async () => {
    const { files } = await folder();
    await makeOld(await writeMeeting(files));
    await writeMeeting(files);
    expect(await files.removeExpired(Date.now())).toBe(1);
    const [left = ''] = await files.list(ROOM);
    expect(await files.remove(ROOM, left)).toBe(true);
    expect(await readdir(files.dir)).toEqual([]);
  });

  it('is not left through a link: nothing is written, read or deleted behind one', async () => {
    const { files, sink, parent } = await folder();
    const path = await writeMeeting(files);
    const elsewhere = join(parent, 'elsewhere');
    await rename(dirname(path), elsewhere);
    await symlink(elsewhere, dirname(path));
    const before = await readdir(elsewhere);
    expect(await files.list(ROOM)).toEqual([]);
    await makeOld(join(elsewhere, before[0] ?? ''));
    expect(await files.removeExpired(Date.now())).toBe(0);
    await writeMeeting(files);
    expect(await readdir(elsewhere)).toEqual(before);
    expect(sink.text).toContain('link to somewhere else');
    expect((await lstat(dirname(path))).isSymbolicLink()).toBe(true);
  });

  it('is warned of when others can write to it, and its locks are private', async () => {
    const { files, log, sink } = await folder();
    expect(sink.text).toBe('');
    await chmod(files.dir, 0o777);
    await files.prepare();
    expect(sink.text).toContain('others can write to the folder of transcripts');
    const presence = await GatewayPresence.announce(files.dir, log);
    afterwards(() => presence.close());
    const lock = join(files.dir, 'gateways', presence.id);
    expect((await stat(lock)).mode & 0o777).toBe(0o700);
    await writeFile(join(files.dir, 'note'), '');
  });
});
