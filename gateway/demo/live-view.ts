import { createLogUpdate } from 'log-update';
import pico from 'picocolors';
import stringWidth from 'string-width';
import { type CaptionState, segmentsOf } from '../../protocol/index.js';
import type { Meeting } from '../meeting/meeting.js';
import { terminalLine } from '../terminal-text.js';
import type { DemoView } from './demo-view.js';

const REDRAW_INTERVAL_MS = 33;
const COLOURS = [pico.cyan, pico.yellow, pico.green, pico.magenta, pico.blue, pico.red];

/** Live captions on a terminal: a line per speaker in a colour of their own; words that may still change are dim. */
export function createLiveView(meeting: Meeting, output: NodeJS.WriteStream): DemoView {
  const draw = createLogUpdate(output);
  const names = meeting.tracks.map(({ name }) => terminalLine(name));
  const nameWidth = Math.max(...names.map((name) => stringWidth(name)));
  let newest: CaptionState | undefined;
  let timer: NodeJS.Timeout | undefined;

  const redraw = (): void => {
    timer = undefined;
    if (newest === undefined) return;
    const state = newest;
    const columns = output.columns - nameWidth - 3;
    const lines = meeting.tracks.map(({ identity }, index) => {
      const colour = COLOURS[index % COLOURS.length] ?? pico.white;
      const label = colour((names[index] ?? '').padStart(nameWidth));
      return `${label}  ${captionLine(state, identity, Math.max(20, columns))}`;
    });
    const status = state.state === 'live' ? '' : `\n${pico.inverse(` ${terminalLine(state.reason)} `)}`;
    draw(`${lines.join('\n')}${status}`);
  };
  return {
    show(state) {
      newest = state;
      timer ??= setTimeout(redraw, REDRAW_INTERVAL_MS);
    },
    close() {
      clearTimeout(timer);
      redraw();
      draw.done();
    },
  };
}

/** The end of what a speaker said last, as much as fits. */
function captionLine(state: CaptionState, identity: string, columns: number): string {
  const segment = segmentsOf(state).findLast(({ speaker }) => speaker.identity === identity);
  if (segment === undefined) return '';
  const words = segment.words.map(({ text }) => terminalLine(text));
  let first = words.length;
  let width = 0;
  while (first > 0) {
    width += stringWidth(words[first - 1] ?? '') + 1;
    if (width > columns) break;
    first -= 1;
  }
  const shown = words.slice(first).map((word, index) => {
    return first + index < segment.stable ? word : pico.dim(word);
  });
  return shown.join(' ');
}
