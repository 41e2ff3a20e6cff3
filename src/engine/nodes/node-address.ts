/** The address of a node (NODE_ADDRESS) as it stands in settings, URIs and Vias. */
import type { Via } from '../../message/headers/via.ts';
import type { NodeAddress, NodeSelf } from '../../ports.ts';

/** One run of a node. */
export const nameOf = ({ id, boot }: Pick<NodeSelf, 'id' | 'boot'>): string => `${id} ${boot}`;

export function addressText({ transport, host, port }: NodeAddress): string {
  return `${transport}:${inUri(host)}:${port}`;
}

export function uriOf({ transport, host, port }: NodeAddress, user?: string): string {
  const at = user === undefined ? '' : `${user}@`;
  return `sip:${at}${inUri(host)}:${port};transport=${transport}`;
}

/** Whether a message with this on top was handed to us by that node. */
export function isViaOf({ address }: NodeSelf, via: Via | undefined): boolean {
  return via?.host === inUri(address.host) && via.port === address.port;
}

export function inUri(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
