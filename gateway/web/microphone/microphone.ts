/** The browser's microphone as PCM, and why there is none. No framework, no page: whoever opens it decides what is shown. */
import workletAddress from './capture-worklet.js?worker&url';
import type { CapturedSound } from './captured-sound.js';

/** Why there is no sound. */
export type MicrophoneFailure =
  /** Browsers give microphones to https pages and to localhost alone. */
  | 'insecure'
  /** The browser, or the page it is embedded in, has none to give. */
  | 'unsupported'
  /** The person, the browser's settings or the operating system said no. */
  | 'refused'
  /** None is plugged in. */
  | 'no_device'
  /** Another program holds it, or it does not work. */
  | 'in_use'
  /** It was unplugged, or taken away, while it was open. */
  | 'gone'
  /** A part of the page did not load, or the browser failed. */
  | 'broken';

export class MicrophoneError extends Error {
  readonly failure: MicrophoneFailure;

  constructor(failure: MicrophoneFailure, options?: ErrorOptions) {
    super(`no microphone: ${failure}`, options);
    this.name = 'MicrophoneError';
    this.failure = failure;
  }
}

export interface MicrophoneListener {
  /** Every 40 ms. The samples are the listener's own. */
  readonly heard: (sound: CapturedSound) => void;
  /** At most once, and not after `close`. */
  readonly ended: (failure: MicrophoneFailure) => void;
  /** Something holds it for a while, a phone call for instance: no sound comes, or silence does. It comes back by itself. */
  readonly interrupted: (isInterrupted: boolean) => void;
}

export interface Microphone {
  /** Idempotent: the browser's sign that it listens goes out. */
  close(): void;
}

/** Mono, cleaned of the loudspeakers' echo and of noise, as loud as speech is: what recognition likes. */
const CONSTRAINTS: MediaStreamConstraints = {
  audio: {
    channelCount: { ideal: 1 },
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
  },
};

/** Asks the person where it must; in answer to a click. Throws MicrophoneError. Whoever opens it closes it. */
export async function openMicrophone(listener: MicrophoneListener): Promise<Microphone> {
  const stream = await askForStream();
  let context: AudioContext | undefined;
  try {
    // At the device's own rate: some browsers connect a microphone to no other.
    context = new AudioContext({ latencyHint: 'interactive' });
    await context.audioWorklet.addModule(workletAddress);
    const capture = new AudioWorkletNode(context, 'capture', { numberOfInputs: 1, numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }: MessageEvent<CapturedSound>) => listener.heard(data);
    context.createMediaStreamSource(stream).connect(capture);
    await context.resume();
    return watch(stream, { context, capture, listener });
  } catch (error) {
    stopAll(stream);
    await context?.close();
    throw new MicrophoneError('broken', { cause: error });
  }
}

function watch(
  stream: MediaStream,
  open: { context: AudioContext; capture: AudioWorkletNode; listener: MicrophoneListener },
): Microphone {
  const { context, capture, listener } = open;
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    capture.port.onmessage = null;
    stopAll(stream);
    void context.close();
  };
  const gone = (): void => {
    if (!isOpen) return;
    close();
    listener.ended('gone');
  };
  const tracks = stream.getTracks();
  const tell = (): void => {
    if (isOpen) listener.interrupted(context.state !== 'running' || tracks.some(({ muted }) => muted));
  };
  for (const track of tracks) {
    track.addEventListener('ended', gone, { once: true });
    track.addEventListener('mute', tell);
    track.addEventListener('unmute', tell);
  }
  // A phone call, or the screen lock, suspends it.
  context.addEventListener('statechange', () => {
    tell();
    if (isOpen && context.state === 'suspended') void context.resume();
  });
  return { close };
}

async function askForStream(): Promise<MediaStream> {
  if (!window.isSecureContext) throw new MicrophoneError('insecure');
  // Not there in frames that are not allowed to, and in very old browsers; TypeScript does not know.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined || !('AudioWorkletNode' in window)) throw new MicrophoneError('unsupported');
  try {
    return await devices.getUserMedia(CONSTRAINTS);
  } catch (error) {
    throw new MicrophoneError(failureOf(error), { cause: error });
  }
}

/** https://w3c.github.io/mediacapture-main/#dom-mediadevices-getusermedia */
function failureOf(error: unknown): MicrophoneFailure {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'no_device';
    case 'NotReadableError':
    case 'AbortError':
      return 'in_use';
    default:
      return 'broken';
  }
}

function stopAll(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
