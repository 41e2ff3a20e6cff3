/**
 * The user part of a temporary GRUU (RFC 5627 §5.4, as Appendix A.2 suggests, without its table): what it names, enciphered,
 * so that nobody else learns account or device from it, or that two of them are of one device.
 *
 *     0-11   tag: HMAC-SHA-256 over the host and what follows, in clear
 *     then, enciphered by AES-256 in counter mode that begins at the tag:
 *     0      version (4 bits), the device is a UUID (1), 0
 *     1-4    CSeq of the REGISTER that it was given for
 *     5-9    hash of its Call-ID
 *     then   the device: 16 bytes of a UUID, else length (1) and text
 *     then   the user of the AOR: length (1) and text; zeros, up to 48 or a larger number of 16
 *
 * The tag takes the place of a random beginning, as in RFC 5297: the same REGISTER gives the same text at any time. 80
 * characters for a UUID and a user of up to 21 bytes; never more than `longestTemporary`.
 */
import { createCipheriv, createHmac, hash, timingSafeEqual } from 'node:crypto';

export interface TemporaryNames {
  /** Of the AOR. */
  readonly user: string;
  readonly host: string;
  /** The instance id in lower case, without its angle brackets. */
  readonly device: string;
  readonly registrationHash: string;
  readonly cseq: number;
}

const version = 1;
const tagBytes = 12;
const headBytes = 10;
const hashBytes = 5;
const blockBytes = 16;
/** Of the user and of the device: longer ones have no temporary GRUU. */
const longestName = 128;
const isUuidBit = 8;
const uuidSyntax = /^urn:uuid:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;
const mostBytes = tagBytes + padded(headBytes + 2 * (1 + longestName));

export const longestTemporary = Math.ceil((mostBytes * 4) / 3);

/** `undefined`: a name is too long. */
export function encodeTemporary(names: TemporaryNames, secret: string): string | undefined {
  if (names.user.length > longestName || names.device.length > longestName) return undefined;
  const clear = clearOf(names);
  const tag = tagOf(clear, names.host, secret);
  return Buffer.concat([tag, cipher(clear, tag, secret)]).toString('base64url');
}

/** `undefined`: none of ours, or of another host. Any of `secrets` may have made it (an old one, say). */
export function decodeTemporary(
  text: string,
  host: string,
  secrets: readonly string[],
): Omit<TemporaryNames, 'host'> | undefined {
  if (text.length > longestTemporary) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // The decoder skips foreign characters: only the one spelling that we write is accepted.
  if (bytes.length < tagBytes + blockBytes || bytes.toString('base64url') !== text) return undefined;
  const tag = bytes.subarray(0, tagBytes);
  for (const secret of secrets) {
    const clear = cipher(bytes.subarray(tagBytes), tag, secret);
    if (timingSafeEqual(tagOf(clear, host, secret), tag)) return namesIn(clear);
  }
  return undefined;
}

/** Stands for one registration of a device: what it sends under one Call-ID. */
export function registrationHash(callId: string): string {
  return hash('sha256', Buffer.from(callId, 'latin1'), 'hex').slice(0, 2 * hashBytes);
}

function clearOf({ user, device, registrationHash: registration, cseq }: TemporaryNames): Buffer {
  const [, uuid] = uuidSyntax.exec(device) ?? [];
  const head = Buffer.alloc(headBytes);
  head.writeUInt8((version << 4) | (uuid === undefined ? 0 : isUuidBit), 0);
  head.writeUInt32BE(cseq >>> 0, 1);
  head.write(registration, 5, hashBytes, 'hex');
  const name = uuid === undefined ? withLength(device) : Buffer.from(uuid.replaceAll('-', ''), 'hex');
  const clear = Buffer.concat([head, name, withLength(user)]);
  return Buffer.concat([clear], padded(clear.length));
}

function namesIn(clear: Buffer): Omit<TemporaryNames, 'host'> | undefined {
  const first = clear.readUInt8(0);
  if (first >> 4 !== version) return undefined;
  const device = (first & isUuidBit) === 0 ? textAt(clear, headBytes) : uuidAt(clear, headBytes);
  const { text: user } = textAt(clear, device.end);
  const registration = clear.toString('hex', 5, headBytes);
  return { user, device: device.text, registrationHash: registration, cseq: clear.readUInt32BE(1) };
}

interface Read {
  readonly text: string;
  readonly end: number;
}

// Signed by us, so the lengths are right.
function textAt(clear: Buffer, start: number): Read {
  const end = start + 1 + clear.readUInt8(start);
  return { text: clear.toString('latin1', start + 1, end), end };
}

function uuidAt(clear: Buffer, start: number): Read {
  const end = start + 16;
  const text = clear.toString('hex', start, end).replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, 'urn:uuid:$1-$2-$3-$4-$5');
  return { text, end };
}

function withLength(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
}

/** The length says little of a name then, and nothing of a usual one. */
function padded(length: number): number {
  return Math.max(3, Math.ceil(length / blockBytes)) * blockBytes;
}

/** One way and back. */
function cipher(bytes: Buffer, tag: Buffer, secret: string): Buffer {
  const start = Buffer.concat([tag], blockBytes);
  const key = createHmac('sha256', secret).update('temporary GRUU key').digest();
  return createCipheriv('aes-256-ctr', key, start).update(bytes);
}

function tagOf(clear: Buffer, host: string, secret: string): Buffer {
  // The label keeps what was signed for another purpose with the same secret from passing as ours.
  const hmac = createHmac('sha256', secret).update('temporary GRUU\n').update(`${host}\n`, 'latin1').update(clear);
  return hmac.digest().subarray(0, tagBytes);
}
