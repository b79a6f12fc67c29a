/** One attack in a process of its own, so that what it costs is not measured as the gateway's. Told what to do by IPC messages. */
import { setPriority } from 'node:os';
import process from 'node:process';
import { errorMessage } from '../../protocol/index.js';
import { disposeSdk } from '../../gateway/livekit/index.js';
import { signToken } from './access-token.js';
import { type AttackContext, AttackTally, type AttackTarget } from './attack.js';
import { attackNamed } from './attacks.js';

export interface AttackerTask {
  readonly attack: string;
  readonly target: AttackTarget;
}

/** It yields the processors to the gateway: what is measured is not who wins them. */
const LOW_PRIORITY = 5;

setPriority(LOW_PRIORITY);
let context: AttackContext | undefined;
let name = '';

process.on('message', (message: AttackerTask | 'attack') => {
  void (message === 'attack' ? attack() : prepare(message)).catch((error: unknown) => {
    process.stderr.write(`attacker: ${errorMessage(error)}\n`);
    process.exit(1);
  });
});

async function prepare({ attack, target }: AttackerTask): Promise<void> {
  name = attack;
  const tally = new AttackTally();
  context = {
    target,
    tally,
    // Replaced when the flood begins.
    flood: new AbortController().signal,
    token: (grant) => signToken(target, grant),
  };
  await attackNamed(attack).prepare?.(context);
  tally.startAnew();
  process.send?.('prepared');
}

async function attack(): Promise<void> {
  if (context === undefined) return;
  const flood = AbortSignal.timeout(context.target.seconds * 1000);
  await attackNamed(name).run({ ...context, flood });
  await disposeSdk();
  process.send?.(context.tally.outcome(), () => process.exit(0));
}
