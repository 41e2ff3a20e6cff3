/** RFC 8840: a browser that calls before it knows its candidates, and sends them over INFO in the dialog. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Agent, AgentDialog } from '../support/agent.ts';
import { createProxyScene, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, phoneAnswer, seen } from '../support/sdp.ts';

const fragment = [
  'a=ice-ufrag:Wxyz',
  'a=ice-pwd:aBcDeFgHiJkLmNoPqRsTuVwX',
  'm=audio 9 RTP/AVP 0',
  'a=mid:0',
  'a=candidate:1 1 udp 2113937151 198.51.100.1 50000 typ host',
  'a=end-of-candidates',
  '',
].join('\r\n');

test('no candidates in the offer: it is taken; those over INFO are given to rtpengine and reach nobody else; the call goes on', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1', transport: 'wss' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const offer = browserOffer('alice').replace(/^a=candidate:.*\r\n/m, '');
    const invite = alice.request('INVITE', bob.aor, {
      body: offer,
      contentType: sdpType,
      headers: [['Supported', 'trickle-ice']],
    });
    const received = await bob.receivesRequest('INVITE');
    assert.deepEqual([seen(received.body).relayed, seen(received.body).protocol], [true, 'RTP/AVP']);
    const ok = bob.respond(received, 200, { body: phoneAnswer('bob'), contentType: sdpType });
    const answered = await alice.receivesResponse(200, 'INVITE');
    alice.ack(invite, answered);
    await bob.receivesRequest('ACK');
    const [caller, callee] = [alice.dialog(invite, answered), bob.dialog(received, ok)];
    alice.within(caller, 'INFO', {
      body: fragment,
      contentType: 'application/trickle-ice-sdpfrag',
      headers: [['Info-Package', 'trickle-ice']],
    });
    await alice.receivesResponse(200, 'INFO');
    await bob.receivesNothing(1_000);
    const { callId, local, remote } = caller;
    const keys = { 'call-id': callId, 'from-tag': local.tag, 'to-tag': remote.tag };
    assert.deepEqual(it.media.told.at(-1)?.command, { command: 'trickle', ...keys, sdp: `v=0\r\n${fragment}` });
    // RFC 3261 §12.2.2: a gap in CSeq is no fault.
    await it.hangUp(alice, caller, bob);
    assert.equal(callee.callId, caller.callId);
  });
});

test('RFC 8840 §4.1: candidates while it rings, before any answer: rtpengine is told of no callee that it does not know', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1', transport: 'wss' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2', transport: 'wss' });
    const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
    const received = await bob.receivesRequest('INVITE');
    const ringing = bob.respond(received, 180);
    const caller = alice.dialog(invite, await alice.receivesResponse(180));
    const callee = bob.dialog(received, ringing);
    const info = { body: fragment, contentType: 'application/trickle-ice-sdpfrag' };
    const tell = async (agent: Agent, dialog: AgentDialog): Promise<readonly object[]> => {
      const before = it.media.told.length;
      agent.within(dialog, 'INFO', info);
      await agent.receivesResponse(200, 'INFO');
      await it.clock.advance(10);
      return it.media.told.slice(before).map(({ command }) => command);
    };
    const [offer] = it.media.told.map(({ command }) => command);
    assert.ok(offer?.command === 'offer');
    const candidates = { command: 'trickle', 'call-id': caller.callId, sdp: `v=0\r\n${fragment}` };
    const [from, branch] = [{ 'from-tag': caller.local.tag }, { 'via-branch': offer['via-branch'] }];
    assert.deepEqual(await tell(alice, caller), [{ ...candidates, ...from, ...branch }]);
    assert.deepEqual(await tell(bob, callee), [], 'he has sent no SDP, and has no ICE yet');
    bob.respond(received, 183, { body: browserAnswer('bob'), contentType: sdpType });
    await alice.receivesResponse(183);
    assert.deepEqual(await tell(alice, caller), [{ ...candidates, ...from, 'to-tag': 'bob-tag' }]);
    const turned = { 'from-tag': 'bob-tag', 'to-tag': caller.local.tag };
    assert.deepEqual(await tell(bob, callee), [{ ...candidates, ...turned }]);
    bob.respond(received, 200, { body: browserAnswer('bob'), contentType: sdpType });
    alice.ack(invite, await alice.receivesResponse(200, 'INVITE'));
    await bob.receivesRequest('ACK');
    await it.hangUp(alice, caller, bob);
  });
});
