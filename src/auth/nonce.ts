/**
 * Nonces that prove themselves (RFC 7616 §3.3): time, node, boot and random bytes under an HMAC, so that none is stored
 * until a right password comes with it.
 *
 * A nonce of another boot is `unknown`, also when its signature is right: which of its counts were used died with that
 * process. Left out: counting (nonce-window.ts), the challenge (digest.ts).
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface NonceOwner {
  readonly node: string;
  readonly boot: string;
}

/** How long a nonce is good for; the client then gets stale=true and goes on with the next. */
export const defaultNonceWindowMs = 300_000;

const timeBytes = 6;
const ownerBytes = 4;
const signedBytes = timeBytes + ownerBytes + 6;
const macBytes = 12;

/** `random`: hex, 6 bytes count. */
export function createNonce(secret: string, nowMs: number, owner: NonceOwner, random: string): string {
  const signed = Buffer.alloc(signedBytes);
  signed.writeUIntBE(nowMs, 0, timeBytes);
  ownerMark(owner).copy(signed, timeBytes);
  signed.write(random.slice(0, 12), timeBytes + ownerBytes, 'hex');
  return Buffer.concat([signed, mac(signed, secret)]).toString('base64url');
}

/** `stale`: ours but too old. `unknown`: not ours, or of another boot. Both are answered with stale=true. */
export function checkNonce(
  nonce: string,
  secrets: readonly string[],
  nowMs: number,
  owner: NonceOwner,
  windowMs = defaultNonceWindowMs,
): 'valid' | 'stale' | 'unknown' {
  const bytes = Buffer.from(nonce, 'base64url');
  // Several spellings decode to the same bytes; each would count as a nonce of its own.
  if (bytes.length !== signedBytes + macBytes || bytes.toString('base64url') !== nonce) return 'unknown';
  const signed = bytes.subarray(0, signedBytes);
  const signature = bytes.subarray(signedBytes);
  if (!secrets.some((secret) => timingSafeEqual(signature, mac(signed, secret)))) return 'unknown';
  if (!signed.subarray(timeBytes, timeBytes + ownerBytes).equals(ownerMark(owner))) return 'unknown';
  return nonceTimeMs(nonce) + windowMs > nowMs ? 'valid' : 'stale';
}

/** When a nonce that passed `checkNonce` was made. */
export function nonceTimeMs(nonce: string): number {
  const bytes = Buffer.from(nonce, 'base64url');
  return bytes.length < timeBytes ? 0 : bytes.readUIntBE(0, timeBytes);
}

function ownerMark(owner: NonceOwner): Buffer {
  return createHash('sha256').update(`${owner.node}\n${owner.boot}`, 'latin1').digest().subarray(0, ownerBytes);
}

function mac(signed: Buffer, secret: string): Buffer {
  // The label keeps a signature made for another purpose with the same secret from passing as ours.
  return createHmac('sha256', secret).update('digest nonce\n').update(signed).digest().subarray(0, macBytes);
}
