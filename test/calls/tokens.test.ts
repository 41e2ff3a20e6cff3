/** Law 10: where requests of a dialog may go, whatever their sender writes; with and without the record of the call. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepend, removeFirst, withUri } from '../../src/message/edit.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import { Via } from '../../src/message/headers/via.ts';
import type { Agent, AgentDialog } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { browserOffer, phoneAnswer, phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'edge', 'bob', 'victim'];
const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;
const answer = { body: phoneAnswer('bob'), contentType: sdpType } as const;

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly victim: Agent;
}

/** Telephones on UDP without rport: none of them has a flow, all are reached at their Contacts. */
async function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns, users: ['alice', 'bob', 'carol'] });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const victim = it.agent({ name: 'victim', address: '203.0.113.9' });
    await script({ it, alice, bob, victim });
    await victim.receivesNothing(0);
  });
}

/** A request of the dialog that its sender has addressed to somebody else. */
function misdirected(by: Agent, dialog: AgentDialog, method: string, victim: Agent): void {
  by.within({ ...dialog, target: victim.contact, cseq: dialog.cseq++ }, method);
}

test('DESIGN law 10: in a call BYE, INFO, UPDATE and MESSAGE go to its other side, whatever the Request-URI says', () =>
  stage(async ({ it, alice, bob, victim }) => {
    const { caller, callee } = await it.call(alice, bob);
    for (const method of ['INFO', 'UPDATE', 'MESSAGE', 'BYE']) {
      misdirected(alice, caller, method, victim);
      const received = await bob.receivesRequest(method);
      assert.equal(received.uri, bob.contact);
      bob.respond(received, method === 'BYE' ? 481 : 200);
      await alice.receivesFinal(method);
    }
    misdirected(bob, callee, 'BYE', victim);
    await bob.receivesResponse(481, 'BYE');
  }));

test('DESIGN law 10: a Route that the call does not have: 481, and nobody hears of it', () =>
  stage(async ({ it, alice, bob, victim }) => {
    const { caller } = await it.call(alice, bob);
    for (const method of ['INFO', 'BYE']) {
      const route = [...caller.route, `<${victim.contact};lr>`];
      alice.within({ ...caller, route, cseq: caller.cseq++ }, method);
      await alice.receivesResponse(481, method);
    }
    await bob.receivesNothing(0);
    await it.hangUp(alice, caller, bob);
  }));

test('DESIGN law 10: after the call its token leads to nobody new', () =>
  stage(async ({ it, alice, bob, victim }) => {
    const { caller } = await it.call(alice, bob);
    await it.hangUp(alice, caller, bob);
    for (const method of ['MESSAGE', 'BYE']) {
      misdirected(alice, caller, method, victim);
      await alice.receivesResponse(481, method);
    }
    await bob.receivesNothing(0);
  }));

test('DESIGN §5: without the row, after a restart, a call can still be ended, and for a day; nobody else is reached', () =>
  stage(async ({ it, alice, bob, victim }) => {
    const { caller, callee } = await it.call(alice, bob);
    for (const record of it.database.rows.dialogs()) await it.database.dialogs.remove(record);
    it.media.set({ packets: 500 });
    await it.restart();
    misdirected(alice, caller, 'BYE', victim);
    await alice.receivesResponse(481, 'BYE');
    await it.hangUp(alice, caller, bob);
    await it.hangUp(bob, callee, alice);
    await it.clock.advance(26 * 3_600_000);
    bob.within(callee, 'BYE');
    await bob.receivesResponse(481, 'BYE');
    it.media.restart();
  }));

test('RFC 3262 §3: while bob rings, PRACK and UPDATE reach him and nobody else', () =>
  stage(async ({ alice, bob, victim }) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 183, { headers: [['RSeq', '1']] });
    const dialog = alice.dialog(invite, await alice.receivesResponse(183));
    for (const method of ['PRACK', 'UPDATE']) {
      misdirected(alice, dialog, method, victim);
      const request = await bob.receivesRequest(method);
      assert.equal(request.uri, bob.contact);
      bob.respond(request, 200);
      await alice.receivesResponse(200, method);
    }
    bob.respond(received, 486);
    alice.ack(invite, await alice.receivesResponse(486));
    await bob.receivesRequest('ACK');
    // It has come to nothing: its token names bob alone.
    misdirected(alice, dialog, 'UPDATE', victim);
    await alice.receivesResponse(481, 'UPDATE');
  }));

