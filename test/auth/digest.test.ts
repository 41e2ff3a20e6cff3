import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Algorithm,
  algorithmsFor,
  challengeHeaders,
  credentialsFor,
  type DigestCheck,
  digestResponse,
  ha1,
  readCredentials,
  verify,
} from '../../src/auth/digest.ts';
import { Authorization, type Credentials } from '../../src/message/headers/digest.ts';

const password = 'wonderland';
const subscriber = {
  ha1Md5: ha1('MD5', 'alice', 'example.com', password),
  ha1Sha256: ha1('SHA-256', 'alice', 'example.com', password),
};

function parse(text: string): Credentials {
  const credentials = Authorization.parse(text);
  assert.ok(credentials !== undefined, text);
  return credentials;
}

/** What a right client sends; `change` overrides single parameters as text, `undefined` leaves one out. */
function login(change: Readonly<Record<string, string | undefined>> = {}, algorithm: Algorithm = 'MD5'): Credentials {
  const base = {
    username: 'alice',
    realm: 'example.com',
    nonce: 'n1',
    uri: 'sip:example.com',
    nc: '00000001',
    cnonce: 'c',
  };
  const key = algorithm === 'MD5' ? subscriber.ha1Md5 : subscriber.ha1Sha256;
  const params: Record<string, string | undefined> = {
    username: '"alice"',
    realm: '"example.com"',
    nonce: '"n1"',
    uri: '"sip:example.com"',
    response: `"${digestResponse({ ...base, algorithm }, 'REGISTER', key)}"`,
    algorithm,
    qop: 'auth',
    nc: '00000001',
    cnonce: '"c"',
    ...change,
  };
  const present = Object.entries(params).filter(([, value]) => value !== undefined);
  return parse(`Digest ${present.map(([name, value]) => `${name}=${value}`).join(',')}`);
}

const check: DigestCheck = {
  method: 'REGISTER',
  requestUri: 'sip:example.com',
  subscriber,
  checkNonce: () => 'valid',
  useNonce: () => 'fresh',
};

test('RFC 2617 §3.5: the example of Mufasa gives its response', () => {
  const digest = {
    username: 'Mufasa',
    realm: 'testrealm@host.com',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    uri: '/dir/index.html',
    algorithm: 'MD5',
    nc: '00000001',
    cnonce: '0a4f113b',
  } as const;
  const key = ha1('MD5', 'Mufasa', 'testrealm@host.com', 'Circle Of Life');
  assert.equal(key, '939e7578ed9e3c518a452acee763bce9');
  assert.equal(digestResponse(digest, 'GET', key), '6629fae49393a05397450978507c4ef1');
});

