/** RFC 8599 §14: how a Contact says by which push service its device is woken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksForPush, subscriptionOf } from '../../src/registrar/push.ts';

const p256dh = 'B'.repeat(87);
const auth = 'a'.repeat(22);

test('RFC 8599 §14: pn-prid is the endpoint, its reserved characters escaped; pn-param our keys for its content', () => {
  const contact = `sip:b@x.invalid;transport=ws;PN-provider=WebPush;pn-prid=https%3A%2F%2Fpush.example%2Fa%3Db%3bc;pn-param=${p256dh}.${auth}`;
  assert.deepEqual(subscriptionOf(contact), { endpoint: 'https://push.example/a=b;c', keys: { p256dh, auth } });
});

test('RFC 8599 §14: without keys, or with what are none, it is woken by a push without content', () => {
  for (const rest of ['', ';pn-param=x', `;pn-param=${p256dh}.${auth}x`]) {
    const contact = `sip:b@x.invalid;pn-provider=webpush;pn-prid=https://push.example/a${rest}`;
    assert.deepEqual(subscriptionOf(contact), { endpoint: 'https://push.example/a', keys: undefined });
  }
});

test('a device of another provider, or without an endpoint, is not woken by us', () => {
  for (const params of ['', ';pn-provider=apns;pn-prid=x', ';pn-provider=webpush', ';pn-prid=https://push.example/a']) {
    assert.equal(subscriptionOf(`sip:b@x.invalid${params}`), undefined, params);
  }
  assert.equal(subscriptionOf('tel:+4930123'), undefined);
});

test('RFC 8599 §4.1.4: `pn-provider` alone asks what there is', () => {
  assert.ok(asksForPush('sip:b@x.invalid;pn-provider'));
  assert.ok(asksForPush('sip:b@x.invalid;pn-provider=webpush'));
  assert.ok(!asksForPush('sip:b@x.invalid;pn-provider=fcm'));
  assert.ok(!asksForPush('sip:b@x.invalid'));
});
