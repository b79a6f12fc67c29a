import type { Attack } from '../attack.js';
import { joinSpeaker } from '../hostile-socket.js';

const PHRASES = 1000;
const ROOM = 'vocabulary';
/** As many as ended a gateway with 1 GB of heap; then more for as long as it lasts. */
const AT_ONCE = 25;
const BETWEEN_MS = 100;

export const vocabularyFlood: Attack = {
  name: 'F4',
  title: 'vocabularies of 60 kB, each another one, 25 at once and then ten a second',
  venue: 'gateway',
  async run(context) {
    const speaker = await joinSpeaker(context, { room: ROOM, identity: 'eve' });
    if (speaker === undefined) {
      context.tally.breach('an ordinary speaker was not welcomed');
      return;
    }
    let sent = 0;
    const send = (): void => {
      sent += 1;
      // Names that no other message had: nothing of it is known already. Letters only, which every model can write.
      const vocabulary = Array.from(
        { length: PHRASES },
        (_, index) =>
          `Zephyrine ${inLetters(sent)} Quillmoor ${inLetters(index)} Ashgrove ${inLetters(sent * 7919 + index)}`,
      );
      speaker.sendJson({ kind: 'vocabulary', vocabulary });
    };
    for (let index = 0; index < AT_ONCE; index += 1) send();
    while (await speaker.hasRoom()) {
      send();
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    }
    if (speaker.closed === undefined && context.tally.countOf('warning vocabulary_too_often') === 0)
      context.tally.remark(`all ${sent} vocabularies were taken without a word`);
    speaker.leave();
  },
};

const LETTERS = 'bcdfghklmnprstvz';

/** A number as something that can be said. */
const inLetters = (number: number): string =>
  Array.from(number.toString(16), (digit) => `${LETTERS[parseInt(digit, 16)] ?? ''}a`).join('');
