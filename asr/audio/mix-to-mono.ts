import { toPcm16 } from './audio-frame.js';

/** How often a channel may turn out to be the wrong way round. */
const BLOCK_SAMPLES = 16_000;
/** Channels that are so much alike, or so much each other's opposite, hold the same sound. */
const ALIKE = 0.6;
/** A channel with so small a part of the loudest one's energy is silent: crosstalk and hum at most. */
const SILENT = 0.001;

/**
 * The mean of all channels in which there is sound, rounded. A channel that is another one upside down (a cable soldered the wrong way round) would take
 * it away: it is turned first, from block to block. Silent channels make the others no quieter. A single channel is returned as it is. Empty when there are none.
 */
export function mixToMono(channels: readonly Int16Array[]): Int16Array {
  const [first, ...others] = channels;
  if (first === undefined) return new Int16Array(0);
  if (others.length === 0) return first;
  const mixed = new Int16Array(first.length);
  const signs = channels.map(() => 1);
  const audible = audibleCount(channels);
  for (let from = 0; from < mixed.length; from += BLOCK_SAMPLES) {
    const blocks = channels.map((channel) => channel.subarray(from, from + BLOCK_SAMPLES));
    turnOpposites(blocks, signs);
    const sums = new Float64Array(Math.min(BLOCK_SAMPLES, mixed.length - from));
    for (const [channel, block] of blocks.entries()) {
      const sign = signs[channel] ?? 1;
      for (let index = 0; index < sums.length; index++)
        sums[index] = (sums[index] ?? 0) + sign * (block[index] ?? 0);
    }
    mixed.set(
      Int16Array.from(sums, (sum) => toPcm16(sum / audible)),
      from,
    );
  }
  return mixed;
}

function audibleCount(channels: readonly Int16Array[]): number {
  const energies = channels.map((channel) => product(channel, channel));
  const least = SILENT * Math.max(...energies);
  return energies.filter((energy) => energy >= least).length;
}

/** Compares with the loudest one. What is neither alike nor opposite stays as it was in the block before. */
function turnOpposites(blocks: readonly Int16Array[], signs: number[]): void {
  const energies = blocks.map((block) => product(block, block));
  const loudest = energies.indexOf(Math.max(...energies));
  const reference = blocks[loudest];
  const referenceSign = signs[loudest] ?? 1;
  if (reference === undefined) return;
  for (const [index, block] of blocks.entries()) {
    const norm = Math.sqrt((energies[index] ?? 0) * (energies[loudest] ?? 0));
    const likeness = norm === 0 ? 0 : product(block, reference) / norm;
    if (Math.abs(likeness) >= ALIKE) signs[index] = Math.sign(likeness) * referenceSign;
  }
}

function product(a: Int16Array, b: Int16Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}
