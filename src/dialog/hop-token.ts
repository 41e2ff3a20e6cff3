/**
 * The signed token in the Route by which nodes of ours hand requests to each other (RFC 3327, RFC 5626 §5.3): it names a
 * flow of the node that the request is for, or the flow of another node that the request came by.
 *
 *     0      version (4 bits), purpose (2), flow kind (2)
 *     1-2    node that has the flow
 *     3-4    hour it was made in, as in token.ts
 *     5-6    listener
 *     then   flow (6, 18 or 7)
 *     then   10 bytes of HMAC-SHA-256 over all this and the Call-ID
 *
 * It never leaves our nodes: who gets it takes it off. Left out: which request it is for, since it says no more than that a
 * node of ours has looked at this call within the hour.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Flow } from '../ports.ts';
import { encodeFlow, flowBytes, flowIdOf, flowKinds, flowReference, readFlow, uint16 } from './flow-reference.ts';
import { ageHours, hourOf } from './token.ts';

export interface Hop {
  /** `over`: send it over this flow of yours. `came-by`: it came by this flow of mine. */
  readonly purpose: 'over' | 'came-by';
  /** `nodeNumber` of the node that has the flow. */
  readonly node: number;
  readonly flowId: Flow['id'];
}

/** Not a version of token.ts: whoever reads one of them is never given the other. */
const version = 9;
const purposes = ['over', 'came-by'] as const satisfies readonly Hop['purpose'][];
const headBytes = 7;
const macBytes = 10;
/** 7 + 18 + 10 bytes. */
const longestHop = 47;
const goodHours = 1;

/** `undefined`: this flow has no short form. */
export function encodeHop(hop: Hop, callId: string, nowMs: number, secret: string): string | undefined {
  const flow = flowReference(hop.flowId);
  if (flow.kind === 'none') return undefined;
  const head = Buffer.alloc(3);
  head.writeUInt8((version << 4) | (purposes.indexOf(hop.purpose) << 2) | flowKinds.indexOf(flow.kind), 0);
  head.writeUInt16BE(hop.node & 0xffff, 1);
  const listener = flow.kind === 'connection' ? 0 : flow.listener;
  const signed = Buffer.concat([head, uint16(hourOf(nowMs)), uint16(listener), encodeFlow(flow)]);
  return Buffer.concat([signed, mac(signed, callId, secret)]).toString('base64url');
}

/** `undefined`: not one of ours, not for this Call-ID, or too old. */
export function decodeHop(text: string, callId: string, nowMs: number, secrets: readonly string[]): Hop | undefined {
  const bytes = Buffer.from(text.length > longestHop ? '' : text, 'base64url');
  if (bytes.length < headBytes + macBytes || bytes.readUInt8(0) >> 4 !== version) return undefined;
  const signed = bytes.subarray(0, -macBytes);
  const signature = bytes.subarray(-macBytes);
  if (!secrets.some((secret) => timingSafeEqual(signature, mac(signed, callId, secret)))) return undefined;
  if (ageHours({ madeAtHour: signed.readUInt16BE(3) }, nowMs) > goodHours) return undefined;
  const first = signed.readUInt8(0);
  const kind = flowKinds[first & 3] ?? 'none';
  const flow = signed.subarray(headBytes);
  const purpose = purposes[(first >> 2) & 3];
  const flowId = flow.length === flowBytes[kind] ? flowIdOf(readFlow(kind, signed.readUInt16BE(5), flow)) : undefined;
  if (flowId === undefined || purpose === undefined) return undefined;
  return { purpose, node: signed.readUInt16BE(1), flowId };
}

function mac(signed: Buffer, callId: string, secret: string): Buffer {
  // The label keeps a signature made for another purpose with the same secret from passing as this one.
  const hmac = createHmac('sha256', secret).update('hop token\n').update(signed);
  return hmac.update(callId, 'latin1').digest().subarray(0, macBytes);
}
