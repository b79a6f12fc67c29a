import type { ChildLink, LinkedChild } from './child-link.js';

/** At a time: a state is 350 kB that three processes handle while people talk. */
const MOST_MOVES = 2;

/** The one with the fewest utterances; undefined of none. */
export function leastLoaded<Link extends { readonly load: number }>(
  links: readonly Link[],
): Link | undefined {
  return links.reduce<Link | undefined>(
    (best, link) => (best === undefined || link.load < best.load ? link : best),
    undefined,
  );
}

/** Moves utterances from the child that has the most to the one that has the fewest. */
export function spreadLoad<Child extends LinkedChild>(links: readonly ChildLink<Child>[]): void {
  const movable = links.filter((link) => link.isReady && link.savesStreams && !link.isDraining);
  const fewest = leastLoaded(movable);
  if (fewest === undefined) return;
  const most = movable.reduce((best, link) => (link.load > best.load ? link : best), fewest);
  most.sendAway(Math.min(MOST_MOVES, Math.floor((most.load - fewest.load) / 2)));
}