test('RFC 6665 §4.1: a subscription that passes us: NOTIFY and refresh go to its two sides alone', () =>
  stage(async ({ alice, bob, victim }) => {
    const subscribe = alice.request('REFER', bob.aor, {
      headers: [['Refer-To', '<sip:carol@example.com>']],
      contact: true,
    });
    const received = await bob.receivesRequest('REFER');
    const ok = bob.respond(received, 202, { recordRoute: true, contact: true });
    const caller = alice.dialog(subscribe, await alice.receivesResponse(202));
    const callee = bob.dialog(received, ok);
    misdirected(bob, callee, 'NOTIFY', victim);
    const notify = await alice.receivesRequest('NOTIFY');
    assert.equal(notify.uri, alice.contact);
    alice.respond(notify, 200);
    await bob.receivesResponse(200, 'NOTIFY');
    misdirected(alice, caller, 'SUBSCRIBE', victim);
    bob.respond(await bob.receivesRequest('SUBSCRIBE'), 200);
    await alice.receivesResponse(200, 'SUBSCRIBE');
  }));

test('DESIGN §5: after a BYE of ours: 481 for either side, also when she is back', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const browser = { name: 'alice', transport: 'wss', address: '192.0.2.1', port: 50_001 } as const;
    const instance = [['Contact', '<sip:a1@x1.invalid;transport=ws>;+sip.instance="<urn:uuid:a>";reg-id=1']] as const;
    const alice = await it.registered(browser, { contact: false, headers: instance });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const { caller, callee } = await it.call(alice, bob, { offer: browserOffer('alice') });
    alice.station.close();
    await it.clock.advance(11_000);
    bob.respond(await bob.receivesRequest('BYE'), 200);
    alice.request('REGISTER', 'sip:example.com', { contact: false, headers: instance });
    await alice.receivesResponse(200, 'REGISTER');
    for (const [by, dialog] of [
      [alice, caller],
      [bob, callee],
    ] as const) {
      by.within({ ...dialog, cseq: dialog.cseq + 9 }, 'INFO');
      await by.receivesResponse(481, 'INFO');
    }
  });
});

/** Alice calls bob, who is an address of `edge`: that sends the call back to us, for carol, and stays in its path. */
async function spiral(it: ProxyScene, alice: Agent, edge: Agent, carol: Agent): Promise<AgentDialog> {
  const invite = alice.request('INVITE', 'sip:bob@example.com', offer);
  const atEdge = prepend(await edge.receivesRequest('INVITE'), RecordRoute, own);
  edge.forward(withUri(atEdge, carol.aor));
  const atCarol = await carol.receivesRequest('INVITE');
  carol.respond(atCarol, 200, answer);
  edge.send(removeFirst(await edge.receivesResponse(200), Via));
  const ok = await alice.receivesResponse(200);
  alice.ack(invite, ok);
  edge.forward(removeFirst(await edge.receivesRequest('ACK'), Route));
  await carol.receivesRequest('ACK');
  assert.equal(it.database.rows.dialogs().length, 2);
  return alice.dialog(invite, ok);
}

const own = { display: undefined, uri: 'sip:192.0.2.9;lr', params: [] };

for (const when of ['in one life of the proxy', 'with a restart in between']) {
  test(`RFC 3261 §16.12: a call that passes us twice has a record of each pass and goes each way whole, ${when}`, async () => {
    const it = createProxyScene({ columns: ['alice', 'proxy', 'edge', 'carol'], users: ['alice', 'bob', 'carol'] });
    await it.play(async () => {
      const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
      const edge = await it.registered({ name: 'edge', aor: 'sip:bob@example.com', address: '192.0.2.9' });
      const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
      const dialog = await spiral(it, alice, edge, carol);
      if (when.startsWith('with')) await it.restart();
      it.ladder.clear();
      alice.within(dialog, 'BYE');
      edge.forward(removeFirst(await edge.receivesRequest('BYE'), Route));
      carol.respond(await carol.receivesRequest('BYE'), 200);
      edge.send(removeFirst(await edge.receivesResponse(200, 'BYE'), Via));
      await alice.receivesResponse(200, 'BYE');
      it.ladder.expect(`
        F1 alice ─BYE▶ proxy
        F2 proxy ─BYE▶ edge
        F3 proxy ◀BYE─ edge
        F4 proxy ─BYE▶ carol
        F5 proxy ◀200 BYE─ carol
        F6 proxy ─200 BYE▶ edge
        F7 proxy ◀200 BYE─ edge
        F8 alice ◀200 BYE─ proxy
      `);
      assert.deepEqual(it.database.rows.dialogs(), []);
    });
  });
}
