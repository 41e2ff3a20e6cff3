/**
 * The four headers of authentication (RFC 3261 §20.7, §20.28, §20.44, §20.27): a scheme and parameters between commas.
 *
 * Their commas separate parameters, so they are no lists; several challenges are several lines (§7.3.1).
 * Left out: what the parameters mean and every hash (src/auth).
 */
import { trim } from '../ascii.ts';
import { TOKEN } from '../grammar.ts';
import { defineHeader, type Header } from '../header.ts';
import { splitOutside } from '../list.ts';
import { type Params, parsePieces } from '../params.ts';

export interface Credentials {
  /** As received; compare without case. */
  readonly scheme: string;
  /** Quoted values keep their quotes. */
  readonly params: Params;
}

const syntax = new RegExp(`^(${TOKEN})[ \\t]+(.+)$`, 's');

function parseCredentials(text: string): Credentials | undefined {
  const [, scheme, rest] = syntax.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  const params = parsePieces(splitOutside(trim(rest), ','));
  return params === undefined ? undefined : { scheme, params };
}

function printCredentials(value: Credentials): string {
  const params = value.params.map(([name, text]) => (text === undefined ? name : `${name}=${text}`));
  return `${value.scheme} ${params.join(', ')}`;
}

const credentials = (name: string): Header<Credentials> =>
  defineHeader({ name, list: false, parse: parseCredentials, print: printCredentials });

export const Authorization = credentials('Authorization');
export const ProxyAuthorization = credentials('Proxy-Authorization');
export const WWWAuthenticate = credentials('WWW-Authenticate');
export const ProxyAuthenticate = credentials('Proxy-Authenticate');
