import { participantIdentity, roomName, SAMPLE_RATE_HZ } from '../protocol/index.js';
import { connectIngest, playPaced } from '../gateway/index.js';
import { GatewayProcess } from './gateway-process.js';
import { UsageSampler } from './usage-sampler.js';

/** CPU seconds per second, of one connected speaker of the gateway and its children. */
export interface SilenceCost {
  readonly speakingCores: number;
  /** Digital silence, as a muted track has it. */
  readonly silentCores: number;
  /** White noise at -70 dBFS, as a quiet room has it. */
  readonly faintNoiseCores: number;
  readonly silentPerSpeaking: number;
  readonly faintNoisePerSpeaking: number;
  /** CPU of 200 connected speakers of whom 5 talk, relative to those 5 alone. */
  readonly fiveOf200PerFive: number;
}

const SPEAKING = 20;
const SILENT = 200;
const FEW = 5;
/** Amplitude of uniform noise of -70 dBFS. */
const FAINT_AMPLITUDE = 32768 * 10 ** (-70 / 20) * Math.sqrt(3);

export async function measureSilence(
  clips: readonly Int16Array[],
  options: { silenceSeconds: number; signal: AbortSignal },
): Promise<SilenceCost> {
  const lengthSamples = options.silenceSeconds * SAMPLE_RATE_HZ;
  const speech = (count: number): Int16Array[] =>
    Array.from({ length: count }, (_, index) => repeated(clips, { first: index, lengthSamples }));
  const silence = (count: number): Int16Array[] =>
    Array.from({ length: count }, () => new Int16Array(lengthSamples));
  const noise = Int16Array.from({ length: lengthSamples }, () =>
    Math.round((Math.random() * 2 - 1) * FAINT_AMPLITUDE),
  );
  const cores = (tracks: readonly Int16Array[]): Promise<number> => coresOf(tracks, options.signal);

  const idle = await cores([]);
  const speaking = await cores(speech(SPEAKING));
  const silent = await cores(silence(SILENT));
  const faint = await cores(Array.from({ length: SILENT }, () => noise));
  const few = await cores(speech(FEW));
  const fewOfMany = await cores([...speech(FEW), ...silence(SILENT - FEW)]);
  const perSpeaker = {
    speakingCores: (speaking - idle) / SPEAKING,
    silentCores: (silent - idle) / SILENT,
    faintNoiseCores: (faint - idle) / SILENT,
  };
  return {
    ...perSpeaker,
    silentPerSpeaking: perSpeaker.silentCores / perSpeaker.speakingCores,
    faintNoisePerSpeaking: perSpeaker.faintNoiseCores / perSpeaker.speakingCores,
    fiveOf200PerFive: fewOfMany / few,
  };
}

/** CPU of a fresh gateway to which these tracks are played. */
async function coresOf(tracks: readonly Int16Array[], signal: AbortSignal): Promise<number> {
  const gateway = await GatewayProcess.start();
  const clients = tracks.map((_, index) =>
    connectIngest({
      url: gateway.url,
      room: roomName(`silence-${index % 20}`),
      speaker: { identity: participantIdentity(`speaker-${index}`), name: '' },
    }),
  );
  try {
    await Promise.all(clients.map(({ ready }) => ready));
    const usage = new UsageSampler(gateway);
    usage.start();
    if (tracks.length === 0) await new Promise((resolve) => setTimeout(resolve, 3000));
    await playPaced(
      tracks.map((pcm, index) => ({ pcm, send: (frame) => clients[index]?.send(frame) })),
      { startAtMs: performance.now(), signal },
    );
    usage.stop();
    signal.throwIfAborted();
    return usage.cpuCores ?? 0;
  } finally {
    for (const client of clients) client.close();
    await gateway.close();
  }
}

/** Clip after clip without a pause. */
function repeated(
  clips: readonly Int16Array[],
  options: { first: number; lengthSamples: number },
): Int16Array {
  const track = new Int16Array(options.lengthSamples);
  for (let at = 0, index = options.first; at < track.length; index++) {
    const clip = clips[index % clips.length] ?? track;
    track.set(clip.subarray(0, track.length - at), at);
    at += clip.length;
  }
  return track;
}
