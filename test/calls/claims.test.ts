/** What a message must not carry past us: names its sender only claims, and credentials that were for us. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, has } from '../../src/message/header.ts';
import { ProxyAuthorization } from '../../src/message/headers/digest.ts';
import { PAssertedIdentity, PPreferredIdentity, Privacy, RemotePartyId } from '../../src/message/headers/text.ts';
import type { SipMessage } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, passwordOf, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob'];
const trunk = '192.0.2.66';
const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;
const claims = [
  ['P-Asserted-Identity', '"The boss" <sip:boss@example.com>'],
  ['P-Preferred-Identity', '<sip:boss@example.com>'],
  ['Remote-Party-ID', '<sip:boss@example.com>;party=calling'],
] as const;

/** Bob is registered; only the trunk is trusted. */
async function stage(script: (it: ProxyScene, bob: Agent) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns, isTrusted: (address) => address === trunk });
  await it.play(async () => script(it, await it.registered({ name: 'bob', address: '192.0.2.2' })));
}

const claimsIn = (message: SipMessage): readonly boolean[] =>
  [PAssertedIdentity, PPreferredIdentity, RemotePartyId].map((header) => has(message, header));

test('RFC 3325 §5: an identity that a user claims reaches nobody, neither in requests nor in responses', () =>
  stage(async (it, bob) => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const first = alice.request('INVITE', bob.aor, { ...offer, headers: claims });
    const challenge = await alice.receivesResponse(407);
    alice.ack(first, challenge);
    const invite = alice.login(first, challenge, 'alice', passwordOf('alice'));
    const received = await bob.receivesRequest('INVITE');
    assert.deepEqual(claimsIn(received), [false, false, false]);
    const answer = { body: phoneAnswer('bob'), contentType: sdpType, headers: claims };
    const callee = bob.dialog(received, bob.respond(received, 200, answer));
    const ok = await alice.receivesResponse(200);
    assert.deepEqual(claimsIn(ok), [false, false, false]);
    alice.ack(invite, ok);
    await bob.receivesRequest('ACK');
    bob.within(callee, 'UPDATE', { headers: claims });
    const update = await alice.receivesRequest('UPDATE');
    assert.deepEqual(claimsIn(update), [false, false, false]);
    alice.respond(update, 200);
    await bob.receivesResponse(200, 'UPDATE');
    await it.hangUp(bob, callee, alice);
  }));

test('RFC 3325 §5: what a trunk of a TRUSTED network asserts is passed on', () =>
  stage(async (it, bob) => {
    const alice = it.agent({ name: 'alice', address: trunk });
    const invite = alice.request('INVITE', bob.aor, { ...offer, headers: claims });
    const received = await bob.receivesRequest('INVITE');
    assert.deepEqual(claimsIn(received), [true, true, true]);
    bob.respond(received, 486);
    alice.ack(invite, await alice.receivesResponse(486));
    await bob.receivesRequest('ACK');
  }));

test('RFC 3325 §7: a number that is withheld reaches no telephone, but the trunk that the call is forwarded to', () =>
  stage(async (it, bob) => {
    const caller = it.agent({ name: 'alice', address: trunk });
    const headers = [...claims, ['Privacy', 'id']] as const;
    const invite = caller.request('INVITE', bob.aor, { ...offer, headers });
    const received = await bob.receivesRequest('INVITE');
    assert.deepEqual(claimsIn(received), [false, false, false]);
    assert.equal(get(received, Privacy), 'id');
    bob.respond(received, 486);
    caller.ack(invite, await caller.receivesResponse(486));
    await bob.receivesRequest('ACK');

    it.database.setCalls('bob', 'example.com', { forwardAlways: `sip:+4930123@${trunk}` });
    const again = caller.request('INVITE', bob.aor, { ...offer, headers });
    const forwarded = await caller.receivesRequest('INVITE');
    assert.deepEqual(claimsIn(forwarded), [true, true, true]);
    caller.respond(forwarded, 486);
    caller.ack(again, await caller.receivesResponse(486));
    await caller.receivesRequest('ACK');
  }));

test('RFC 3325 §7: nor does the number of the one who answers at a trunk, when he withholds it', () =>
  stage(async (it, bob) => {
    const pstn = it.agent({ name: 'alice', address: trunk });
    it.database.setCalls('bob', 'example.com', { forwardAlways: `sip:+4930123@${trunk}` });
    const carol = it.agent({ name: 'bob2', aor: bob.aor, address: '192.0.2.3' });
    const first = carol.request('INVITE', bob.aor, offer);
    const challenge = await carol.receivesResponse(407);
    carol.ack(first, challenge);
    const invite = carol.login(first, challenge, 'bob', passwordOf('bob'));
    const received = await pstn.receivesRequest('INVITE');
    pstn.respond(received, 180, { headers: [...claims, ['Privacy', 'id']] });
    assert.deepEqual(claimsIn(await carol.receivesResponse(180)), [false, false, false]);
    pstn.respond(received, 486, { headers: claims });
    const busy = await carol.receivesResponse(486);
    assert.deepEqual(claimsIn(busy), [true, true, true]);
    carol.ack(invite, busy);
    await pstn.receivesRequest('ACK');
  }));

test('RFC 3261 §22.3: credentials for our realm go no further, in a dialog or from a trunk; those of others do, as they are', () =>
  stage(async (it, bob) => {
    const alice = it.agent({ name: 'alice', address: trunk });
    const headers = [
      ['Proxy-Authorization', 'Digest username="alice", realm="example.com", response="1"'],
      ['Proxy-Authorization', 'Digest  username="x" , realm="pbx.example.net",response="2"'],
    ] as const;
    const left = ['Proxy-Authorization: Digest  username="x" , realm="pbx.example.net",response="2"'];
    const lines = (message: SipMessage): readonly string[] =>
      message.headers.filter(({ name }) => name === ProxyAuthorization.key).map(({ raw }) => raw);
    const invite = alice.request('INVITE', bob.aor, { ...offer, headers });
    const received = await bob.receivesRequest('INVITE');
    assert.deepEqual(lines(received), left);
    const callee = bob.dialog(received, bob.respond(received, 200, { body: phoneAnswer('bob'), contentType: sdpType }));
    const ok = await alice.receivesResponse(200);
    alice.ack(invite, ok, { headers });
    assert.deepEqual(lines(await bob.receivesRequest('ACK')), left);
    alice.within(alice.dialog(invite, ok), 'INFO', { headers });
    const info = await bob.receivesRequest('INFO');
    assert.deepEqual(lines(info), left);
    bob.respond(info, 200);
    await alice.receivesResponse(200, 'INFO');
    await it.hangUp(bob, callee, alice);
  }));
