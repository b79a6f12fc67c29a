import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { roomName } from '../../../protocol/index.js';
import { waitUntil } from '../../testing/wait-until.js';
import type { ParticipantPlace } from '../livekit-admin.js';
import { ANSWER_ATTRIBUTE, newNonce, ProbeAnswers } from './probe.js';

const room = roomName('council');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('answers to other gateways', () => {
  let set: { place: ParticipantPlace; attributes: Readonly<Record<string, string>> }[];
  let answers: ProbeAnswers;
  let failure: Error | undefined;

  beforeEach(() => {
    set = [];
    failure = undefined;
    answers = new ProbeAnswers({
      admin: {
        setAttributes: (place, attributes) => {
          set.push({ place, attributes });
          return failure === undefined ? Promise.resolve() : Promise.reject(failure);
        },
      },
      agentName: 'captions',
      log: pino({ level: 'silent' }),
    });
  });
  afterEach(() => answers.close());
  const answered = (): (string | undefined)[] => set.map(({ attributes }) => attributes[ANSWER_ATTRIBUTE]);

  it('are the question itself, on the bot that was asked', () => {
    const nonce = newNonce();
    answers.answer(room, bytes(nonce));
    expect(set).toEqual([
      { place: { room, identity: 'captions-council' }, attributes: { [ANSWER_ATTRIBUTE]: nonce } },
    ]);
  });

  it('are given at once, then at most every 200 ms, to the latest question', async () => {
    const nonces = Array.from({ length: 50 }, newNonce);
    for (const nonce of nonces) answers.answer(room, bytes(nonce));
    expect(answered()).toEqual([nonces[0]]);
    await waitUntil(() => (set.length > 1 ? undefined : 'the last one is answered too'));
    expect(answered()).toEqual([nonces[0], nonces.at(-1)]);
    // Each room has its own.
    answers.answer(roomName('other'), bytes(nonces[0] ?? ''));
    expect(set).toHaveLength(3);
  });

  it.each(['', 'short', 'ABCDEF0123456789', '<script>', '0'.repeat(33), '0123456789abcdef\n'])(
    'are not given to %o: nobody can have us write something else',
    (text) => {
      answers.answer(room, bytes(text));
      expect(set).toEqual([]);
    },
  );

  it('survive a server that does not take them', async () => {
    failure = new Error('away');
    answers.answer(room, bytes(newNonce()));
    await new Promise((resolve) => setImmediate(resolve));
    expect(set).toHaveLength(1);
  });

  it('end with the gateway', async () => {
    answers.answer(room, bytes(newNonce()));
    answers.answer(room, bytes(newNonce()));
    answers.close();
    answers.close();
    answers.answer(room, bytes(newNonce()));
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(set).toHaveLength(1);
  });
});
