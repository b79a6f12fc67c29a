import type { CaptionState } from '../../../protocol/index.js';

/** Why a source will give nothing more. `told`: for a reason that the other side gave in words. */
export type RefusalCause =
  | 'token_needed'
  | 'token_malformed'
  | 'token_ended'
  | 'access_withdrawn'
  | 'unreadable'
  | 'room_left'
  | 'told';

/**
 * Why what comes as captions is not shown: there is no key to check it with; the page was not loaded over HTTPS, where browsers
 * cannot check; or the key that there is has not signed it.
 */
export type UnverifiedCause = 'no_key' | 'insecure_page' | 'not_signed';

/** How the connection to captions is. */
export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  /** Where captions would come from is there; nobody makes any yet. */
  | { readonly kind: 'uncaptioned' }
  /** Somebody sends captions, and the page cannot tell that it is the gateway. It goes on listening. */
  | { readonly kind: 'unverified'; readonly cause: UnverifiedCause }
  /** It is tried again by itself. */
  | { readonly kind: 'lost' }
  /** The same try would fail again; another token may help. `reason` is for a person; empty unless `cause` is `told`. */
  | { readonly kind: 'refused'; readonly cause: RefusalCause; readonly reason: string };

export interface CaptionListener {
  /** The captions changed. Never called with a state in which nothing is known. */
  readonly changed: (state: CaptionState) => void;
  readonly linkChanged: (link: LinkState) => void;
}

/** Where captions come from. Nothing happens before `start`; whoever started it closes it. */
export interface CaptionSource {
  start(listener: CaptionListener): void;
  /** Does not wait any longer where it waits for the next try. */
  retryNow(): void;
  /** There is a newer access token: whoever gave the first one is to be asked again. Absent where none is used. */
  tokenChanged?(): void;
  /** Idempotent. Nothing is told afterwards. */
  close(): void;
}
