/**
 * RFC 3261 §16.3 step 4, DESIGN law 2: a call that passes us twice, because somebody sends it back to us for another one, goes
 * through rtpengine once, and each side gets the SDP that it can take.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepend, removeFirst, withBody, withUri } from '../../src/message/edit.ts';
import { get } from '../../src/message/header.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import { Warning } from '../../src/message/headers/text.ts';
import { Via } from '../../src/message/headers/via.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import type { Agent, AgentDialog, AgentOptions } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, phoneAnswer, phoneOffer, seen } from '../support/sdp.ts';

const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;

/** How the edge stays in the path of the call. */
const own = { display: undefined, uri: 'sip:192.0.2.9;lr', params: [] };

interface Spiral {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly edge: Agent;
  readonly carol: Agent;
  readonly invite: SipRequest;
  readonly atEdge: SipRequest;
  readonly atCarol: SipRequest;
}

/** Alice calls bob, who is an address of `edge`: that sends the call back to us, for carol. */
function spiral(carols: Partial<AgentOptions>, script: (spiral: Spiral) => Promise<void>): Promise<void> {
  const it = createProxyScene({
    columns: ['alice', 'proxy', 'edge', 'carol'],
    listen: ['udp:192.0.2.100:5060', 'wss:192.0.2.100:8443', 'udp:[2001:db8::100]:5060'],
    users: ['alice', 'bob', 'carol'],
  });
  return it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const edge = await it.registered({ name: 'edge', aor: 'sip:bob@example.com', address: '192.0.2.9' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.3', ...carols });
    it.ladder.clear();
    const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
    const atEdge = await edge.receivesRequest('INVITE');
    edge.forward(withUri(prepend(atEdge, RecordRoute, own), carol.aor));
    const atCarol = await carol.receivesRequest('INVITE');
    await script({ it, alice, edge, carol, invite, atEdge, atCarol });
    assert.deepEqual(it.media.calls(), []);
    assert.deepEqual(it.media.mistakes, []);
  });
}

const browser = { transport: 'wss' } as const;

/** The edge hands on a request within the call, whoever sent it. */
async function onward(edge: Agent, method: string): Promise<void> {
  edge.forward(removeFirst(await edge.receivesRequest(method), Route));
}

async function back(edge: Agent, method: string): Promise<SipResponse> {
  const passed = removeFirst(await edge.receivesResponse(200, method), Via);
  edge.send(passed);
  return passed;
}

interface Up extends Spiral {
  readonly caller: AgentDialog;
  readonly callee: AgentDialog;
  /** What alice and, on its way to her, the edge were answered. */
  readonly ok: SipResponse;
  readonly passed: SipResponse;
}

async function answered(spiral: Spiral, body: string): Promise<Up> {
  const { alice, edge, carol, invite, atCarol } = spiral;
  const accepted = carol.respond(atCarol, 200, { body, contentType: sdpType });
  const passed = await back(edge, 'INVITE');
  const ok = await alice.receivesResponse(200);
  alice.ack(invite, ok);
  await onward(edge, 'ACK');
  await carol.receivesRequest('ACK');
  return { ...spiral, caller: alice.dialog(invite, ok), callee: carol.dialog(atCarol, accepted), ok, passed };
}

async function hangUp({ edge }: Up, by: Agent, dialog: AgentDialog, other: Agent): Promise<void> {
  by.within(dialog, 'BYE');
  await onward(edge, 'BYE');
  other.respond(await other.receivesRequest('BYE'), 200);
  await back(edge, 'BYE');
  await by.receivesResponse(200, 'BYE');
}

for (const ends of ['alice', 'carol'] as const) {
  test(`law 2: a spiral to a browser has the SDP of a browser, and alice its answer as a phone; ${ends} hangs up`, () =>
    spiral(browser, async (it) => {
      const { alice, carol, atEdge, atCarol } = it;
      assert.equal(seen(atEdge.body).protocol, 'RTP/AVP');
      assert.equal(seen(atCarol.body).protocol, 'UDP/TLS/RTP/SAVPF');
      const up = await answered(it, browserAnswer('carol'));
      assert.equal(up.ok.body, up.passed.body, 'through rtpengine once');
      assert.equal(seen(up.ok.body).protocol, 'RTP/AVP');
      assert.deepEqual(it.it.media.story(), ['offer RTP/AVP', 'offer UDP/TLS/RTP/SAVPF', 'answer']);
      it.it.ladder.expect(`
        F1 alice ─INVITE▶ proxy
        F2 alice ◀100─ proxy
        F3 proxy ─INVITE▶ edge
        F4 proxy ◀INVITE─ edge
        F5 proxy ─100▶ edge
        F6 proxy ─INVITE▶ carol
        F7 proxy ◀200─ carol
        F8 proxy ─200▶ edge
        F9 proxy ◀200─ edge
        F10 alice ◀200─ proxy
        F11 alice ─ACK▶ proxy
        F12 proxy ─ACK▶ edge
        F13 proxy ◀ACK─ edge
        F14 proxy ─ACK▶ carol
      `);
      if (ends === 'alice') await hangUp(up, alice, up.caller, carol);
      else await hangUp(up, carol, up.callee, alice);
    }));
}

