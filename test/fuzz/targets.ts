/**
 * Every parser of what comes from outside, with good texts to begin from. A target takes any text; it may refuse it in
 * its own way, but it throws nothing other than a `Failure`, and what it says of a good text holds together.
 */
import assert from 'node:assert/strict';
import { answerStun, isStun } from '../../src/adapters/network/stun.ts';
import { parseTlsCfg } from '../../src/adapters/network/tls-cfg.ts';
import { decodeReply } from '../../src/adapters/rtpengine/bencode.ts';
import { bearerToken, withoutTokens } from '../../src/auth/bearer.ts';
import { readCredentials } from '../../src/auth/digest.ts';
import { checkNonce } from '../../src/auth/nonce.ts';
import { decodeToken } from '../../src/dialog/token.ts';
import { Failure } from '../../src/errors.ts';
import { serialize } from '../../src/message/edit.ts';
import { createFramer } from '../../src/message/framing.ts';
import { all, type Header, values } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { Authorization } from '../../src/message/headers/digest.ts';
import { From, To } from '../../src/message/headers/from-to.ts';
import { Expires, MaxForwards } from '../../src/message/headers/numbers.ts';
import { Supported } from '../../src/message/headers/options.ts';
import { Path, RecordRoute, Route } from '../../src/message/headers/route.ts';
import { Reason } from '../../src/message/headers/text.ts';
import { Via } from '../../src/message/headers/via.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { canonicalAor, parseUri, printUri, uriKey } from '../../src/message/uri.ts';
import { composePidf, pidfFault } from '../../src/presence/pidf.ts';
import { printElement, readXml } from '../../src/presence/xml.ts';
import { readGruu } from '../../src/registrar/gruu.ts';
import { describeSdp } from '../../src/sdp/describe.ts';
import { keepTelephoneEvent8000, stripSsrc } from '../../src/sdp/strip.ts';
import { markTrickle } from '../../src/sdp/trickle.ts';
import { textOf, torture } from '../message/torture/table.ts';
import { browserOffer, phoneOffer, sdesOffer } from '../support/sdp.ts';
import { pidf } from '../support/watcher.ts';

export interface Target {
  readonly name: string;
  readonly seeds: readonly string[];
  /** Throws when something is wrong with us. */
  readonly parse: (text: string) => void;
}

const headers: readonly Header<unknown>[] = [
  Via,
  From,
  To,
  Contact,
  CSeq,
  Authorization,
  Expires,
  MaxForwards,
  Supported,
  Route,
  RecordRoute,
  Path,
  Reason,
];

const texts = torture.map(textOf);
const secret = '00112233445566778899aabbccddeeff';

export const targets: readonly Target[] = [
  { name: 'sip', seeds: texts, parse: sip },
  { name: 'framing', seeds: texts, parse: framing },
  {
    name: 'uri',
    seeds: [
      'sip:alice@example.com',
      'sips:%61lice:secret@[2001:db8::1]:5061;transport=tcp;lr;x="y"?subject=a&to=b',
      "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
    ],
    parse: uri,
  },
  {
    name: 'bearer',
    seeds: [
      'Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln',
      'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln',
      'bearer \t',
      'Bearer eyJ.a.b, username="x"\r\n eyJ.c.d',
    ],
    parse: bearer,
  },
  {
    name: 'digest',
    seeds: [
      'Digest username="alice", realm="example.com", nonce="abc", uri="sip:example.com", response="0123", algorithm=MD5, cnonce="x", nc=00000001, qop=auth',
      'Digest username="a\\"b\\\\", realm=example.com, nonce=a, uri="sip:b", response="c"',
    ],
    parse: digest,
  },
  {
    name: 'nonce',
    seeds: ['0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', 'MTIzNDU2Nzg5MDEyMzQ1Njc4OTA'],
    parse: (text) => void checkNonce(text, [secret], 0, { node: 'n1', boot: 'b1' }),
  },
  {
    name: 'token',
    seeds: ['AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8w', 'x'.repeat(80), ''],
    parse: (text) => void decodeToken(text, 'call', [secret]),
  },
  {
    name: 'gruu',
    seeds: [
      'sip:alice@example.com;gr=urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6',
      `sip:${'x'.repeat(80)}@example.com;gr`,
      'sips:a@b;gr=%',
    ],
    parse: gruu,
  },
  {
    name: 'sdp',
    seeds: [browserOffer('alice'), phoneOffer('bob'), sdesOffer('carol')],
    parse: sdp,
  },
  {
    name: 'ng reply',
    seeds: [
      'd6:result2:ok3:sdp5:v=0\r\ne',
      'd5:callsl3:abc3:defe6:result2:oke',
      'd4:tagsd3:abcd6:mediasld5:indexi1eeeee6:result2:oke',
    ],
    parse: (text) => void decodeReply(text),
  },
  {
    name: 'tls.cfg',
    seeds: [
      '[server:default]\nmethod = TLSv1.2+\nprivate_key = a.key\ncertificate = a.crt\nverify_depth = 3\n',
      '# c\n[server:127.0.0.1:5061]\nserver_name = example.com\ncipher_list = ECDHE:!aNULL\n[client:default]\nca_list = ca.pem\n',
    ],
    parse: (text) => void parseTlsCfg(text),
  },
  {
    name: 'presence document',
    seeds: [
      pidf('sip:bob@example.com', 'open', 'at &lt;my&gt; desk'),
      '<p:presence xmlns:p="urn:ietf:params:xml:ns:pidf" entity="e"><p:tuple id="1"><p:status/><!-- c --><![CDATA[x]]></p:tuple></p:presence>',
    ],
    parse: presenceDocument,
  },
  {
    name: 'stun',
    seeds: [
      '\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl',
      '\x00\x01\x00\x08\x21\x12\xa4\x42abcdefghijkl\x80\x22\x00\x04abcd',
    ],
    parse: stun,
  },
];

