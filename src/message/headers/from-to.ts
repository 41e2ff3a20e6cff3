/** From and To (RFC 3261 §20.20, §20.39) and their tag (§19.3), which an RFC 2543 element may leave out. */
import { defineHeader, type Header } from '../header.ts';
import { param } from '../params.ts';
import { type NameAddr, parseNameAddr, printNameAddr } from './address.ts';

export const From: Header<NameAddr> = defineHeader({
  name: 'From',
  list: false,
  parse: parseNameAddr,
  print: printNameAddr,
});

export const To: Header<NameAddr> = defineHeader({
  name: 'To',
  list: false,
  parse: parseNameAddr,
  print: printNameAddr,
});

/** The tag; `undefined` when there is none (or an empty one, which identifies nobody). */
export function tagOf(address: NameAddr | undefined): string | undefined {
  const tag = address === undefined ? undefined : param(address.params, 'tag');
  return tag === '' ? undefined : tag;
}
