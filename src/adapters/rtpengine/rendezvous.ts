/**
 * Weighted rendezvous hashing: which node a Call-ID prefers. Every proxy node computes the same order without asking
 * anybody, and a node that goes or comes moves only the calls that were or will be its own.
 */
import { hash } from 'node:crypto';

export interface Weighted {
  readonly id: string;
  readonly weight: number;
}

/** Best first. A node of weight 2 is first for twice as many Call-IDs as one of weight 1; weight 0 comes last. */
export function byPreference<Node extends Weighted>(callId: string, nodes: readonly Node[]): readonly Node[] {
  return nodes
    .map((node) => ({ node, score: score(callId, node) }))
    .sort((a, b) => b.score - a.score)
    .map(({ node }) => node);
}

/** The logarithmic method: -weight / ln(h) with h evenly spread between 0 and 1. */
function score(callId: string, { id, weight }: Weighted): number {
  const digest = hash('sha256', Buffer.from(`${id} ${callId}`, 'latin1'), 'buffer');
  const fraction = (digest.readUIntBE(0, 6) + 1) / (2 ** 48 + 2);
  return -weight / Math.log(fraction);
}
