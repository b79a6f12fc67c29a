import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CaptionState, roomName, segmentsOf } from '../../../protocol/index.js';
import { TextSegments } from './text-segments.js';

const shown = (state: CaptionState): string[] =>
  segmentsOf(state).map(
    ({ speaker, words, isFinal }) =>
      `${speaker.identity}${isFinal ? '' : '…'} ${words.map(({ text }) => text).join(' ')}`,
  );

describe('captions of agents that tell whole texts', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function open() {
    const states: CaptionState[] = [];
    const segments = new TextSegments(roomName('council'), (state) => states.push(state));
    const tell = (segment: string, text: string, isFinal = false): void =>
      segments.tell({
        segment,
        identity: segment === 's2' ? 'bo' : 'ana',
        name: '',
        text,
        isFinal,
        language: '',
      });
    return { segments, states, tell };
  }

  it('are shown as they grow, change and settle', () => {
    const { segments, states, tell } = open();
    tell('s1', 'Good mourning');
    tell('s2', 'Hello');
    tell('s1', 'Good morning all');
    expect(shown(segments.state)).toEqual(['ana… Good morning all', 'bo… Hello']);
    tell('s1', 'Good morning all.', true);
    expect(shown(segments.state)).toEqual(['ana Good morning all.', 'bo… Hello']);
    expect(states).toHaveLength(4);
    expect(segments.state.finals[0]?.stable).toBe(3);
    segments.close();
  });

  it('are final once: what comes again, or late, changes nothing', () => {
    const { segments, states, tell } = open();
    tell('s1', 'Once.', true);
    tell('s1', 'Once.', true);
    tell('s1', 'Once, and');
    tell('s2', '  ');
    expect(shown(segments.state)).toEqual(['ana Once.']);
    expect(states).toHaveLength(1);
  });

  it('are each speaker’s own, whatever ids others write under', () => {
    const { segments } = open();
    const say = (identity: string, text: string, isFinal = false): void =>
      segments.tell({ segment: 's1', identity, name: '', text, isFinal, language: '' });
    say('ana', 'I agree with');
    say('eve', 'I accept the bribe.', true);
    say('ana', 'I agree with nobody.', true);
    expect(shown(segments.state)).toEqual(['eve I accept the bribe.', 'ana I agree with nobody.']);
  });

  it('are bounded, also when somebody begins a thousand', () => {
    const { segments, tell } = open();
    for (let begun = 0; begun < 1000; begun += 1) tell(`x${begun}`, 'flood');
    expect(segments.state.open.length).toBeLessThanOrEqual(100);
    expect(vi.getTimerCount()).toBeLessThanOrEqual(100);
    segments.close();
  });

  it('settle by themselves when nobody ends them', () => {
    const { segments, tell } = open();
    tell('s1', 'The agent is');
    vi.advanceTimersByTime(10_000);
    tell('s1', 'The agent is gone');
    vi.advanceTimersByTime(14_000);
    expect(shown(segments.state)).toEqual(['ana… The agent is gone']);
    vi.advanceTimersByTime(2000);
    expect(shown(segments.state)).toEqual(['ana The agent is gone']);
  });

  it('always end as their last text, whatever came before', () => {
    const texts = fc.array(fc.array(fc.stringMatching(/^[a-c]{1,2}$/), { maxLength: 4 }), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(texts, (versions) => {
        const { segments, tell } = open();
        for (const version of versions) tell('s1', version.join(' '));
        const last = versions.at(-1)?.join(' ') ?? '';
        tell('s1', last, true);
        const wasShown = versions.some(({ length }) => length > 0);
        expect(segments.state.finals.map(({ words }) => words.map(({ text }) => text).join(' '))).toEqual(
          wasShown ? [last] : [],
        );
        expect(segments.state.open).toEqual([]);
        segments.close();
      }),
    );
  });
});
