/** The other nodes over the same database: who is there, and whether this one is told to be found by them. */
import type { Finding, NodeReport } from '../engine/operations.ts';
import { finding } from './finding.ts';

export interface NodesChecked {
  /** Of the running proxy, this one first; empty where NODE_ADDRESS is not set. */
  readonly nodes: readonly NodeReport[];
}

const lateSeconds = 5;

export function nodeFindings({ nodes }: NodesChecked): readonly Finding[] {
  const [self, ...others] = nodes;
  if (self === undefined) return [];
  const names = others.map(({ id, address }) => `${id} at ${address}`).join(', ');
  const there = others.length === 1 ? '1 other node is' : `${others.length} other nodes are`;
  const alone = 'This is the only node: nobody else is there over this database.';
  const cure = 'Right if it is so; else the others need the same DATABASE_URL, and a NODE_ADDRESS of their own.';
  const late = others.filter(({ silentSeconds }) => silentSeconds >= lateSeconds);
  return [
    others.length === 0
      ? finding('nodes', 'notice', alone, cure)
      : finding('nodes', 'ok', `Others reach this node at ${self.address}; ${there} there: ${names}.`, ''),
    ...late.map(({ id, silentSeconds }) =>
      finding(
        'nodes',
        'warning',
        `Node ${id} has said nothing for ${silentSeconds} s.`,
        'See its log, and its way to the database.',
      ),
    ),
  ];
}
