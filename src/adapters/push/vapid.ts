/**
 * Who we are for a push service (RFC 8292): a key pair on P-256, and the signed token that goes with each push.
 */
import { createECDH, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface VapidKeys {
  /** What clients subscribe for: the uncompressed point, in base64url. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

/** RFC 8292 §2: at most 24 hours. */
const tokenSeconds = 12 * 3600;

/** A new private key: 32 bytes in base64url. */
export function newVapidKey(): string {
  const { d = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return d;
}

/** Throws where `d` is no private key of P-256. */
export function vapidKeys(d: string): VapidKeys {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(Buffer.from(d, 'base64url'));
  const point = ecdh.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)];
  const key = { kty: 'EC', crv: 'P-256', d, x: x.toString('base64url'), y: y.toString('base64url') };
  return { publicKey: point.toString('base64url'), privateKey: createPrivateKey({ format: 'jwk', key }) };
}

/** The Authorization header of a push (RFC 8292 §3). `subject`: whom the push service may write to about us. */
export function vapidAuthorization(keys: VapidKeys, endpoint: URL, subject: string, nowMs: number): string {
  const claims = { aud: endpoint.origin, exp: Math.floor(nowMs / 1000) + tokenSeconds, sub: subject };
  const text = `${encoded({ typ: 'JWT', alg: 'ES256' })}.${encoded(claims)}`;
  // RFC 7518 §3.4: the two numbers of the signature side by side, not in DER.
  const signature = sign('sha256', Buffer.from(text), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
  return `vapid t=${text}.${signature.toString('base64url')}, k=${keys.publicKey}`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
