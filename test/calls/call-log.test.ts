/** One line in the log for each call, when it is over: with its Call-ID, and why it ended as it did. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProxyScene, type ProxyScene, passwordOf, sdpType } from '../support/proxy-scene.ts';
import { phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob'];
const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;

/** The lines of level info about calls. */
function told(it: ProxyScene): readonly object[] {
  return it.log
    .filter(({ level, text }) => level === 'info' && text.startsWith('Call '))
    .map(({ fields, text }) => ({ text, ...fields }));
}

test('an answered call is told when it has ended, with how long they talked and who hung up', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const { caller } = await it.call(alice, bob, { callId: 'a-call' });
    await it.clock.advance(60_000);
    assert.deepEqual(told(it), []);
    await it.hangUp(alice, caller, bob);
    const [line, ...others] = told(it);
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(line, {
      text: 'Call ended',
      callId: 'a-call',
      from: 'sip:alice@example.com',
      to: 'sip:bob@example.com',
      status: 200,
      seconds: 60,
      endedBy: 'caller',
      code: undefined,
    });
  });
});

test('a refused call is told with its status and the row of errors.ts, and the challenge before it is no call', async () => {
  const it = createProxyScene({ columns, isTrusted: () => false });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const first = alice.request('INVITE', 'sip:nobody@example.com', offer);
    const challenge = await alice.receivesResponse(407);
    alice.ack(first, challenge);
    const invite = alice.login(first, challenge, 'alice', passwordOf('alice'));
    alice.ack(invite, await alice.receivesFinal('INVITE'));
    const [line, ...others] = told(it);
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(line, { text: 'Call failed', status: 404, seconds: 0 });
  });
});
