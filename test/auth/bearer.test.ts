import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bearerChallenge, bearerToken, withoutTokens } from '../../src/auth/bearer.ts';
import { withoutCredentials } from '../../src/story/credentials.ts';
import { inviteText, raws, request } from '../message/sample.ts';

const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln_-';
const token = (...extra: string[]) => bearerToken(request(inviteText({ extra })));

test('RFC 8898 §2.1.3: a token stands in Authorization or Proxy-Authorization, its scheme in any case', () => {
  assert.equal(token(`Authorization: Bearer ${jwt}`), jwt);
  assert.equal(token(`proxy-authorization:BEARER  ${jwt}`), jwt);
  assert.equal(token('Authorization: Digest username="alice"', `Authorization: bearer\t${jwt}`), jwt);
  assert.equal(token('Authorization: Bearer other', `Proxy-Authorization: Bearer ${jwt}`), jwt, 'for a proxy first');
});

test('JsSIP sends what it was given: a token without its scheme is one, too', () => {
  assert.equal(token(`Authorization: ${jwt}`), jwt);
});

test('other credentials are none; a scheme without a token is one that is wrong', () => {
  assert.equal(token(), undefined);
  assert.equal(token('Authorization: Digest username="Bearer x"'), undefined);
  assert.equal(token('Authorization: Bearers x', 'Authorization: eyJ.x', `X-Token: Bearer ${jwt}`), undefined);
  assert.equal(token('Authorization: Bearer'), '');
});

test('no token leaves here, whoever it is for; all other lines keep their bytes', () => {
  const kept = ['Authorization:  Digest  realm="pbx.example.net"', 'Proxy-Authorization: Basic', 'X-Token: a.b.c'];
  const tokens = [`Authorization: ${jwt}`, `Authorization: Bearer ${jwt}`, 'proxy-authorization: bearer  a b c'];
  const message = request(inviteText({ extra: [...tokens, ...kept] }));
  assert.deepEqual(raws(withoutTokens(message)), raws(request(inviteText({ extra: kept }))));
  const plain = request(inviteText());
  assert.equal(withoutTokens(plain), plain);
});

test('RFC 8898 §4: the challenge names the identity server, where that is an https URI', () => {
  assert.deepEqual(bearerChallenge('example.com', 'https://id.example.com/', 'registrar'), [
    'WWW-Authenticate',
    'Bearer realm="example.com", authz_server="https://id.example.com/", error="invalid_token"',
  ]);
  assert.deepEqual(bearerChallenge('example.com', 'our-app', 'proxy'), [
    'Proxy-Authenticate',
    'Bearer realm="example.com", error="invalid_token"',
  ]);
});

test('law 8: no token is in what people may read, in whatever way it was sent', () => {
  for (const value of [
    `Bearer ${jwt}`,
    jwt,
    `bearer\t${jwt}, username="x"`,
    `${jwt} username="x"`,
    `Bearer\r\n ${jwt}`,
  ]) {
    for (const name of ['Authorization', 'Proxy-Authorization']) {
      const shown = withoutCredentials(`INVITE sip:b@c SIP/2.0\r\n${name}: ${value}\r\nX: y\r\n\r\n`);
      assert.doesNotMatch(shown, /eyJ|c2ln/, value);
      assert.match(shown, new RegExp(`^${name}: .*\\(removed\\)\r\nX: y`, 'm'));
    }
  }
});
