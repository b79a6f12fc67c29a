/** What a test tells the page: who is to join where. It stands in the address, after `#`, as JSON. */

/** How a client reads captions, or that it speaks. */
export type ClientKind =
  /** The wire contract on the data channel. */
  | 'captions'
  /** Our component, on whatever road there is. */
  | 'element'
  /** React, with LiveKit's own hook for text streams. */
  | 'transcriptions'
  /** The rules of La Suite Meet's subtitle view. */
  | 'meet'
  /** Publishes the browser's microphone and reads nothing. */
  | 'speaker';

export interface Visit {
  /** `ws://…` */
  readonly url: string;
  readonly room: string;
  /** One client each. */
  readonly clients: readonly { readonly kind: ClientKind; readonly token: string }[];
}
