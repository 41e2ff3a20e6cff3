/**
 * STUN Binding (RFC 5389 §6, §15.2) on the SIP port: the keep-alive of RFC 5626 §3.5.2 and §4.4.2.
 *
 * Left out: authentication, attributes of the request, and every other method; nothing of them keeps a flow alive.
 */
import type { SocketAddress } from '../../ports.ts';
import { addressBytes } from './addresses.ts';

const headerBytes = 20;
const magicCookie = 0x2112a442;
const bindingRequest = 0x0001;
const bindingSuccess = 0x0101;
const xorMappedAddress = 0x0020;

/** RFC 5389 §6: two zero bits first, and the magic cookie; no SIP message begins so. */
export function isStun(packet: Buffer): boolean {
  return packet.length >= headerBytes && packet.readUInt8(0) <= 1 && packet.readUInt32BE(4) === magicCookie;
}

/** The answer to a Binding request; `undefined` for any other STUN message. */
export function answerStun(packet: Buffer, source: SocketAddress): Buffer | undefined {
  if (packet.readUInt16BE(0) !== bindingRequest || packet.readUInt16BE(2) !== packet.length - headerBytes)
    return undefined;
  const attribute = mappedAddress(packet, source);
  const answer = Buffer.alloc(headerBytes + attribute.length);
  answer.writeUInt16BE(bindingSuccess, 0);
  answer.writeUInt16BE(attribute.length, 2);
  packet.copy(answer, 4, 4, headerBytes);
  attribute.copy(answer, headerBytes);
  return answer;
}

/** RFC 5389 §15.2: port and address are XORed with cookie and transaction id, so that no NAT rewrites them. */
function mappedAddress(packet: Buffer, source: SocketAddress): Buffer {
  const address = addressBytes(source.address);
  const attribute = Buffer.alloc(8 + address.length);
  attribute.writeUInt16BE(xorMappedAddress, 0);
  attribute.writeUInt16BE(4 + address.length, 2);
  attribute.writeUInt8(address.length === 4 ? 1 : 2, 5);
  attribute.writeUInt16BE(source.port ^ (magicCookie >>> 16), 6);
  address.forEach((byte, at) => {
    attribute.writeUInt8(byte ^ packet.readUInt8(4 + at), 8 + at);
  });
  return attribute;
}
