import { expect, it } from 'vitest';
import { CaptionWatch } from '../../gateway/index.js';
import { PeerCaptions } from './peer-captions.js';

it('shows a text that grows, is corrected and becomes final to the same measure as our own captions', () => {
  const watch = new CaptionWatch();
  let nowMs = 0;
  const captions = new PeerCaptions('room', (state, message) => watch.observe(state, message, nowMs));
  const show = (text: string, isFinal = false): void => {
    nowMs += 100;
    captions.show({ speaker: 'ana', segment: '1', text, isFinal });
  };
  show('WE MET');
  show('WE MEET  AT');
  show('WE MEET AT');
  expect(captions.open).toBe(1);
  show('WE MEET AT NOON', true);
  show('WE MEET AT NIGHT', true);
  expect(captions.open).toBe(0);
  const { words, changedWords, segments } = watch.resultOf('ana');
  expect(words.map(({ text, firstShownMs }) => [text, firstShownMs])).toEqual([
    ['WE', 100],
    ['MEET', 200],
    ['AT', 200],
    ['NOON', 400],
  ]);
  expect(changedWords).toBe(1);
  expect(segments).toMatchObject([{ finalAtMs: 400 }]);
});
