/**
 * Before each convolution a mask blanks frames that are padding, and in streaming no frame of a chunk ever is: what is missing at the
 * beginning of a stream lies in the states. So the mask lets everything through. That cannot be read off the graph; whoever drops it
 * compares what comes out from the first chunk on, where most is missing.
 */
import type { OnnxGraph } from './onnx-graph.js';

/** Returns how many were found. */
export function dropChunkMasks(graph: OnnxGraph): number {
  let found = 0;
  for (const mask of graph.nodes.filter(({ opType }) => opType === 'Where')) {
    const [condition, blank, values] = mask.inputs;
    const [output] = mask.outputs;
    const isMask = graph.producer(condition)?.opType === 'Expand' && graph.scalar(blank) === 0;
    if (!isMask || values === undefined || output === undefined || !graph.isInner(output)) continue;
    for (const consumer of graph.consumers(output))
      graph.reconnect(consumer, consumer.inputs.indexOf(output), values);
    if (graph.consumers(output).length === 0 && graph.replace([mask], [])) found += 1;
  }
  return found;
}
