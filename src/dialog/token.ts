/**
 * The signed token in the user part of our Record-Route (DESIGN §5): with no dialog record left, as after a restart,
 * it is enough to route a request of the dialog. Where there is a record, the record rules and the token only hints.
 *
 *     0      keys beside plain RTP at the caller (1 bit), at the callee (1), version (2), media of the caller (2), of the
 *            callee (2)
 *     1-3    hash of the caller's tag, which gives the direction of a request
 *     4-5    node
 *     6      pass: Max-Forwards as it came, which tells two passes of one call through us apart
 *     7-8    hour it was made in, since 1970, modulo 65536
 *     9      flow kind of the caller (2 bits), has binding (1), has target (1); the same of the callee
 *     then   caller, callee: listener (2), flow (0, 6, 18 or 7), binding key hash (5) or target hash (5) if any
 *     then   10 bytes of HMAC-SHA-256 over all this and the Call-ID
 *
 * At most 60 bytes, 80 characters of base64url; typically 54.
 * Left out: encryption. A token names addresses that the other side's Via and Contact show as well.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { parseUri, uriKey } from '../message/uri.ts';
import type { Flow, MediaKind } from '../ports.ts';
import {
  encodeFlow,
  type FlowReference,
  flowBytes,
  flowIdOf,
  flowKinds,
  flowReference,
  readFlow,
  uint16,
} from './flow-reference.ts';

export interface TokenSide {
  /** `undefined`: not known when the Record-Route was written. */
  readonly media: MediaKind | undefined;
  /** Index of the listener on its side. A UDP flow brings its own, which then counts. */
  readonly listener: number;
  readonly flowId: Flow['id'] | undefined;
  /** `bindingKeyHash` of a registered side: finds the binding after its connection is gone. */
  readonly bindingKeyHash: string | undefined;
  /** `targetHash` of a side that has neither: the one place where it may be reached. */
  readonly targetHash: string | undefined;
}

export interface TokenFields {
  /** `tagHash` of the tag in the caller's From. */
  readonly callerTagHash: string;
  /** `nodeNumber` of the node that wrote the token. */
  readonly node: number;
  /** Max-Forwards of the request that it was made for: a call that passes us twice (a spiral) has two tokens. */
  readonly pass: number;
  /** `hourOf` when it was made. */
  readonly madeAtHour: number;
  readonly caller: TokenSide;
  readonly callee: TokenSide;
}

export const longestToken = 80;

const version = 2;
const headBytes = 10;
const macBytes = 10;
/** Of a binding key or of a target. */
const nameBytes = 5;
/** Two bits: OSRTP is plain RTP with a bit of its own, where older tokens have none. */
const mediaKinds = [undefined, 'webrtc', 'rtp', 'sdes'] as const satisfies readonly (MediaKind | undefined)[];

export function encodeToken(fields: TokenFields, callId: string, secret: string): string {
  const caller = encodeSide(fields.caller);
  const callee = encodeSide(fields.callee);
  const head = Buffer.alloc(headBytes);
  const keys = (hasKeys(fields.caller) << 1) | hasKeys(fields.callee);
  head.writeUInt8((keys << 6) | (version << 4) | (mediaBits(fields.caller) << 2) | mediaBits(fields.callee), 0);
  head.write(fields.callerTagHash, 1, 3, 'hex');
  head.writeUInt16BE(fields.node & 0xffff, 4);
  head.writeUInt8(fields.pass & 0xff, 6);
  head.writeUInt16BE(fields.madeAtHour & 0xffff, 7);
  head.writeUInt8((caller.bits << 4) | callee.bits, 9);
  const signed = Buffer.concat([head, caller.bytes, callee.bytes]);
  return Buffer.concat([signed, mac(signed, callId, secret)]).toString('base64url');
}

/** `undefined`: not a token of ours, or not for this Call-ID. Any of `secrets` may have signed it (an old one, say). */
export function decodeToken(text: string, callId: string, secrets: readonly string[]): TokenFields | undefined {
  const bytes = tokenBytes(text);
  if (bytes === undefined) return undefined;
  const signed = bytes.subarray(0, -macBytes);
  const signature = bytes.subarray(-macBytes);
  if (!secrets.some((secret) => timingSafeEqual(signature, mac(signed, callId, secret)))) return undefined;
  return readFields(signed);
}

/** Who sends a request with this From tag, in a dialog of this token. */
export function directionOf(token: TokenFields, fromTag: string): 'from-caller' | 'from-callee' {
  return token.callerTagHash === tagHash(fromTag) ? 'from-caller' : 'from-callee';
}

export function tagHash(tag: string): string {
  return sha256Hex(tag).slice(0, 6);
}

export function hourOf(nowMs: number): number {
  return Math.floor(nowMs / 3_600_000) & 0xffff;
}

/** Whole hours since it was made; one of a node whose clock is a little ahead is as new. */
export function ageHours(token: Pick<TokenFields, 'madeAtHour'>, nowMs: number): number {
  return Math.max(0, ((hourOf(nowMs) - token.madeAtHour + 1) & 0xffff) - 1);
}

