/** What of a graph its outputs depend on. */
import type { Graph, GraphNode } from './graph.ts';

/** The nodes that lead to an output, in the order in which they were built. */
export function neededNodes(graph: Graph): GraphNode[] {
  const needed = new Set(graph.outputs.values());
  const nodes: GraphNode[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!needed.has(node.output)) continue;
    for (const input of node.inputs) needed.add(input);
    nodes.push(node);
  }
  return nodes.reverse();
}
