import type { Attack, AttackContext } from '../attack.js';
import { joinSpeaker } from '../hostile-socket.js';

const PHRASES = 1000;
const FEW_PHRASES = 250;
const ROOM = 'vocabulary';
/** As many as ended a gateway with 1 GB of heap; then more for as long as it lasts. */
const AT_ONCE = 25;
const BETWEEN_MS = 100;

export const vocabularyFlood: Attack = {
  name: 'F4',
  title: 'vocabularies of 60 kB, each another one, 25 at once and then ten a second',
  venue: 'gateway',
  run: (context) => flood(context, PHRASES),
};

/** Within what a vocabulary may have, so that only how often it is changed can be refused. */
export const vocabularyChanges: Attack = {
  name: 'F4-small',
  title: 'the same with vocabularies of 15 kB, which are as large as they may be',
  venue: 'gateway',
  run: (context) => flood(context, FEW_PHRASES),
};

async function flood(context: AttackContext, phrases: number): Promise<void> {
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
      { length: phrases },
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
  if (speaker.closed === undefined) context.tally.remark(`${sent} vocabularies were taken or left waiting`);
  speaker.leave();
}

const LETTERS = 'bcdfghklmnprstvz';

/** A number as something that can be said. */
const inLetters = (number: number): string =>
  Array.from(number.toString(16), (digit) => `${LETTERS[parseInt(digit, 16)] ?? ''}a`).join('');
