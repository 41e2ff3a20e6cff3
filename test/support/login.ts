/** Digest as client (RFC 7616) for scripted user agents: as JsSIP and SIP.js do it, they read no second challenge. */
import { digestResponse, ha1 } from '../../src/auth/digest.ts';
import { createRequest, type Field } from '../../src/message/build.ts';
import { get } from '../../src/message/header.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { ProxyAuthenticate, WWWAuthenticate } from '../../src/message/headers/digest.ts';
import type { Via } from '../../src/message/headers/via.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import { param, unquote } from '../../src/message/params.ts';

/** The refused request again: the next CSeq, the answer to the first challenge, everything else as it was. */
export function withCredentials(
  refused: SipRequest,
  challenge: SipResponse,
  username: string,
  password: string,
  via: Via,
): SipRequest {
  const proxy = challenge.status === 407;
  const params = get(challenge, proxy ? ProxyAuthenticate : WWWAuthenticate)?.params ?? [];
  const text = (name: string): string => unquote(param(params, name) ?? '');
  const algorithm = text('algorithm') === 'SHA-256' ? 'SHA-256' : 'MD5';
  const [realm, nonce, uri, nc, cnonce] = [text('realm'), text('nonce'), refused.uri, '00000001', 'c0ffee'];
  const key = ha1(algorithm, username, realm, password);
  const response = digestResponse({ username, realm, nonce, uri, nc, cnonce, algorithm }, refused.method, key);
  const quoted = Object.entries({ username, realm, nonce, uri, response, cnonce }).map(
    ([name, value]) => `${name}="${value}"`,
  );
  const credentials = `Digest ${quoted.join(', ')}, algorithm=${algorithm}, qop=auth, nc=${nc}`;
  const { method, body } = refused;
  const line = (key: string): string => refused.headers.find((one) => one.name === key)?.value ?? '';
  const kept = refused.headers
    .filter((one) => !rebuilt.has(one.name))
    .map(({ raw, value }): Field => [nameOf(raw), value]);
  return createRequest({
    method,
    uri,
    via,
    route: refused.headers.filter((one) => one.name === 'route').map((one) => one.value),
    from: line('from'),
    to: line('to'),
    callId: line('call-id'),
    cseq: (get(refused, CSeq)?.number ?? 0) + 1,
    headers: [...kept, [proxy ? 'Proxy-Authorization' : 'Authorization', credentials]],
    body,
  });
}

const rebuilt = new Set([
  ...['via', 'route', 'max-forwards', 'from', 'to', 'call-id', 'cseq', 'content-length'],
  ...['authorization', 'proxy-authorization'],
]);

function nameOf(raw: string): string {
  return raw.slice(0, raw.indexOf(':')).trim();
}
