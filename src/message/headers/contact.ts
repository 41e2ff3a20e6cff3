/** Contact (RFC 3261 §20.10), and its `*` in a REGISTER (§10.2.2), which is read as an address with the URI `*`. */
import { defineHeader, type Header, values } from '../header.ts';
import type { SipMessage } from '../message.ts';
import { type NameAddr, parseNameAddr, printNameAddr } from './address.ts';

const star: NameAddr = { display: undefined, uri: '*', params: [] };

export const Contact: Header<NameAddr> = defineHeader({
  name: 'Contact',
  list: true,
  parse: (value) => (value === '*' ? star : parseNameAddr(value)),
  print: (value) => (value.uri === '*' ? '*' : printNameAddr(value)),
});

/** Whether one of the Contact values is `*`; only alone and with Expires 0 is it right (RFC 3261 §10.3 step 6). */
export function isStar(message: SipMessage): boolean {
  return values(message, Contact).includes('*');
}
