import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { CaptionError } from '../../protocol/index.js';
import { builtModule } from '../../asr/index.js';
import { endProgram } from '../started-program.js';
import type { AttackOutcome, AttackTarget } from './attack.js';
import type { AttackerTask } from './attacker.js';

/** For what an attack does besides its flood. */
const FURTHER_DEADLINE_MS = 60_000;

/** The attacking process. `close` it. */
export class AttackerProcess {
  readonly #child: ChildProcess;
  readonly #target: AttackTarget;

  constructor(target: AttackTarget) {
    this.#target = target;
    this.#child = fork(builtModule('bench/abuse/attacker.js'), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** Resolves when everything is ready for the attack. Throws CaptionError `bench_worker_failed`. */
  async prepare(attack: string): Promise<void> {
    const task: AttackerTask = { attack, target: this.#target };
    this.#child.send(task);
    await this.#answer();
  }

  /** Throws CaptionError `bench_worker_failed`. */
  async attack(): Promise<AttackOutcome> {
    this.#child.send('attack');
    return (await this.#answer()) as AttackOutcome;
  }

  close(): Promise<void> {
    return endProgram(this.#child);
  }

  async #answer(): Promise<unknown> {
    const either = new AbortController();
    const { signal } = either;
    const deadlineMs = this.#target.seconds * 1000 + FURTHER_DEADLINE_MS;
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadlineMs);
    try {
      const [answer] = (await Promise.race([
        once(this.#child, 'message', { signal }),
        once(this.#child, 'exit', { signal }).then(([code, killed]) => {
          throw new CaptionError('bench_worker_failed', `The attacker ended with ${String(code ?? killed)}.`);
        }),
      ])) as [unknown];
      return answer;
    } finally {
      clearTimeout(timer);
      either.abort();
    }
  }
}
