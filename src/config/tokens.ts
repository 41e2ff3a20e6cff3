/** The settings of logins by the tokens of an identity server (JSON Web Tokens, RFC 8898). */
import { isIP } from 'node:net';
import type { Setting } from './setting.ts';
import * as value from './values.ts';

export interface TokenSettings {
  /** An absolute path, or a URL; `undefined`: no tokens are taken. */
  readonly jwtKeys: string | undefined;
  /** With `jwtKeys` always. */
  readonly jwtIssuer: string | undefined;
  /** With `jwtKeys` at least one. */
  readonly jwtAudiences: readonly string[];
  readonly jwtClaim: string;
}

type Table = { readonly [Field in keyof TokenSettings]: Setting<TokenSettings[Field]> };

/** Relative paths begin at the folder. */
export function tokenTable(folder: string): Table {
  return {
    jwtKeys: {
      name: 'JWT_KEYS',
      unit: 'https URL or file',
      help: 'The public keys (JWKS) of the identity server whose tokens browsers may log in with; JWT_ISSUER and JWT_AUDIENCE belong to it.',
      example: 'https://id.example.com/.well-known/jwks.json',
      byDefault: 'none: no token is taken',
      otherwise: undefined,
      parse: keys(folder),
      // It may have a password in it, which is refused.
      secret: true,
    },
    jwtIssuer: {
      name: 'JWT_ISSUER',
      unit: 'text',
      help: 'What must stand in the iss of a token, to the letter.',
      example: 'https://id.example.com/',
      byDefault: 'none',
      otherwise: undefined,
      parse: printable,
    },
    jwtAudiences: {
      name: 'JWT_AUDIENCE',
      unit: 'words',
      help: 'One of these must stand in the aud of a token, so that one for another application opens nothing here.',
      example: 'sip.example.com',
      byDefault: 'none',
      otherwise: [],
      parse: (text) => value.words(printable(text)),
    },
    jwtClaim: {
      name: 'JWT_CLAIM',
      unit: 'name',
      help: 'The claim of a token that names the account: alice@example.com, or alice of the first domain.',
      example: 'preferred_username',
      byDefault: 'sub',
      otherwise: 'sub',
      parse: printable,
    },
  };
}

function keys(folder: string): (text: string) => string {
  return (text) => {
    if (!/^[a-z][a-z\d+.-]*:\/\//i.test(text)) return value.pathIn(folder)(text);
    const url = URL.canParse(text) ? new URL(text) : undefined;
    // Who can answer for another host gives out keys of his own.
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isOwnHost(url.hostname));
    if (url === undefined || !isSafe) throw new value.BadValue('it is neither an https URL nor a file');
    if (url.username !== '' || url.password !== '') throw new value.BadValue('it has a password in it');
    return url.href;
  };
}

function isOwnHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
}

function printable(text: string): string {
  if (!/^[\x20-\x7e]{1,255}$/.test(text)) throw new value.BadValue('it has other characters than those of ASCII');
  return text;
}
