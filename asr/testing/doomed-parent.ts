/** A parent for tests that kill it: starts a real child, waits for its hello and tells its process id. */
import { fork } from 'node:child_process';
import { REAL_CHILD } from './misbehaviour.js';

const child = fork(REAL_CHILD, [], {
  serialization: 'advanced',
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
});
child.once('message', () => process.stdout.write(`${child.pid}\n`));
