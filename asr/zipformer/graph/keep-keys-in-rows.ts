/**
 * Attention: the keys of all heads are turned over, value by value, only to be multiplied with the queries. Moving whole rows of a
 * head and letting the product read them crosswise costs less: `FusedMatMul` of onnxruntime, the same sums in the same order.
 */
import { intsOf, type OnnxGraph } from './onnx-graph.js';

/** Frame, batch, head, channel to head, batch, channel, frame … */
const CROSSWISE = '2,1,3,0';
/** … and to head, batch, frame, channel. */
const IN_ROWS = [2, 1, 0, 3];

/** Returns how many were found. */
export function keepKeysInRows(graph: OnnxGraph): number {
  let found = 0;
  for (const transposition of graph.nodes.filter(({ opType }) => opType === 'Transpose')) {
    const [keys] = transposition.inputs;
    const product = graph.soleConsumer(transposition.outputs[0]);
    const [queries, second] = product?.inputs ?? [];
    const output = product?.outputs[0];
    if (product?.opType !== 'MatMul' || second !== transposition.outputs[0]) continue;
    if (keys === undefined || queries === undefined || output === undefined) continue;
    if (intsOf(transposition, 'perm')?.join() !== CROSSWISE) continue;
    const rows = `keys_${found}_rows`;
    const isReplaced = graph.replace(
      [transposition, product],
      [
        { opType: 'Transpose', inputs: [keys], output: rows, ints: { perm: IN_ROWS } },
        {
          opType: 'FusedMatMul',
          domain: 'com.microsoft',
          inputs: [queries, rows],
          output,
          int: { transB: 1 },
        },
      ],
    );
    if (isReplaced) found += 1;
  }
  return found;
}
