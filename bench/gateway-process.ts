import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { CaptionError } from '../protocol/index.js';
import { builtModule } from '../asr/index.js';
import { environmentWith, EXIT } from '../gateway/index.js';
import { type ProcessUsage, usageOf, usageOfTree } from './process-usage.js';

const READY_DEADLINE_MS = 60_000;
const EXIT_DEADLINE_MS = 10_000;

/** The real gateway in a process of its own, as `npm start` runs it, so that what it uses is its own. */
export class GatewayProcess {
  readonly url: string;
  readonly model: string;
  /** From spawn to a gateway that takes connections. */
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly pid: number;

  private constructor(child: ChildProcess, ready: { url: string; model: string; startMs: number }) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.url = ready.url;
    this.model = ready.model;
    this.startMs = ready.startMs;
  }

  /** `environment` is added to this process's own. Throws CaptionError `gateway_not_started` or `model_missing`. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
    const startedAtMs = performance.now();
    const child = spawn(process.execPath, [builtModule('gateway/main.js'), 'serve'], {
      env: environmentWith({
        CAPTION_HOST: '127.0.0.1',
        CAPTION_PORT: '0',
        CAPTION_REPORT: 'memory',
        CAPTION_LOG_LEVEL: 'info',
        ...environment,
      }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ready = await untilReady(child);
    return new GatewayProcess(child, { ...ready, startMs: performance.now() - startedAtMs });
  }

  usage(): ProcessUsage {
    return usageOfTree(this.pid);
  }

  /** Without its recogniser children. */
  ownUsage(): ProcessUsage {
    return usageOf(this.pid);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_DEADLINE_MS);
    await gone;
    clearTimeout(timer);
  }
}

function untilReady(child: ChildProcess): Promise<{ url: string; model: string }> {
  return new Promise((resolve, reject) => {
    let log = '';
    const fail = (): void => {
      child.kill('SIGKILL');
      clearTimeout(timer);
      const reason = `The gateway did not start: ${log.slice(-2000)}`;
      const isModelMissing = child.exitCode === EXIT.model;
      reject(
        isModelMissing
          ? new CaptionError('model_missing', reason)
          : new CaptionError('gateway_not_started', reason),
      );
    };
    const timer = setTimeout(fail, READY_DEADLINE_MS);
    child.once('close', fail);
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-20_000);
      const url = /"url":"([^"]+)"/.exec(log)?.[1];
      const model = /"model":"([^"]+)"/.exec(log)?.[1];
      if (url === undefined || model === undefined) return;
      clearTimeout(timer);
      child.off('close', fail);
      // Read on and forget, or a full pipe would hold the gateway up.
      child.stderr?.removeAllListeners('data').resume();
      resolve({ url, model });
    });
  });
}
