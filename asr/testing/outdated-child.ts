/** A child of another version. */
import { CHILD_PROTOCOL_VERSION } from '../child/messages.js';

process.on('disconnect', () => process.exit());
process.send?.({ kind: 'hello', version: CHILD_PROTOCOL_VERSION + 1 });