/** Gives the text to the target; a `Failure` is an answer like another. */
export function feed({ parse }: Target, text: string): void {
  try {
    parse(text);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
  }
}

function gruu(text: string): void {
  const uri = parseUri(text);
  const read = uri && readGruu(uri, ({ host }) => host, [secret]);
  if (read !== undefined && read !== 'invalid')
    assert.ok(parseUri(read.aor)?.user !== undefined, 'it is of an account');
}

function presenceDocument(text: string): void {
  const root = readXml(text);
  if (root !== undefined) assert.ok(readXml(printElement(root)), 'what was printed is not read');
  assert.equal(pidfFault(text) === undefined && readXml(composePidf('e', [text])) === undefined, false);
}

function sip(text: string): void {
  const message = parseMessage(text);
  if (message.kind === 'unparsable') {
    assert.notEqual(message.error, '');
    return;
  }
  for (const header of headers) {
    all(message, header);
    values(message, header);
  }
  // Law 7: what was read once is read again as the same.
  const again = serialize(message);
  const reread = parseMessage(again);
  assert.ok(reread.kind !== 'unparsable', `cannot be read again: ${JSON.stringify(again)}`);
  assert.equal(serialize(reread), again);
}

/** However a stream is cut, the same messages come out. Where a keep-alive is cut, its halves are two. */
function framing(text: string): void {
  const limits = { maxBytes: 8_192 };
  const whole = createFramer(limits).push(text);
  const framer = createFramer(limits);
  const cut = Math.floor(text.length / 3);
  const pieces = [text.slice(0, cut), text.slice(cut, 2 * cut), text.slice(2 * cut)].flatMap((one) => framer.push(one));
  const kinds = (framed: typeof whole): readonly string[] =>
    framed.flatMap((one) => (one.kind === 'message' ? [one.text] : one.kind === 'broken' ? ['broken'] : []));
  assert.deepEqual(kinds(pieces), kinds(whole));
}

function uri(text: string): void {
  const read = parseUri(text);
  if (read === undefined) return;
  const printed = parseUri(printUri(read));
  assert.ok(printed !== undefined, 'what was printed cannot be read');
  assert.equal(uriKey(printed), uriKey(read));
  assert.equal(canonicalAor(printed), canonicalAor(read));
}

function bearer(text: string): void {
  const message = parseMessage(
    `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nAuthorization: ${text}\r\n\r\n`,
  );
  if (message.kind !== 'request') return;
  assert.equal(bearerToken(withoutTokens(message)), undefined, 'a token stays');
}

function digest(text: string): void {
  const credentials = Authorization.parse(text);
  if (credentials !== undefined) readCredentials(credentials);
}

function sdp(text: string): void {
  const before = describeSdp(text);
  for (const edit of [stripSsrc, keepTelephoneEvent8000, markTrickle]) {
    assert.equal(describeSdp(edit(text))?.kind, before?.kind, 'an edit changed whose SDP it is');
  }
}

function stun(text: string): void {
  const packet = Buffer.from(text, 'latin1');
  if (isStun(packet)) answerStun(packet, { address: '192.0.2.1', port: 5060 });
}
