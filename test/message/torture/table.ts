/**
 * What a proxy and registrar does with each torture message (RFC 4475, RFC 5118).
 *
 * `user` is registered here, example.com and [2001:db8::10]:5060 are ours, every sender is trusted
 * where a row does not say otherwise. A message with a To tag and no token of ours belongs to no call (DESIGN law 10).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Torture {
  /** Folder and file. */
  readonly file: string;
  /** RFC and section. */
  readonly section: string;
  readonly what: string;
  /** The parser takes it, answers it with this status, or finds nobody to answer. */
  readonly parsed: 'taken' | 400 | 505 | 'unanswerable';
  /** The status that its sender gets, or where it goes. */
  readonly outcome: number | 'forwarded' | 'dropped';
  readonly untrusted?: true;
}

const rfc4475: readonly (readonly [string, string, string, Torture['parsed'], Torture['outcome']])[] = [
  ['wsinv', '3.1.1.1', 'a short tortuous INVITE', 'taken', 481],
  ['intmeth', '3.1.1.2', 'a wide range of valid characters', 'taken', 404],
  ['esc01', '3.1.1.3', 'valid use of the % escaping mechanism', 'taken', 'forwarded'],
  ['escnull', '3.1.1.4', 'escaped nulls in URIs', 'taken', 200],
  ['esc02', '3.1.1.5', 'use of % when it is not an escape', 'taken', 'forwarded'],
  ['lwsdisp', '3.1.1.6', 'no LWS between display name and <', 'taken', 'forwarded'],
  ['longreq', '3.1.1.7', 'long values in header fields', 'taken', 'forwarded'],
  ['dblreq', '3.1.1.8', 'extra trailing octets in a UDP datagram', 'taken', 200],
  ['semiuri', '3.1.1.9', 'semicolon-separated parameters in the user part', 'taken', 404],
  ['transports', '3.1.1.10', 'varied and unknown transport types', 'taken', 'forwarded'],
  ['mpart01', '3.1.1.11', 'a multipart MIME message', 'taken', 'forwarded'],
  ['unreason', '3.1.1.12', 'an unusual reason phrase', 'taken', 'dropped'],
  ['noreason', '3.1.1.13', 'an empty reason phrase', 'taken', 'dropped'],
  ['badinv01', '3.1.2.1', 'extraneous header field separators', 'unanswerable', 'dropped'],
  ['clerr', '3.1.2.2', 'a Content-Length larger than the message', 400, 400],
  ['ncl', '3.1.2.3', 'a negative Content-Length', 400, 400],
  ['scalar02', '3.1.2.4', 'a request with overlarge scalar values', 400, 400],
  ['scalarlg', '3.1.2.5', 'a response with overlarge scalar values', 'unanswerable', 'dropped'],
  ['quotbal', '3.1.2.6', 'an unterminated quoted string in a display name', 400, 400],
  ['ltgtruri', '3.1.2.7', '<> enclosing the Request-URI', 400, 400],
  ['lwsruri', '3.1.2.8', 'LWS within the Request-URI', 400, 400],
  ['lwsstart', '3.1.2.9', 'multiple SP separating the elements of the Request-Line', 400, 400],
  ['trws', '3.1.2.10', 'SP characters at the end of the Request-Line', 400, 400],
  ['escruri', '3.1.2.11', 'escaped headers in the Request-URI', 'taken', 'forwarded'],
  ['baddate', '3.1.2.12', 'an invalid time zone in a Date header field', 'taken', 'forwarded'],
  ['regbadct', '3.1.2.13', 'a name-addr URI that is not enclosed in <>', 'taken', 400],
  ['badaspec', '3.1.2.14', 'spaces within an addr-spec', 400, 400],
  ['baddn', '3.1.2.15', 'non-token characters in a display name', 400, 400],
  ['badvers', '3.1.2.16', 'an unknown protocol version', 505, 505],
  ['mismatch01', '3.1.2.17', 'start line and CSeq method mismatch', 400, 400],
  ['mismatch02', '3.1.2.18', 'an unknown method with a CSeq method mismatch', 400, 400],
  ['bigcode', '3.1.2.19', 'an overlarge response code', 'unanswerable', 'dropped'],
  ['badbranch', '3.2.1', 'a missing transaction identifier', 'taken', 'forwarded'],
  ['insuf', '3.3.1', 'missing required header fields', 400, 400],
  ['unkscm', '3.3.2', 'a Request-URI with an unknown scheme', 'taken', 416],
  ['novelsc', '3.3.3', 'a Request-URI with a known but atypical scheme', 'taken', 416],
  ['unksm2', '3.3.4', 'unknown URI schemes in header fields', 'taken', 404],
  ['bext01', '3.3.5', 'unknown Proxy-Require and Require', 'taken', 420],
  ['invut', '3.3.6', 'an unknown Content-Type', 'taken', 'forwarded'],
  ['regaut01', '3.3.7', 'an unknown authorization scheme', 'taken', 401],
  ['multi01', '3.3.8', 'multiple values in single-value required fields', 400, 400],
  ['mcl01', '3.3.9', 'multiple Content-Length values', 400, 400],
  ['bcast', '3.3.10', 'a 200 OK response with a broadcast Via header field value', 'taken', 'dropped'],
  ['zeromf', '3.3.11', 'Max-Forwards of zero', 'taken', 483],
  ['cparam01', '3.3.12', 'REGISTER with a contact header parameter', 'taken', 200],
  ['cparam02', '3.3.13', 'REGISTER with a URL parameter', 'taken', 200],
  ['regescrt', '3.3.14', 'REGISTER with a URL escaped header', 'taken', 200],
  ['sdp01', '3.3.15', 'an unacceptable Accept offering', 'taken', 'forwarded'],
  ['inv2543', '3.4.1', 'an INVITE with RFC 2543 syntax', 'taken', 'forwarded'],
];

