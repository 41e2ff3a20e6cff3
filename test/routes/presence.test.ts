import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presence, resubscribe } from '../../routes/presence.ts';
import { createFakeProxy, inWords, type RequestParts, requestOf } from '../support/fake-proxy.ts';

async function check(parts: RequestParts, verdict: string): Promise<void> {
  assert.equal(inWords(await presence(requestOf(parts), createFakeProxy())), verdict);
}

test('RFC 6665 §4.2.1, RFC 3903 §6: SUBSCRIBE and PUBLISH for an address of ours end here', async () => {
  await check({ method: 'SUBSCRIBE', uri: 'sip:bob@example.com' }, 'reply 200');
  await check({ method: 'PUBLISH', uri: 'sip:bob@example.com' }, 'reply 200');
});

test('a subscription or publication for another domain goes there', async () => {
  await check({ method: 'SUBSCRIBE', uri: 'sip:dave@example.org' }, 'not mine');
  await check({ method: 'PUBLISH', uri: 'sip:dave@example.org' }, 'not mine');
});

test('other methods are not for presence', async () => {
  for (const method of ['INVITE', 'NOTIFY', 'REGISTER'])
    await check({ method, uri: 'sip:bob@example.com' }, 'not mine');
});

test('RFC 6665 §4.2.1.2: a SUBSCRIBE in a dialog that ends here refreshes; one with our token passes us', async () => {
  const proxy = createFakeProxy();
  const inDialog = { method: 'SUBSCRIBE', uri: 'sip:example.com', toTag: 'ours' };
  assert.equal(inWords(await resubscribe(requestOf(inDialog), proxy)), 'reply 200');
  assert.equal(inWords(await resubscribe(requestOf({ ...inDialog, token: 'token' }), proxy)), 'not mine');
  assert.equal(inWords(await resubscribe(requestOf({ ...inDialog, method: 'BYE' }), proxy)), 'not mine');
  assert.equal(inWords(await resubscribe(requestOf({ ...inDialog, uri: 'sip:bob@192.0.2.2' }), proxy)), 'not mine');
  assert.deepEqual(proxy.asked, ['resubscribe']);
});
