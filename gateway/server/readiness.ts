/** Why the gateway is not ready, for anybody who asks `/readyz`: no addresses, which are in the log. */
export interface NotReady {
  /** The code of an error of the README's table, or `recognition_unavailable`, `livekit_connecting`. */
  readonly code: string;
  readonly reason: string;
}
