/**
 * Header names (RFC 3261 §7.3.1, §7.3.3): any spelling and the compact forms to the long name in lower case.
 *
 * The usual spellings are looked up; only unusual ones are folded and checked. Left out: what a header means.
 */
import { lower, trim } from './ascii.ts';
import { isToken } from './grammar.ts';

const usual = `Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authorization Call-ID
  Call-Info Contact Content-Disposition Content-Encoding Content-Language Content-Length Content-Type CSeq Date Event
  Expires Flow-Timer From Identity Max-Breadth Max-Forwards MIME-Version Min-Expires Min-SE P-Asserted-Identity
  P-Preferred-Identity Path Priority Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason
  Record-Route Refer-To Referred-By Replaces Require Retry-After Route RSeq Server Service-Route Session-Expires
  SIP-ETag SIP-If-Match Subject Subscription-State Supported Timestamp To Unsupported User-Agent Via Warning
  WWW-Authenticate`;

/** Compact forms: RFC 3261 §20 and the registry that followed (RFC 3515, 3841, 3892, 4028, 6665, 8224). */
const compact: readonly (readonly [string, string])[] = [
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
];

const known = new Map<string, string>([
  ...usual.split(/\s+/).map((name) => [name, lower(name)] as const),
  ...compact,
  ...compact.map(([short, long]) => [short.toUpperCase(), long] as const),
]);

/** `undefined` when the text is no token (RFC 3261 §25.1 header-name). Blanks before the colon are allowed (HCOLON). */
export function longName(text: string): string | undefined {
  const found = known.get(text);
  if (found !== undefined) return found;
  const name = lower(trim(text));
  return isToken(name) ? (compactForms.get(name) ?? name) : undefined;
}

const compactForms = new Map(compact);
