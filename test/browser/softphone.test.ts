/** The test softphone itself, without a proxy: where this fails, the other tests of this folder cannot be believed. */
import { test } from 'node:test';
import { startBaresip } from '../support/baresip.ts';
import { assertHear, assertSilence, PAGE_HZ, PHONE_HZ } from './hearing.ts';

test('two softphones call each other directly: each hears the other, and neither on hold', async (t) => {
  const alice = await startBaresip(t, { user: 'alice', domain: '127.0.0.1', toneHz: PAGE_HZ });
  const bob = await startBaresip(t, { user: 'bob', domain: '127.0.0.1', toneHz: PHONE_HZ });
  await alice.dial(`sip:bob@${bob.address}`);
  await bob.expect('CALL_INCOMING');
  await bob.answer();
  await alice.expect('CALL_ESTABLISHED');
  await assertHear(alice, bob);
  await alice.hold();
  await assertSilence(alice, bob);
  await alice.resume();
  await assertHear(alice, bob);
  await bob.hangUp();
  await alice.expect('CALL_CLOSED');
});
