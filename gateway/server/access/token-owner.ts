import { type ParticipantIdentity, shownName } from '../../../protocol/index.js';

/** Whom a token was made for, or who a client says it is. */
export interface TokenOwner {
  readonly identity: ParticipantIdentity;
  /** May be empty. */
  readonly name: string;
}

/**
 * How somebody who sends a name of their own is shown: by the name in their token where it has one, else as they say. Who says
 * nothing has no name.
 */
export function shownOwner(said: TokenOwner, owner: TokenOwner | undefined): TokenOwner {
  const { identity } = said;
  const name = owner === undefined || owner.name === '' ? said.name : owner.name;
  return { identity, name: name === '' ? '' : shownName(name, identity) };
}
