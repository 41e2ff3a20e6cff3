import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withNamesFor, withoutClaims, withoutCredentialsFor } from '../../src/auth/claims.ts';
import { inviteText, raws, request } from '../message/sample.ts';

const isOurRealm = (realm: string): boolean => realm === 'example.com';

test('RFC 3325 §5: identities that the sender only claims are taken off, all other lines keep their bytes', () => {
  const kept = ['X-Name:  "Alice"', 'Privacy: id'];
  const claims = [
    'P-Asserted-Identity: <sip:boss@example.com>, <tel:+4930110>',
    'p-asserted-identity:<sip:boss@example.com>',
    'P-Preferred-Identity: <sip:boss@example.com>',
    'Remote-Party-ID: "Boss" <sip:boss@example.com>;party=calling',
  ];
  const claimed = request(inviteText({ extra: [...claims, ...kept] }));
  assert.deepEqual(raws(withoutClaims(claimed)), raws(request(inviteText({ extra: kept }))));
  const plain = request(inviteText());
  assert.equal(withoutClaims(plain), plain);
});

test('RFC 3261 §22.3: credentials for us are taken off; those for a proxy behind us keep their bytes', () => {
  const own = 'Proxy-Authorization: Digest username="alice", realm="Example.COM", response="1"';
  const others = [
    'Proxy-Authorization:  Digest  realm="pbx.example.net" ,username="a",  response="2"',
    'Proxy-Authorization: Basic',
  ];
  const message = request(inviteText({ extra: [own, ...others] }));
  assert.deepEqual(raws(withoutCredentialsFor(message, isOurRealm)), raws(request(inviteText({ extra: others }))));
});

test('RFC 3325 §7: who withholds his number, by Privacy or as old gateways write it, shows it to the trusted only', () => {
  const asserted = 'P-Asserted-Identity: <tel:+4930110>';
  const old = 'Remote-Party-ID: <sip:+4930110@gw.example.net>;party=calling;privacy=';
  const left = (extra: readonly string[], toTrusted: boolean): readonly string[] =>
    raws(withNamesFor(request(inviteText({ extra })), true, toTrusted)).filter((line) => extra.includes(line));
  for (const privacy of ['Privacy: id', 'privacy:header ; ID', 'Privacy: user;id;critical']) {
    assert.deepEqual(left([asserted, `${old}off`, privacy], false), [privacy]);
    assert.deepEqual(left([asserted, privacy], true), [asserted, privacy]);
  }
  for (const shown of [[asserted], [asserted, 'Privacy: none'], [asserted, `${old}off`], [asserted, 'Privacy: idle']]) {
    assert.deepEqual(left(shown, false), shown);
  }
  const offs = [`${old}off`, `${old} OFF;screen=yes`, `${old}"off"`];
  assert.deepEqual(left([`${old}full`, `${old} name`, `${old}"full"`, ...offs], false), offs);
});
