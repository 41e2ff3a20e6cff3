/**
 * The via-branch that we give rtpengine for each branch of a call: a cluster mark and our own Via branch parameter.
 *
 * rtpengine shows it per leg in `query`, so whoever looks at a relay sees which cluster a call belongs to, and a node
 * that restarts can tell its cluster's calls from those of others.
 */

/** Neither a branch parameter nor a mark contains it (both are SIP tokens, RFC 3261 §25.1). */
const separator = '/';

export function viaBranch(mark: string, branch: string): string {
  return `${mark}${separator}${branch}`;
}

export function isOurs(mark: string, viaBranch: string): boolean {
  return viaBranch.startsWith(`${mark}${separator}`);
}