test('law 2: a re-INVITE of either side in a spiral reaches the other as what it speaks', () =>
  spiral(browser, async (it) => {
    const { alice, edge, carol } = it;
    const up = await answered(it, browserAnswer('carol'));
    const { caller, callee } = up;
    const sdp = (body: string) => ({ body, contentType: sdpType });
    const changing = alice.within(caller, 'INVITE', sdp(phoneOffer('alice', { version: 2 })));
    await onward(edge, 'INVITE');
    const changed = await carol.receivesRequest('INVITE');
    assert.equal(seen(changed.body).protocol, 'UDP/TLS/RTP/SAVPF');
    carol.respond(changed, 200, sdp(browserAnswer('carol', { version: 2 })));
    await back(edge, 'INVITE');
    const again = await alice.receivesResponse(200);
    assert.equal(seen(again.body).protocol, 'RTP/AVP');
    alice.ack(changing, again);
    await onward(edge, 'ACK');
    await carol.receivesRequest('ACK');
    const holding = carol.within(callee, 'INVITE', sdp(browserOffer('carol', { version: 3 })));
    await onward(edge, 'INVITE');
    const held = await alice.receivesRequest('INVITE');
    assert.equal(seen(held.body).protocol, 'RTP/AVP');
    alice.respond(held, 200, sdp(phoneAnswer('alice', { version: 3 })));
    await back(edge, 'INVITE');
    const last = await carol.receivesResponse(200);
    assert.equal(seen(last.body).protocol, 'UDP/TLS/RTP/SAVPF');
    carol.ack(holding, last);
    await onward(edge, 'ACK');
    await alice.receivesRequest('ACK');
    await hangUp(up, alice, { ...caller, cseq: caller.cseq + 1 }, carol);
  }));

test('a spiral to a party of the same kind is left alone: one offer, one answer', () =>
  spiral({}, async (it) => {
    assert.equal(it.atCarol.body, it.atEdge.body);
    const up = await answered(it, phoneAnswer('carol'));
    assert.deepEqual(it.it.media.story(), ['offer RTP/AVP', 'answer']);
    await hangUp(up, it.alice, up.caller, it.carol);
  }));

test('a spiral to a phone of the other address family has an SDP of its own', () =>
  spiral({ address: '2001:db8::3', listener: 2 }, async (it) => {
    assert.notEqual(it.atCarol.body, it.atEdge.body);
    const families = it.it.media.told.map(({ command }) => 'address-family' in command && command['address-family']);
    assert.deepEqual(families, ['IP4', 'IP6']);
    const up = await answered(it, phoneAnswer('carol'));
    await hangUp(up, it.alice, up.caller, it.carol);
  }));

test('law 1: a spiral with an SDP that was changed on its way is refused for what it is (482), and the next call is none the worse', () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'edge', 'carol'], users: ['alice', 'bob', 'carol'] });
  return it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const edge = await it.registered({ name: 'edge', aor: 'sip:bob@example.com', address: '192.0.2.9' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
    it.ladder.clear();
    const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
    const atEdge = await edge.receivesRequest('INVITE');
    const changed = withBody(withUri(atEdge, carol.aor), atEdge.body.replace(/^c=.*\r$/m, 'c=IN IP4 192.0.2.9\r'));
    const sent = edge.forward(changed);
    const refusal = await edge.receivesResponse(482);
    assert.match(get(refusal, Warning) ?? '', /came back with another SDP/);
    edge.ack(sent, refusal);
    edge.respond(atEdge, 482);
    await edge.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(482));
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀100─ proxy
      F3 proxy ─INVITE▶ edge
      F4 proxy ◀INVITE─ edge
      F5 proxy ─100▶ edge
      F6 proxy ─482▶ edge
      F7 proxy ◀ACK─ edge
      F8 proxy ◀482─ edge
      F9 proxy ─ACK▶ edge
      F10 alice ◀482─ proxy
      F11 alice ─ACK▶ proxy
    `);
    assert.deepEqual(it.media.calls(), []);
    const { caller } = await it.call(alice, carol);
    await it.hangUp(alice, caller, carol);
    assert.deepEqual(it.media.mistakes, []);
  });
});

test('a spiral that nobody takes leaves nothing behind', () =>
  spiral(browser, async ({ alice, edge, carol, invite, atEdge, atCarol }) => {
    carol.respond(atCarol, 486);
    await carol.receivesRequest('ACK');
    edge.ack(withUri(atEdge, carol.aor), await edge.receivesResponse(486));
    edge.respond(atEdge, 486);
    await edge.receivesRequest('ACK');
    alice.ack(invite, await alice.receivesResponse(486));
  }));