/** Stands for the URI that requests to a side are sent to: its first Route, else its remote target. */
export function targetHash(uri: string): string {
  const parsed = parseUri(uri);
  return sha256Hex(parsed === undefined ? uri : uriKey(parsed)).slice(0, 2 * nameBytes);
}

/** Finds a binding without naming it; the database computes the same (`LocationStore.byKeyHash`). */
export function bindingKeyHash(aor: string, key: string): string {
  return sha256Hex(`${aor}\n${key}`).slice(0, 2 * nameBytes);
}

/** A node id as two bytes; of a few nodes hardly two share one, and the record names the node itself. */
export function nodeNumber(node: string): number {
  return Number.parseInt(sha256Hex(node).slice(0, 4), 16);
}

// --- one side --------------------------------------------------------------------------------------------------------

function encodeSide(side: TokenSide): { readonly bits: number; readonly bytes: Buffer } {
  const flow = flowReference(side.flowId);
  const binding = bindingOf(side, flow);
  const target = flow.kind === 'none' && binding === undefined ? side.targetHash : undefined;
  const listener = flow.kind === 'udp4' || flow.kind === 'udp6' ? flow.listener : side.listener;
  const named = (binding === undefined ? 0 : hasBinding) | (target === undefined ? 0 : hasTarget);
  const name = Buffer.from(binding ?? target ?? '', 'hex');
  const bytes = Buffer.concat([uint16(listener), encodeFlow(flow), name]);
  return { bits: (flowKinds.indexOf(flow.kind) << 2) | named, bytes };
}

const hasBinding = 2;
const hasTarget = 1;

function bindingOf(side: TokenSide, flow: FlowReference): string | undefined {
  // Two IPv6 addresses and two hashes would not fit; a UDP flow outlives our restart, so it needs its binding least.
  return flow.kind === 'udp6' ? undefined : side.bindingKeyHash;
}

function readFields(bytes: Buffer): TokenFields | undefined {
  const first = bytes.readUInt8(0);
  if (((first >> 4) & 3) !== version) return undefined;
  const kinds = bytes.readUInt8(9);
  const caller = readSide(bytes, headBytes, kinds >> 4, mediaOf(first >> 2, first >> 7));
  const callee = caller && readSide(bytes, caller.end, kinds, mediaOf(first, first >> 6));
  if (caller === undefined || callee === undefined || callee.end !== bytes.length) return undefined;
  return {
    callerTagHash: bytes.toString('hex', 1, 4),
    node: bytes.readUInt16BE(4),
    pass: bytes.readUInt8(6),
    madeAtHour: bytes.readUInt16BE(7),
    caller: caller.side,
    callee: callee.side,
  };
}

type ReadSide = { readonly side: TokenSide; readonly end: number };

function readSide(bytes: Buffer, start: number, bits: number, media: TokenSide['media']): ReadSide | undefined {
  const kind = flowKinds[(bits >> 2) & 3] ?? 'none';
  const flowEnd = start + 2 + flowBytes[kind];
  const named = bits & (hasBinding | hasTarget);
  const end = flowEnd + (named === 0 ? 0 : nameBytes);
  if (end > bytes.length) return undefined;
  const listener = bytes.readUInt16BE(start);
  const flowId = flowIdOf(readFlow(kind, listener, bytes.subarray(start + 2, flowEnd)));
  const name = bytes.toString('hex', flowEnd, end);
  const names = {
    bindingKeyHash: named & hasBinding ? name : undefined,
    targetHash: named & hasTarget ? name : undefined,
  };
  return { side: { media, listener, flowId, ...names }, end };
}

// --- bytes -----------------------------------------------------------------------------------------------------------

function tokenBytes(text: string): Buffer | undefined {
  if (text.length > longestToken) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // The decoder skips foreign characters and ignores spare bits: only the one spelling that we write is accepted.
  if (bytes.length < headBytes + macBytes || bytes.toString('base64url') !== text) return undefined;
  return bytes;
}

function mac(signed: Buffer, callId: string, secret: string): Buffer {
  // The label keeps a signature made for another purpose with the same secret from passing as ours.
  const hmac = createHmac('sha256', secret).update('dialog token\n').update(signed);
  return hmac.update(callId, 'latin1').digest().subarray(0, macBytes);
}

function mediaBits(side: TokenSide): number {
  return mediaKinds.indexOf(side.media === 'osrtp' ? 'rtp' : side.media);
}

function hasKeys(side: TokenSide): number {
  return side.media === 'osrtp' ? 1 : 0;
}

function mediaOf(bits: number, keys: number): TokenSide['media'] {
  const kind = mediaKinds[bits & 3];
  return kind === 'rtp' && (keys & 1) === 1 ? 'osrtp' : kind;
}

function sha256Hex(text: string): string {
  return hash('sha256', Buffer.from(text, 'latin1'), 'hex');
}