test('RFC 7616 §3.9.1: the examples give their responses, MD5 and SHA-256', () => {
  const expected = {
    MD5: '8ca523f5e9506fed4657c9700eebdbec',
    'SHA-256': '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  } as const;
  for (const algorithm of ['MD5', 'SHA-256'] as const) {
    const digest = {
      username: 'Mufasa',
      realm: 'http-auth@example.org',
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      uri: '/dir/index.html',
      algorithm,
      nc: '00000001',
      cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    };
    const key = ha1(algorithm, 'Mufasa', 'http-auth@example.org', 'Circle of Life');
    assert.equal(digestResponse(digest, 'GET', key), expected[algorithm]);
  }
});

test('RFC 8760 §2.4: MD5 alone for JsSIP, SIP.js and baresip, which stumble over a second challenge', () => {
  for (const agent of [undefined, 'JsSIP 3.13.8', 'SIP.js/0.21.2', 'baresip v1.0.0 (x86_64/linux)']) {
    assert.deepEqual(algorithmsFor(agent), ['MD5']);
  }
  assert.deepEqual(challengeHeaders('example.com', 'abc', { challenger: 'registrar' }), [
    ['WWW-Authenticate', 'Digest realm="example.com", nonce="abc", algorithm=MD5, qop="auth"'],
  ]);
});

test('RFC 8760 §2.2: an agent that reads every challenge gets one line per algorithm, SHA-256 first', () => {
  assert.deepEqual(
    challengeHeaders('a"b', 'abc', { challenger: 'proxy', stale: true, order: algorithmsFor('Linphone/5.1') }),
    [
      ['Proxy-Authenticate', 'Digest realm="a\\"b", nonce="abc", algorithm=SHA-256, qop="auth", stale=true'],
      ['Proxy-Authenticate', 'Digest realm="a\\"b", nonce="abc", algorithm=MD5, qop="auth", stale=true'],
    ],
  );
});

test('RFC 7616 §3.4.1: right credentials pass with MD5, with SHA-256, and without algorithm, which means MD5', () => {
  assert.equal(verify(login(), check), 'ok');
  assert.equal(verify(login({}, 'SHA-256'), check), 'ok');
  assert.equal(verify(login({ algorithm: undefined }), check), 'ok');
  assert.equal(verify(login({ algorithm: '"md5"', qop: '"AUTH"' }), check), 'ok', 'quotes and case do not matter');
});

test('RFC 7616 §3.4.1: another password, method, realm or count makes another response: wrong', () => {
  assert.equal(verify(login({ response: `"${'0'.repeat(32)}"` }), check), 'wrong');
  assert.equal(verify(login({ response: '"0"' }), check), 'wrong');
  assert.equal(verify(login({ cnonce: '"d"' }), check), 'wrong');
  assert.equal(verify(login({ nc: '00000002' }), check), 'wrong');
  assert.equal(verify(login(), { ...check, method: 'INVITE' }), 'wrong');
});

test('DESIGN law 10: an unknown user is answered as a wrong password, and touches no nonce', () => {
  const seen: string[] = [];
  const useNonce = (nonce: string): 'fresh' => {
    seen.push(nonce);
    return 'fresh';
  };
  assert.equal(verify(login(), { ...check, subscriber: undefined, useNonce }), 'wrong');
  assert.equal(verify(login({ cnonce: '"d"' }), { ...check, useNonce }), 'wrong');
  assert.deepEqual(seen, []);
});

test('DESIGN law 10: the key that stands in for an unknown user opens nothing', () => {
  const parts = {
    username: 'x',
    realm: 'example.com',
    nonce: 'n1',
    uri: 'sip:example.com',
    nc: '00000001',
    cnonce: 'c',
  };
  const response = digestResponse({ ...parts, algorithm: 'MD5' }, 'REGISTER', '0'.repeat(32));
  assert.equal(verify(login({ response: `"${response}"` }), { ...check, subscriber: undefined }), 'wrong');
});

test('RFC 7616 §3.3: stale is only said to those who know the password', () => {
  for (const state of ['stale', 'unknown'] as const) {
    assert.equal(verify(login(), { ...check, checkNonce: () => state }), 'stale');
    assert.equal(verify(login({ cnonce: '"d"' }), { ...check, checkNonce: () => state }), 'wrong');
  }
});

test('RFC 7616 §3.4: a nonce count that was used is a replay; one that we cannot remember is stale', () => {
  assert.equal(verify(login(), { ...check, useNonce: () => 'replayed' }), 'replay');
  assert.equal(verify(login(), { ...check, useNonce: () => 'forgotten' }), 'stale');
});

test('RFC 7616 §3.4: missing parts, foreign schemes, algorithms or qop that we did not offer are malformed', () => {
  const missing = ['username', 'realm', 'nonce', 'uri', 'response', 'nc', 'cnonce', 'qop'];
  for (const name of missing) assert.equal(verify(login({ [name]: undefined }), check), 'malformed', name);
  assert.equal(verify(login({ algorithm: 'MD5-sess' }), check), 'malformed');
  assert.equal(verify(login({ qop: 'auth-int' }), check), 'malformed');
  assert.equal(verify(login({ nc: '0000000g' }), check), 'malformed');
  assert.equal(verify(parse('Basic YWxpY2U6eA=='), check), 'malformed');
});

test('RFC 3261 §22.4: the digest uri may differ from the Request-URI in parameters and port, not in user or host', () => {
  const at = (requestUri: string): string => verify(login(), { ...check, requestUri });
  assert.equal(at('sip:EXAMPLE.com;transport=ws'), 'ok');
  assert.equal(at('sip:example.com:5060'), 'ok');
  assert.equal(at('sip:bob@example.com'), 'malformed');
  assert.equal(at('sip:example.net'), 'malformed');
  assert.equal(at('tel:+4930'), 'malformed');
});

test('RFC 7616 §3.4: quoted values lose their escapes before they are used', () => {
  const read = readCredentials(login({ username: '"al\\"ice\\\\"' }));
  assert.equal(read?.username, 'al"ice\\');
});

test('RFC 3261 §22.3: of several credentials those for our realm are taken, whatever its case', () => {
  const [other, ours] = [
    parse('Digest realm="other.net",username="a"'),
    parse('Digest realm="Example.com",username="b"'),
  ];
  assert.equal(credentialsFor([other, ours], 'example.com'), ours);
  assert.equal(credentialsFor([other], 'example.com'), undefined);
});

test('RFC 7616 §3.4: credentials from outside are never ok by accident and never throw', () => {
  const scheme = fc.tuple(fc.constantFrom('username', 'nonce', 'uri', 'response', 'nc', 'qop'), fc.string());
  fc.assert(
    fc.property(fc.array(scheme), (pairs) => {
      assert.notEqual(verify({ scheme: 'Digest', params: pairs }, check), 'ok');
    }),
  );
});
