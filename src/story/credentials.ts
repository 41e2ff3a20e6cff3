/**
 * A message as people may read it (law 8): who logged in stays, with what goes.
 *
 * Taken out: the value of Authorization and Proxy-Authorization but for the user name (RFC 3261 §22), keys of SRTP
 * (RFC 4568 `inline:`), passwords of ICE (RFC 8839) and where a client is woken (RFC 8599). Left in: challenges, which are
 * no secrets.
 */

const removed = '(removed)';

// A header with its continuation lines (RFC 3261 §7.3.1).
const credentials = /^((?:proxy-)?authorization)[ \t]*:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)/gim;
const push = /(?<=;pn-(?:prid|param)=)[^;>?,\s"]+/gi;
const keys = /(?<=\binline:|^a=ice-pwd:)[^\s|;]+/gm;

export function withoutCredentials(text: string): string {
  const rest = text.replace(credentials, (_, name: string, value: string) => `${name}: ${shown(value)}`);
  return withoutPush(withoutKeys(rest));
}

/** Whoever knows the endpoint of a push service and the keys for it may send to that client. */
export function withoutPush(text: string): string {
  return text.replace(push, removed);
}

/** The same for an SDP alone; its length stays, or Content-Length would be wrong. */
export function withoutKeys(sdp: string): string {
  return sdp.replace(keys, (key) => '*'.repeat(key.length));
}

function shown(value: string): string {
  // Without a blank behind it, it is no scheme but a token that was sent without one.
  const scheme = /^[\w-]+(?=[ \t])/.exec(value)?.[0] ?? '';
  const user = /\busername[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s,]+)/i.exec(value)?.[1];
  if (user === undefined) return scheme === '' ? removed : `${scheme} ${removed}`;
  return `${scheme} username=${user}, ${removed}`;
}