const rfc5118: readonly (readonly [string, string, string, Torture['parsed'], Torture['outcome']])[] = [
  ['reference', '4.1', 'an IPv6 reference', 'taken', 200],
  ['no-brackets', '4.2', 'an IPv6 address without brackets', 'taken', 400],
  ['port-inside', '4.3', 'a port inside of the brackets: another address, and To says whose binding', 'taken', 200],
  ['port-outside', '4.4', 'a port outside of the brackets', 'taken', 200],
  ['received-brackets', '4.5', 'brackets in the received parameter of Via', 'taken', 481],
  ['received-plain', '4.5', 'no brackets in the received parameter of Via', 'taken', 200],
  ['sdp', '4.6', 'IPv6 addresses in SDP', 'taken', 'forwarded'],
  ['mixed-via', '4.7', 'Via values of both families', 'taken', 481],
  ['mixed-sdp', '4.8', 'media of both families in SDP', 'taken', 'forwarded'],
  ['mapped', '4.9', 'IPv4-mapped IPv6 addresses', 'taken', 'forwarded'],
  ['three-colons', '4.10', 'three colons, which the grammar of RFC 3261 allows: no address', 'taken', 404],
  ['embedded-ipv4', '4.10', 'an IPv4 address embedded in an IPv6 address', 'taken', 'forwarded'],
];

const untrusted = new Set(['regaut01']);

export const torture: readonly Torture[] = [
  ...rfc4475.map((row) => torturing('rfc4475', 'RFC 4475', row)),
  ...rfc5118.map((row) => torturing('rfc5118', 'RFC 5118', row)),
];

function torturing(
  folder: string,
  rfc: string,
  [name, section, what, parsed, outcome]: (typeof rfc4475)[number],
): Torture {
  const row = { file: `${folder}/${name}.dat`, section: `${rfc} §${section}`, what, parsed, outcome };
  return untrusted.has(name) ? { ...row, untrusted: true } : row;
}

export function textOf({ file }: Torture): string {
  return readFileSync(join(import.meta.dirname, file), 'latin1');
}

/** Every message that there is, so that a test sees when one is left out of the table. */
export function allFiles(): readonly string[] {
  return ['rfc4475', 'rfc5118'].flatMap((folder) =>
    readdirSync(join(import.meta.dirname, folder)).map((name) => `${folder}/${name}`),
  );
}
