import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeWithModel } from '../../testing/real-model.js';
import { dequantiseProducts, quantisesActivations } from './dequantise-products.js';
import { dropChunkMasks } from './drop-chunk-masks.js';
import { keepKeysInRows } from './keep-keys-in-rows.js';
import { mergeConvolutions } from './merge-convolutions.js';
import { OnnxGraph } from './onnx-graph.js';
import { shortenSwooshes } from './shorten-swoosh.js';

describe('OnnxGraph', () => {
  it('is undefined for what is no model, and never throws', () => {
    expect(OnnxGraph.parse(Buffer.from('<html>'))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(['object', 'undefined']).toContain(typeof OnnxGraph.parse(bytes));
      }),
    );
  });
});

describeWithModel('OnnxGraph of the real model', (model) => {
  const joinerGraph = async (): Promise<OnnxGraph> => OnnxGraph.parse(await readFile(model.files.joiner))!;
  const encoderGraph = async (): Promise<OnnxGraph> => OnnxGraph.parse(await readFile(model.files.encoder))!;

  it('reads what it wrote as the same', async () => {
    const graph = await encoderGraph();
    const again = OnnxGraph.parse(graph.serialise())!;
    expect(again.nodes).toEqual(graph.nodes);
    expect(Buffer.from(again.serialise()).equals(graph.serialise())).toBe(true);
  });

  it('removes no node whose value somebody else uses', async () => {
    const graph = await joinerGraph();
    const tanh = graph.nodes.find(({ opType }) => opType === 'Tanh')!;
    const before = graph.nodes;
    expect(graph.replace([tanh], [])).toBe(false);
    expect(graph.nodes).toBe(before);
    const [output] = tanh.outputs;
    expect(graph.replace([tanh], [{ opType: 'Sigmoid', inputs: tanh.inputs, output: output! }])).toBe(true);
    expect(graph.producer(output)?.opType).toBe('Sigmoid');
  });

  it('gives no value away that the model gives out', async () => {
    const graph = await joinerGraph();
    const last = graph.nodes.at(-1)!;
    expect(graph.isInner(last.outputs[0]!)).toBe(false);
    expect(graph.replace([last], [])).toBe(false);
  });

  it('finds every activation and every pair of convolutions of the encoder, once', async () => {
    const graph = await encoderGraph();
    const count = (opType: string): number => graph.nodes.filter((node) => node.opType === opType).length;
    expect({ logs: count('Log'), convolutions: count('Conv') }).toEqual({ logs: 34, convolutions: 30 });
    expect(mergeConvolutions(graph)).toBe(12);
    expect(shortenSwooshes(graph, { isGuarded: true })).toBe(34);
    expect({ limits: count('Min'), choices: count('Max') }).toEqual({ limits: 34, choices: 34 });
    // Those of two dimensions stay.
    expect({ logs: count('Log'), convolutions: count('Conv') }).toEqual({ logs: 34, convolutions: 6 });
    expect([mergeConvolutions(graph), shortenSwooshes(graph, { isGuarded: true })]).toEqual([0, 0]);
  });

  it('leaves the guards against overflow out where that is asked for', async () => {
    const graph = await encoderGraph();
    expect(shortenSwooshes(graph, { isGuarded: false })).toBe(34);
    expect(graph.nodes.filter(({ opType }) => opType === 'Min' || opType === 'Max')).toEqual([]);
  });

  it('finds the keys of every layer, and both masks of every layer', async () => {
    const graph = await encoderGraph();
    const count = (opType: string): number => graph.nodes.filter((node) => node.opType === opType).length;
    const masksBefore = count('Where');
    expect([keepKeysInRows(graph), dropChunkMasks(graph)]).toEqual([6, 12]);
    expect([count('FusedMatMul'), masksBefore - count('Where')]).toEqual([6, 12]);
    expect([keepKeysInRows(graph), dropChunkMasks(graph)]).toEqual([0, 0]);
  });

  it('imports the operators of a node that was added, once', async () => {
    const graph = await encoderGraph();
    const [first] = graph.nodes;
    const [output] = first!.outputs;
    const added = { opType: 'Mine', domain: 'org.example', inputs: [], output: output!, int: { size: 3 } };
    expect(graph.replace([first!], [added])).toBe(true);
    const bytes = Buffer.from(graph.serialise());
    const again = Buffer.from(OnnxGraph.parse(bytes)!.serialise());
    expect(again.equals(bytes)).toBe(true);
    // The node names it, and the model imports it.
    expect(bytes.toString('latin1').split('org.example')).toHaveLength(3);
  });

  it('writes quantised products out as products of floats', async () => {
    const graph = await joinerGraph();
    expect(quantisesActivations(graph)).toBe(true);
    expect(dequantiseProducts(graph)).toBe(1);
    expect(quantisesActivations(graph)).toBe(false);
  });
});
