/** What heals in a gateway, without recognition: registry, watcher, locks, and captioners that only join. */
import { randomUUID } from 'node:crypto';
import type { RoomName } from '../../../../protocol/index.js';
import { createLogger } from '../../../log.js';
import type { CaptionerEnd } from '../../captioner-end.js';
import type { CaptionerRequest } from '../../captioner.js';
import { CaptionerRegistry } from '../../captioner-registry.js';
import { prepareSdk } from '../../prepare-sdk.js';
import { mintBotToken } from '../../tokens.js';
import type { HealCause } from '../room-watcher.js';
import { SelfHealing, type SelfHealingOptions } from '../self-healing.js';
import { JoiningCaptioner, type JoiningCaptionerOptions } from './joining-captioner.js';

export interface HealingGatewayOptions extends Partial<
  Pick<SelfHealingOptions, 'redisUrl' | 'watchIntervalMs' | 'timing' | 'livenessTiming' | 'log'>
> {
  readonly server: { readonly url: string; readonly apiKey: string; readonly apiSecret: string };
  readonly agentName: string;
  readonly instance?: string;
  /** Default true. */
  readonly answersProbes?: boolean;
  readonly slownessMs?: number;
  readonly lastWords?: Promise<void>;
}

export class HealingGateway {
  readonly instance: string;
  readonly captioners: CaptionerRegistry;
  readonly healing: SelfHealing;
  /** Everything that was started and that ended, in order. */
  readonly requests: CaptionerRequest[] = [];
  readonly ends: { readonly room: RoomName; readonly end: CaptionerEnd }[] = [];
  readonly healed: HealCause[] = [];
  readonly #options: HealingGatewayOptions;

  constructor(options: HealingGatewayOptions) {
    prepareSdk();
    this.#options = options;
    const { server, agentName, answersProbes = true } = options;
    this.instance = options.instance ?? randomUUID();
    const captionerOptions: JoiningCaptionerOptions = {
      probed: answersProbes ? (room, bytes) => this.healing.answerProbe(room, bytes) : undefined,
      removed: (request) => this.healing.captionerRemoved(request),
      ...(options.slownessMs === undefined ? {} : { slownessMs: options.slownessMs }),
      ...(options.lastWords === undefined ? {} : { lastWords: options.lastWords }),
    };
    this.captioners = new CaptionerRegistry({
      startCaptioner: (request) => {
        this.requests.push(request);
        const captioner = new JoiningCaptioner(request, captionerOptions);
        void captioner.ended.then((end) => {
          this.ends.push({ room: request.room, end });
          this.healing.captionerEnded(request.room, end);
        });
        return captioner;
      },
      load: () => ({ speakers: 0, maxSpeakers: 1000, maxRooms: 1000, busyShare: 0, isHealthy: true }),
    });
    this.healing = new SelfHealing({
      ...server,
      agentName,
      instance: this.instance,
      captioners: this.captioners,
      redisUrl: options.redisUrl ?? '',
      watchIntervalMs: options.watchIntervalMs ?? 2000,
      observer: { healed: (cause) => void this.healed.push(cause) },
      log: options.log ?? createLogger('silent'),
      ...(options.timing === undefined ? {} : { timing: options.timing }),
      ...(options.livenessTiming === undefined ? {} : { livenessTiming: options.livenessTiming }),
    });
  }

  /** As the worker does when a job is assigned. */
  async caption(room: RoomName, dispatchId?: string): Promise<void> {
    const { server, agentName } = this.#options;
    const reservation = this.captioners.reserve(room);
    if (typeof reservation === 'string') throw new Error(`not reserved: ${reservation}`);
    const token = await mintBotToken({ ...server, agentName, instance: this.instance }, room);
    reservation.start({
      url: server.url,
      token,
      dispatchMetadata: '',
      ...(dispatchId === undefined ? {} : { dispatchId }),
    });
  }

  isCaptioning(room: RoomName): boolean {
    return this.captioners.captionerOf(room)?.isConnected === true;
  }

  async close(): Promise<void> {
    await this.healing.drain();
    await this.captioners.close({ deadlineMs: 1000 });
    await this.healing.close();
  }
}
