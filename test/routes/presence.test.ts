import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presence } from '../../routes/presence.ts';
import { createFakeProxy, inWords, requestOf } from '../support/fake-proxy.ts';

function check(method: string, uri: string, verdict: string): void {
  assert.equal(inWords(presence(requestOf({ method, uri }), createFakeProxy())), verdict);
}

test('RFC 6665 §7.2.1, RFC 3903 §6: no event package is served here yet: 489', () => {
  check('SUBSCRIBE', 'sip:bob@example.com', 'reply 489');
  check('PUBLISH', 'sip:bob@example.com', 'reply 489');
});

test('a subscription or publication for another domain goes there', () => {
  check('SUBSCRIBE', 'sip:dave@example.org', 'not mine');
  check('PUBLISH', 'sip:dave@example.org', 'not mine');
});

test('other methods are not for presence', () => {
  for (const method of ['INVITE', 'NOTIFY', 'REGISTER']) check(method, 'sip:bob@example.com', 'not mine');
});
