import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aorOf, identityRefusal } from '../../src/auth/identity.ts';
import { createRequest } from '../../src/message/build.ts';
import type { SipRequest } from '../../src/message/message.ts';

const alice = { username: 'alice', domain: 'example.com' };

function request(method: string, from: string, to: string): SipRequest {
  return createRequest({
    method,
    uri: 'sip:example.com',
    from: `<${from}>;tag=1`,
    to: `<${to}>`,
    callId: 'c',
    cseq: 1,
  });
}

test('DESIGN law 10: the From of a local user is the user who logged in', () => {
  const check = (from: string): string | undefined =>
    identityRefusal(request('INVITE', from, 'sip:bob@example.com'), alice);
  assert.equal(check('sip:alice@example.com'), undefined);
  assert.equal(check('sips:%61lice@EXAMPLE.com:5061;transport=tls'), undefined, 'other spellings of the same AOR');
  assert.equal(check('sip:bob@example.com'), 'wrong-identity');
  assert.equal(check('sip:alice@example.net'), 'wrong-identity');
  assert.equal(check('sip:Alice@example.com'), 'wrong-identity', 'RFC 3261 §19.1.4: the user part has case');
  assert.equal(check('tel:+4930'), 'wrong-identity');
});

test('RFC 3261 §10.3 step 4: an account registers only its own address', () => {
  const check = (to: string): string | undefined =>
    identityRefusal(request('REGISTER', 'sip:alice@example.com', to), alice);
  assert.equal(check('sip:alice@example.com'), undefined);
  assert.equal(check('sip:bob@example.com'), 'register-other');
  assert.equal(
    identityRefusal(request('REGISTER', 'sip:bob@example.com', 'sip:alice@example.com'), alice),
    'wrong-identity',
  );
});

test('RFC 3261 §25.1: a user name that a URI cannot hold bare is escaped', () => {
  assert.equal(aorOf({ username: 'a b', domain: 'Example.com' }), 'sip:a%20b@example.com');
  const from = request('INVITE', 'sip:a%20b@example.com', 'sip:x@example.com');
  assert.equal(identityRefusal(from, { username: 'a b', domain: 'example.com' }), undefined);
});
