/** What a page makes of packets and streams that are the gateway's own, sent again by others, not encrypted, or not to be checked. */
import { describe, expect, it } from 'vitest';
import {
  applyMessage,
  type CaptionDelta,
  type CaptionState,
  encodeMessage,
  epochMs,
  participantIdentity,
  roomName,
  segmentId,
  segmentsOf,
  snapshotMessages,
  startEpoch,
} from '../../../protocol/index.js';
import { RoomKey } from '../../livekit/signing/room-key.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { ENCRYPTED, ScriptedLiveKitRoom, UNENCRYPTED } from '../testing/scripted-livekit-room.js';
import type { LinkState } from './caption-source.js';
import { LiveKitSource, type LiveKitSourceOptions } from './livekit-source.js';

const room = roomName('council');
const SECRET = 'a secret of tests, of at least 32 characters';
const EPOCH = epochMs(Date.now() - 60_000);
const WAIT = { timeout: 10_000 };
const keyOf = (sid: string): RoomKey => new RoomKey({ room, sid }, SECRET);

const final = (seq: number, text: string, epoch = EPOCH): CaptionDelta => ({
  kind: 'delta',
  room,
  epochMs: epoch,
  seq,
  speaker: { identity: participantIdentity('ana'), name: 'Ana' },
  segment: segmentId(`s${seq}`),
  revision: 1,
  keep: 0,
  words: text.split(' ').map((word) => ({ text: word, startMs: epoch, endMs: epoch })),
  stable: 1,
  isFinal: true,
  language: 'en',
});
const textsOf = (state: CaptionState | undefined): string[] =>
  state === undefined ? [] : segmentsOf(state).map(({ words }) => words.map(({ text }) => text).join(' '));

