import type { CaptionMessage, CaptionState } from '../../protocol/index.js';
import type { Meeting } from '../meeting/meeting.js';
import { terminalLine } from '../terminal-text.js';

/** Where the captions of the demo appear. */
export interface DemoView {
  show(state: CaptionState, message: CaptionMessage): void;
  /** Leaves the screen as it is. */
  close(): void;
}

/** One line for each final segment and each change of status: for logs and pipes. */
export function createPlainView(meeting: Meeting, output: NodeJS.WritableStream): DemoView {
  const startedAtMs = performance.now();
  const names = new Map(meeting.tracks.map(({ identity, name }) => [identity, name]));
  const print = (text: string): void => {
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(5);
    output.write(`${seconds} s  ${terminalLine(text)}\n`);
  };
  return {
    show(state, message) {
      if (message.kind === 'status') print(`[${message.state}] ${message.reason}`);
      if (message.kind === 'gap') print(`[${message.speaker.name}: not captioned, ${message.reason}]`);
      if (message.kind !== 'delta' || !message.isFinal) return;
      const segment = state.finals.find((final) => final.segment === message.segment);
      const text = segment?.words.map((word) => word.text).join(' ') ?? '';
      if (text !== '') print(`${names.get(message.speaker.identity) ?? message.speaker.identity}: ${text}`);
    },
    close: () => undefined,
  };
}
