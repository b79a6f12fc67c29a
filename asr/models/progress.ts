/** What an installation is doing. */
export type InstallPhase =
  /** Another process installs the same model. */
  'waiting' | 'downloading' | 'checking' | 'unpacking';

export interface InstallProgress {
  readonly phase: InstallPhase;
  /** Bytes of the archive that are done with in this phase. */
  readonly doneBytes: number;
  /** Size of the archive, once it is known. */
  readonly totalBytes?: number | undefined;
}

/** Called often; must be quick and must not throw. */
export type OnInstallProgress = (progress: InstallProgress) => void;
