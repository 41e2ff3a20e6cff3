/**
 * What a push says, for its client alone (RFC 8291): one record of `aes128gcm` (RFC 8188) under a key that is agreed on
 * with the public key of the client's subscription.
 */
import { createCipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import type { PushKeys } from '../../ports.ts';

export interface SenderSecrets {
  readonly salt: Buffer;
  /** Of this message only. */
  readonly privateKey: Buffer;
}

/** RFC 8188 §2: larger than any content that fits into a push. */
const recordSize = 4096;
/** RFC 8188 §2: what follows is padding; this record is the last. */
const lastRecord = Buffer.from([2]);

/** The body of the push. Throws where the keys of the client are none. `secrets`: as in the example of RFC 8291 §5. */
export function encrypted(content: Buffer, { p256dh, auth }: PushKeys, secrets = newSecrets()): Buffer {
  const client = Buffer.from(p256dh, 'base64url');
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(secrets.privateKey);
  const own = ecdh.getPublicKey();
  const shared = ecdh.computeSecret(client);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), client, own]);
  const keying = derived(shared, Buffer.from(auth, 'base64url'), info, 32);
  const key = derived(keying, secrets.salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = derived(keying, secrets.salt, Buffer.from('Content-Encoding: nonce\0'), 12);
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  const record = [cipher.update(content), cipher.update(lastRecord), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat([headerOf(secrets.salt, own), ...record]);
}

function newSecrets(): SenderSecrets {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  return { salt: randomBytes(16), privateKey: ecdh.getPrivateKey() };
}

function derived(secret: Buffer, salt: Buffer, info: Buffer, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, bytes));
}

/** RFC 8188 §2.1; the key id is our public key of this message (RFC 8291 §4). */
function headerOf(salt: Buffer, own: Buffer): Buffer {
  const sizes = Buffer.alloc(5);
  sizes.writeUInt32BE(recordSize, 0);
  sizes.writeUInt8(own.length, 4);
  return Buffer.concat([salt, sizes, own]);
}
