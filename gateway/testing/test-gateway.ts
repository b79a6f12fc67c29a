import { Writable } from 'node:stream';
import type { InstalledModel } from '../../asr/index.js';
import { defaultSettings, type Settings } from '../config/settings.js';
import { type Gateway, type GatewayOptions, startGateway } from '../gateway.js';
import { createLogger } from '../log.js';

export interface TestGatewayOptions extends Partial<Pick<GatewayOptions, 'supervision' | 'timing'>> {
  readonly settings?: Partial<Settings>;
  /** Default `info`. */
  readonly logLevel?: string;
}

export interface TestGateway extends Gateway {
  /** Everything logged so far. */
  readonly logText: () => string;
}

/** A real gateway with the real model: one recogniser child, any free port, audio as fast as it comes. */
export async function startTestGateway(
  model: InstalledModel,
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
  const log = new TextSink();
  const gateway = await startGateway({
    settings: {
      ...defaultSettings(),
      CAPTION_PORT: 0,
      CAPTION_RECOGNISERS: 1,
      CAPTION_STANDBY: 'off',
      CAPTION_REPORT: 'memory',
      CAPTION_INGEST_AHEAD_S: 3600,
      ...options.settings,
    },
    model,
    log: createLogger(options.logLevel ?? 'info', log),
    ...(options.supervision === undefined ? {} : { supervision: options.supervision }),
    // Tests read metrics when something has happened, and not a second later.
    timing: { scrapeIntervalMs: 0, ...options.timing },
  });
  return { ...gateway, logText: () => log.text };
}

/** Keeps what is written to it. */
export class TextSink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
