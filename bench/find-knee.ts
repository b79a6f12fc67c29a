/** How much of something fits: raised step by step until it does not fit any more, then narrowed down. */

export interface KneeSearch<Step extends { readonly fits: boolean }> {
  /** Load of the first step, at least 1. */
  readonly first: number;
  /** Never more than this. */
  readonly max: number;
  /** Narrowed down until the largest load that fits and the smallest that does not differ by at most this share. */
  readonly precision: number;
  /** A load that does not fit is tried again, so that one disturbance of the machine does not end the search. Default 2 tries. */
  readonly tries?: number;
  readonly run: (load: number) => Promise<Step>;
}

export interface Knee<Step> {
  /** The largest load that fitted; 0 when the first did not. */
  readonly knee: number;
  /** The smallest load that did not fit; null when `max` still fitted. */
  readonly tooMuch: number | null;
  /** In the order in which they were run. */
  readonly steps: readonly (Step & { readonly load: number })[];
}

const GROWTH = 1.6;

export async function findKnee<Step extends { readonly fits: boolean }>(
  search: KneeSearch<Step>,
): Promise<Knee<Step>> {
  const steps: (Step & { load: number })[] = [];
  const fits = async (load: number): Promise<boolean> => {
    for (let tries = search.tries ?? 2; tries > 0; tries -= 1) {
      const step = { ...(await search.run(load)), load };
      steps.push(step);
      if (step.fits) return true;
    }
    return false;
  };
  let knee = 0;
  let tooMuch: number | null = null;
  let load = Math.min(search.first, search.max);
  while (tooMuch === null) {
    if (await fits(load)) knee = load;
    else tooMuch = load;
    if (load === search.max) break;
    load = Math.min(search.max, Math.ceil(load * GROWTH));
  }
  while (tooMuch !== null && tooMuch - knee > Math.max(1, search.precision * tooMuch)) {
    const middle: number = Math.floor((knee + tooMuch) / 2);
    if (await fits(middle)) knee = middle;
    else tooMuch = middle;
  }
  return { knee, tooMuch, steps };
}
