/**
 * Fourier transform of 512 real numbers, as one complex transform of 256: Stockham's radix-4 form, which needs no reordering.
 * Works in its own buffers; allocates nothing per call.
 */
export const FFT_POINTS = 512;
/** Frequencies 0 to just below half the sample rate. */
export const FFT_BINS = FFT_POINTS / 2;

const COMPLEX_POINTS = FFT_POINTS / 2;

interface Stage {
  /** Butterflies of different twiddle factors, and how often each is used. */
  readonly groups: number;
  readonly stride: number;
  /** w, w², w³ of each group: real and imaginary part. */
  readonly twiddles: Float64Array;
}

export class RealFft512 {
  /** Real and imaginary parts in turn; real input in its natural order is just that. */
  readonly input = new Float64Array(FFT_POINTS);
  readonly #other = new Float64Array(FFT_POINTS);
  readonly #stages: readonly Stage[] = stagesOf(COMPLEX_POINTS);
  /** exp(-2πik/512) */
  readonly #unpack = Float64Array.from({ length: FFT_POINTS }, (_, index) => {
    const angle = (-2 * Math.PI * (index >> 1)) / FFT_POINTS;
    return index % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
  });

  /** Transforms `input`, which is overwritten, and writes the squared magnitudes of bins 0 to 255. */
  power(target: Float64Array): void {
    let from = this.input;
    let to = this.#other;
    for (const stage of this.#stages) {
      butterflies(stage, from, to);
      [from, to] = [to, from];
    }
    unpackPower({ spectrum: from, unpack: this.#unpack, target });
  }
}

function stagesOf(points: number): Stage[] {
  const stages: Stage[] = [];
  for (let length = points, stride = 1; length > 1; length /= 4, stride *= 4) {
    const groups = length / 4;
    const twiddles = new Float64Array(groups * 6);
    for (let group = 0; group < groups; group++) {
      for (let power = 1; power <= 3; power++) {
        const angle = (-2 * Math.PI * group * power) / length;
        twiddles[group * 6 + power * 2 - 2] = Math.cos(angle);
        twiddles[group * 6 + power * 2 - 1] = Math.sin(angle);
      }
    }
    stages.push({ groups, stride, twiddles });
  }
  return stages;
}

function butterflies({ groups, stride, twiddles }: Stage, x: Float64Array, y: Float64Array): void {
  const quarter = 2 * stride * groups;
  const step = 2 * stride;
  for (let group = 0; group < groups; group++) {
    const w1r = twiddles[group * 6] ?? 0;
    const w1i = twiddles[group * 6 + 1] ?? 0;
    const w2r = twiddles[group * 6 + 2] ?? 0;
    const w2i = twiddles[group * 6 + 3] ?? 0;
    const w3r = twiddles[group * 6 + 4] ?? 0;
    const w3i = twiddles[group * 6 + 5] ?? 0;
    let source = group * step;
    let target = group * step * 4;
    for (const end = source + step; source < end; source += 2, target += 2) {
      const ar = x[source] ?? 0;
      const ai = x[source + 1] ?? 0;
      const br = x[source + quarter] ?? 0;
      const bi = x[source + quarter + 1] ?? 0;
      const cr = x[source + 2 * quarter] ?? 0;
      const ci = x[source + 2 * quarter + 1] ?? 0;
      const dr = x[source + 3 * quarter] ?? 0;
      const di = x[source + 3 * quarter + 1] ?? 0;
      const apcr = ar + cr;
      const apci = ai + ci;
      const amcr = ar - cr;
      const amci = ai - ci;
      const bpdr = br + dr;
      const bpdi = bi + di;
      // i·(b − d)
      const jr = di - bi;
      const ji = br - dr;
      y[target] = apcr + bpdr;
      y[target + 1] = apci + bpdi;
      const r1 = amcr - jr;
      const i1 = amci - ji;
      y[target + step] = r1 * w1r - i1 * w1i;
      y[target + step + 1] = r1 * w1i + i1 * w1r;
      const r2 = apcr - bpdr;
      const i2 = apci - bpdi;
      y[target + 2 * step] = r2 * w2r - i2 * w2i;
      y[target + 2 * step + 1] = r2 * w2i + i2 * w2r;
      const r3 = amcr + jr;
      const i3 = amci + ji;
      y[target + 3 * step] = r3 * w3r - i3 * w3i;
      y[target + 3 * step + 1] = r3 * w3i + i3 * w3r;
    }
  }
}

/** From the transform of x[2n] + i·x[2n + 1] to the power of that of x. */
function unpackPower(from: { spectrum: Float64Array; unpack: Float64Array; target: Float64Array }): void {
  const { spectrum, unpack, target } = from;
  const first = (spectrum[0] ?? 0) + (spectrum[1] ?? 0);
  target[0] = first * first;
  for (let bin = 1; bin < FFT_BINS; bin++) {
    const mirror = 2 * (COMPLEX_POINTS - bin);
    const zr = spectrum[2 * bin] ?? 0;
    const zi = spectrum[2 * bin + 1] ?? 0;
    const mr = spectrum[mirror] ?? 0;
    const mi = -(spectrum[mirror + 1] ?? 0);
    const wr = unpack[2 * bin] ?? 0;
    const wi = unpack[2 * bin + 1] ?? 0;
    // (z + m)/2 − i·w·(z − m)/2
    const dr = zr - mr;
    const di = zi - mi;
    const real = 0.5 * (zr + mr + wr * di + wi * dr);
    const imaginary = 0.5 * (zi + mi + wi * di - wr * dr);
    target[bin] = real * real + imaginary * imaginary;
  }
}
