import { readFile } from 'node:fs/promises';
import { type InferenceSession, Tensor } from '../onnx-runtime.js';
import { dequantiseProducts, quantisesActivations } from './graph/dequantise-products.js';
import { OnnxGraph } from './graph/onnx-graph.js';
import type { Sessions } from './sessions.js';

/**
 * Mean square of the differences, as a part of that of the scores themselves, above which the rewritten joiner is another
 * one. What quantising its input to 8 bits costs is a thousandth and less.
 */
const TOLERANCE = 0.02;
const PROBE_ROWS = 8;

export interface LoadedJoiner {
  readonly session: InferenceSession;
  /** A row's scores do not depend on the rows beside it. */
  readonly isBatchable: boolean;
}

/**
 * Opens a joiner so that its rows are independent. The published ones are int8 and quantise over the whole call, so that
 * neighbours change each other's words; their weights are written out as floats here (half a megabyte), which costs
 * nothing: it is one small layer. A joiner of which that makes another one stays as it is, and is called for one stream at a time.
 */
export async function loadJoiner(
  path: string,
  { width, sessions }: { width: number; sessions: Sessions },
): Promise<LoadedJoiner> {
  const session = await sessions.open(path);
  const graph = OnnxGraph.parse(await readFile(path));
  if (graph === undefined) return { session, isBatchable: false };
  if (!quantisesActivations(graph)) return { session, isBatchable: true };
  if (dequantiseProducts(graph) === 0 || quantisesActivations(graph)) return { session, isBatchable: false };
  const rewritten = await sessions.open(graph.serialise());
  const [loser, isBatchable] = (await areAlike(session, rewritten, width))
    ? [session, true]
    : [rewritten, false];
  await sessions.release(loser);
  return { session: isBatchable ? rewritten : session, isBatchable };
}

/** One row at a time, as the original wants it. */
async function areAlike(
  original: InferenceSession,
  rewritten: InferenceSession,
  width: number,
): Promise<boolean> {
  let differences = 0;
  let squares = 0;
  for (let row = 0; row < PROBE_ROWS; row++) {
    // Tanh comes next: values of both signs, some of them saturated.
    const rows = [1, 2].map((frequency) =>
      Float32Array.from({ length: width }, (_, index) => 2 * Math.sin(frequency * (row + 1) * (index + 1))),
    );
    const expected = await scores(original, rows);
    const actual = await scores(rewritten, rows);
    if (expected.length !== actual.length) return false;
    for (const [index, score] of expected.entries()) {
      differences += (score - (actual[index] ?? 0)) ** 2;
      squares += score ** 2;
    }
  }
  return differences <= TOLERANCE * squares;
}

async function scores(session: InferenceSession, rows: readonly Float32Array[]): Promise<Float32Array> {
  const feeds = Object.fromEntries(
    rows.map((row, index) => [session.inputNames[index] ?? '', new Tensor('float32', row, [1, row.length])]),
  );
  const output = (await session.run(feeds))[session.outputNames[0] ?? ''];
  return output?.data instanceof Float32Array ? output.data : new Float32Array(0);
}