describe('signed captions in a page', () => {
  const afterThis = cleanupsAfterEach();

  /** A page in the session `sid` of the room. */
  async function open(options: { sid?: string; isEncrypted?: boolean; source?: LiveKitSourceOptions } = {}) {
    const { sid, isEncrypted = false, source: sourceOptions = {} } = options;
    const key = sid === undefined ? undefined : keyOf(sid);
    const metadata = key === undefined ? '' : JSON.stringify({ captionKeys: [key.publicKey] });
    const livekit = new ScriptedLiveKitRoom({ name: room, metadata, isEncrypted });
    const source = new LiveKitSource(livekit.room, sourceOptions);
    const links: LinkState[] = [];
    let state: CaptionState | undefined;
    let changes = 0;
    source.start({
      changed: (next) => {
        state = next;
        changes += 1;
      },
      linkChanged: (link) => links.push(link),
    });
    afterThis(() => source.close());
    // It asks when it joins, and again when it has read the key.
    await expect.poll(() => livekit.asked.length, WAIT).toBe(key === undefined ? 1 : 2);
    return {
      livekit,
      links,
      shown: () => textsOf(state),
      changes: () => changes,
    };
  }
  type Page = Awaited<ReturnType<typeof open>>;
  const expectShown = (page: Page, texts: readonly string[]): Promise<void> =>
    expect.poll(page.shown, WAIT).toEqual(texts);
  const signed = (message: Parameters<typeof encodeMessage>[0], sid = 'RM_1'): Uint8Array =>
    keyOf(sid).signMessage(encodeMessage(message));

  describe('as messages that somebody sends again', () => {
    it('change nothing for whoever has seen them', async () => {
      const page = await open({ sid: 'RM_1' });
      const said = [final(1, 'I agree.'), final(2, 'Not any more.')].map((message) => signed(message));
      for (const bytes of said) page.livekit.packet(bytes);
      await expectShown(page, ['I agree.', 'Not any more.']);
      const before = page.changes();
      for (const bytes of [...said, ...said]) page.livekit.packet(bytes);
      page.livekit.packet(signed(final(3, 'Next.')));
      await expectShown(page, ['I agree.', 'Not any more.', 'Next.']);
      expect(page.changes()).toBe(before + 1);
    });

    it('change nothing for whoever has come since, as soon as the gateway has told what is so', async () => {
      let truth = startEpoch(room, EPOCH);
      const said = [final(1, 'I agree.'), final(2, 'Not any more.')];
      for (const message of said) truth = applyMessage(truth, message);
      const page = await open({ sid: 'RM_1' });
      page.livekit.packet(signed(final(1, 'I agree.')));
      for (const message of snapshotMessages(truth)) page.livekit.packet(signed(message));
      for (const message of said) page.livekit.packet(signed(message));
      page.livekit.packet(signed(final(3, 'Next.')));
      await expectShown(page, ['I agree.', 'Not any more.', 'Next.']);
    });

    it('are refused in another session of the room', async () => {
      const page = await open({ sid: 'RM_2' });
      const epoch = epochMs(EPOCH + 1000);
      page.livekit.packet(signed(final(1, 'Yesterday.'), 'RM_1'));
      page.livekit.packet(signed(final(1, 'Today.', epoch), 'RM_2'));
      page.livekit.packet(signed(final(2, 'Yesterday.', epoch), 'RM_1'));
      page.livekit.packet(signed(final(2, 'Today too.', epoch), 'RM_2'));
      await expectShown(page, ['Today.', 'Today too.']);
    });
  });

  const streamOf = (
    segment: string,
    text: string,
    options: { sid?: string; isFinal?: boolean; attributes?: Readonly<Record<string, string>> } = {},
  ) => {
    const { sid = 'RM_1', isFinal = true } = options;
    const content = { room, speaker: 'ana', segment, isFinal, text };
    return {
      text,
      sender: 'ana',
      attributes: {
        'lk.segment_id': segment,
        'lk.transcription_final': String(isFinal),
        ...(options.attributes ?? keyOf(sid).signStream(content)),
      },
    };
  };

  describe('as text streams', () => {
    it('change nothing when somebody sends them again, in this session or another', async () => {
      const page = await open({ sid: 'RM_1' });
      const later = await open({ sid: 'RM_2' });
      const key = keyOf('RM_1');
      const streams = ['I agree', 'I agree with nobody'].map((text) => {
        const content = { room, speaker: 'ana', segment: 's1', isFinal: false, text };
        return streamOf('s1', text, { isFinal: false, attributes: key.signStream(content) });
      });
      for (const stream of streams) {
        page.livekit.stream(stream);
        await expectShown(page, [stream.text]);
      }
      for (const stream of streams) {
        page.livekit.stream(stream);
        later.livekit.stream(stream);
      }
      const next = { room, speaker: 'ana', segment: 's2', isFinal: true, text: 'Next.' };
      page.livekit.stream(streamOf('s2', 'Next.', { attributes: key.signStream(next) }));
      later.livekit.stream(streamOf('s2', 'Next.', { sid: 'RM_2' }));
      await expectShown(page, ['Next.', 'I agree with nobody']);
      await expectShown(later, ['Next.']);
    });

    it('are not shown with a signature of another text, segment or speaker', async () => {
      const page = await open({ sid: 'RM_1' });
      const { attributes, ...stream } = streamOf('s1', 'I agree.');
      page.livekit.stream({ ...stream, attributes, text: 'I disagree.' });
      page.livekit.stream({ ...stream, attributes, sender: 'bo' });
      page.livekit.stream({ ...stream, attributes: { ...attributes, 'lk.segment_id': 's2' } });
      page.livekit.stream(streamOf('s3', 'Next.'));
      await expectShown(page, ['Next.']);
    });
  });

  describe('in an end-to-end encrypted room', () => {
    it('are not shown where they came without encryption, whatever signs them; that nobody listens may be told', async () => {
      const page = await open({ sid: 'RM_1', isEncrypted: true });
      const [empty] = snapshotMessages(startEpoch(room, EPOCH));
      if (empty === undefined) throw new Error('no snapshot');
      page.livekit.packet(signed(final(1, 'Forged by the server.')), UNENCRYPTED);
      page.livekit.packet(signed(empty), UNENCRYPTED);
      page.livekit.packet(signed(final(1, 'Said.')), ENCRYPTED);
      page.livekit.packet(signed(final(2, 'Forged by the server.')), UNENCRYPTED);
      page.livekit.stream(streamOf('t1', 'Forged by the server.'));
      page.livekit.legacyPacket('l1', 'Forged by the server.');
      page.livekit.packet(signed(final(2, 'Said too.')), ENCRYPTED);
      await expectShown(page, ['Said.', 'Said too.']);
    });

    it('are read from streams that are encrypted, and from no others', async () => {
      const page = await open({ sid: 'RM_1', isEncrypted: true });
      page.livekit.legacyPacket('l1', 'Forged by the server.');
      page.livekit.stream(streamOf('s1', 'Forged by the server.'));
      page.livekit.stream({ ...streamOf('s2', 'Said.'), encryptionType: ENCRYPTED });
      await expectShown(page, ['Said.']);
    });

    it('are shown without encryption where the page itself has none', async () => {
      const page = await open({ sid: 'RM_1' });
      page.livekit.packet(signed(final(1, 'Said.')), UNENCRYPTED);
      await expectShown(page, ['Said.']);
    });
  });

  describe('in a page without a key', () => {
    it('are read from text streams and legacy packets, in this order; messages are not', async () => {
      const page = await open();
      page.livekit.packet(signed(final(1, 'Whoever says so.')));
      page.livekit.legacyPacket('l1', 'A legacy packet.');
      await expectShown(page, ['A legacy packet.']);
      page.livekit.stream(streamOf('s1', 'A stream.', { attributes: {} }));
      await expectShown(page, ['A stream.']);
      expect(page.links.map(({ kind }) => kind)).not.toContain('unverified');
    });

    it('are reported as unverified where no other road has captions', async () => {
      const page = await open();
      page.livekit.packet(signed(final(1, 'Whoever says so.')));
      await expect.poll(() => page.links.at(-1), WAIT).toEqual({ kind: 'unverified', cause: 'no_key' });
      expect(page.shown()).toEqual([]);
    });

    it('are shown where the application believes everybody in the room', async () => {
      const page = await open({ source: { unverified: 'show' } });
      page.livekit.packet(encodeMessage(final(1, 'Whoever says so.')));
      await expectShown(page, ['Whoever says so.']);
    });
  });
});
