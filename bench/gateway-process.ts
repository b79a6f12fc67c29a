import { type ChildProcess, spawn } from 'node:child_process';
import { CaptionError } from '../protocol/index.js';
import { builtModule } from '../asr/index.js';
import { environmentWith, EXIT } from '../gateway/index.js';
import { type ProcessUsage, usageOf, usageOfTree } from './process-usage.js';
import { endProgram, untilPrinted } from './started-program.js';

/** As in `npm start`; `gateway/node-options.test.ts` holds all places together. */
const NODE_OPTIONS = ['--max-semi-space-size=2'] as const;

const NEW_LINE = 10;

/** The real gateway in a process of its own, as `npm start` runs it, so that what it uses is its own. */
export class GatewayProcess {
  readonly url: string;
  readonly model: string;
  /** From spawn to a gateway that takes connections. */
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly pid: number;
  #logLines = 0;

  private constructor(child: ChildProcess, ready: { url: string; model: string; startMs: number }) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.url = ready.url;
    this.model = ready.model;
    this.startMs = ready.startMs;
    child.stderr?.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === NEW_LINE) this.#logLines += 1;
    });
  }

  /** Since it was ready. */
  get logLines(): number {
    return this.#logLines;
  }

  /** How it ended, by itself or by somebody; undefined while it lives. */
  get end(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    return signalCode ?? (exitCode === null ? undefined : `exit code ${exitCode}`);
  }

  /** `environment` is added to this process's own; `program`: of another build. Throws CaptionError `gateway_not_started` or `model_missing`. */
  static async start(
    environment: Readonly<Record<string, string>> = {},
    program = builtModule('gateway/main.js'),
  ): Promise<GatewayProcess> {
    const startedAtMs = performance.now();
    const child = spawn(process.execPath, [...NODE_OPTIONS, program, 'serve'], {
      env: environmentWith({
        CAPTION_HOST: '127.0.0.1',
        CAPTION_PORT: '0',
        CAPTION_REPORT: 'memory',
        CAPTION_LOG_LEVEL: 'info',
        ...environment,
      }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ready = await untilPrinted(child, {
      stream: child.stderr,
      find: addressAndModel,
      failure: (log) =>
        new CaptionError(
          child.exitCode === EXIT.model ? 'model_missing' : 'gateway_not_started',
          `The gateway did not start: ${log}`,
        ),
    });
    return new GatewayProcess(child, { ...ready, startMs: performance.now() - startedAtMs });
  }

  usage(): ProcessUsage {
    return usageOfTree(this.pid);
  }

  /** Without its recogniser children. */
  ownUsage(): ProcessUsage {
    return usageOf(this.pid);
  }

  close(): Promise<void> {
    return endProgram(this.#child);
  }
}

function addressAndModel(log: string): { url: string; model: string } | undefined {
  const url = /"url":"([^"]+)"/.exec(log)?.[1];
  const model = /"model":"([^"]+)"/.exec(log)?.[1];
  return url === undefined || model === undefined ? undefined : { url, model };
}
