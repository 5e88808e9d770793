/** Training steps that need less memory: the same arithmetic on the same numbers, in another order or once more. */
import { assert } from '@folkmoot/core';
import { Graph, type GraphNode, type Value } from './graph.ts';
import { neededNodes } from './needed.ts';
import { after } from './order.ts';

/**
 * How a training step spends memory. All three give the same bits.
 *
 * - `plain`: the graph as it was built; the engine chooses the order.
 * - `ordered`: the backward pass block by block, weights' gradients included, so that what a block leaves is freed.
 * - `recompute`: also keeps of each block only what enters it, and computes the rest again (Chen et al. 2016).
 */
export type MemoryPlan = 'plain' | 'ordered' | 'recompute';

/**
 * A graph with the same results as `graph`, a training step whose forward part is its first `forward` nodes and marks
 * where its blocks begin and end (`Graph.checkpoint`).
 *
 * Each node is copied unchanged; a node of the backward pass may get copies of its inputs instead of these.
 */
export function withMemoryPlan(graph: Graph, forward: number, plan: MemoryPlan): Graph {
  if (plan === 'plain') return graph;
  return new Rewriting(graph, forward, plan === 'recompute').run();
}

/** What lies between two checkpoints. */
interface Block {
  /** What enters it, in the source. */
  readonly input: Value;
  /** Its nodes that depend on `input`, by their result. */
  readonly inner: ReadonlyMap<Value, GraphNode>;
  /** Results computed again, in the target; empty until the backward pass arrives. */
  readonly again: Map<Value, Value>;
  arrived: boolean;
}

class Rewriting {
  readonly #source: Graph;
  readonly #forward: number;
  readonly #recompute: boolean;
  readonly #target = new Graph();
  /** From the source to the target. */
  readonly #now = new Map<Value, Value>();
  readonly #blockOf = new Map<Value, Block>();
  /** Results in the target that nothing has used yet. */
  readonly #unused = new Set<Value>();

  constructor(source: Graph, forward: number, recompute: boolean) {
    this.#source = source;
    this.#forward = forward;
    this.#recompute = recompute;
    for (const block of blocksOf(source)) for (const value of block.inner.keys()) this.#blockOf.set(value, block);
  }

  run(): Graph {
    for (const [name, value] of this.#source.inputs)
      this.#now.set(value, this.#target.input(name, value.dtype as 'float32' | 'int32', value.shape));
    for (const [value, data] of this.#source.constants) this.#now.set(value, this.#target.constant(data, value.shape));
    const backward = new Set(this.#source.nodes.slice(this.#forward).map(({ output }) => output));
    for (const node of neededNodes(this.#source)) {
      if (!backward.has(node.output)) this.#copy(node, (input) => this.#now.get(input)!);
      else {
        this.#arrive(node, backward);
        this.#copy(node, (input) => this.#forBackward(input));
      }
    }
    for (const [name, value] of this.#source.outputs) this.#target.output(name, this.#now.get(value)!);
    return this.#target;
  }

  /** Before the first use of a block in the backward pass: what was computed so far is done, its memory free. */
  #arrive(node: GraphNode, backward: ReadonlySet<Value>): void {
    for (const block of new Set(node.inputs.map((input) => this.#blockOf.get(input)))) {
      if (!block || block.arrived) continue;
      block.arrived = true;
      const owed = node.inputs.find((input) => backward.has(input) && input.dtype === 'float32');
      assert(owed, 'what a block is used for in the backward pass, its output owes');
      const gate = after(this.#now.get(owed)!, [...this.#unused]);
      this.#unused.clear();
      this.#now.set(owed, gate);
      if (this.#recompute) block.again.set(block.input, after(this.#now.get(block.input)!, [gate]));
    }
  }

  /** What the backward pass uses for a value of the source. */
  #forBackward(value: Value): Value {
    const block = this.#recompute ? this.#blockOf.get(value) : undefined;
    return block ? this.#again(value, block) : this.#now.get(value)!;
  }

  /** A value of `block`, from what entered it. */
  #again(value: Value, block: Block): Value {
    const known = block.again.get(value);
    if (known) return known;
    const node = block.inner.get(value);
    if (!node) return this.#now.get(value)!;
    const inputs = node.inputs.map((input) => this.#again(input, block));
    const result = this.#target.node(node.type, inputs, node.attributes, value.dtype, value.shape);
    block.again.set(value, result);
    return result;
  }

  #copy({ type, inputs, output, attributes }: GraphNode, use: (input: Value) => Value): void {
    const mapped = inputs.map(use);
    const copy = this.#target.node(type, mapped, attributes, output.dtype, output.shape);
    this.#now.set(output, copy);
    for (const input of mapped) this.#unused.delete(input);
    if (copy.dtype === 'float32') this.#unused.add(copy);
  }
}

/** What enters a block and what leaves it stay: only what lies between is worth computing again. */
function blocksOf(graph: Graph): Block[] {
  return graph.checkpoints.slice(1).map((end, i) => {
    const start = graph.checkpoints[i]!;
    const inner = new Map<Value, GraphNode>();
    const depends = new Set([start.value]);
    for (const node of graph.nodes.slice(start.nodes, end.nodes)) {
      if (!node.inputs.some((input) => depends.has(input))) continue;
      depends.add(node.output);
      if (node.output !== end.value) inner.set(node.output, node);
    }
    return { input: start.value, inner, again: new Map(), arrived: false };
  });
}
