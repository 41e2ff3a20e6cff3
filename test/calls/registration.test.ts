/** RFC 3665 §2: registrations, each as it passes between bob and us; then what the location service owes its users. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { values } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { MinExpires } from '../../src/message/headers/numbers.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import type { SipMessage } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, passwordOf, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const nobody = (): boolean => false;
const columns = ['bob', 'proxy'];
const bobs = { name: 'bob', address: '192.0.2.2' } as const;
const server = 'sip:example.com';

const contacts = (message: SipMessage): readonly string[] => values(message, Contact);

test('RFC 3665 §2.1: a new registration is challenged, answered with its contact, and found', async () => {
  const it = createProxyScene({ columns, isTrusted: nobody });
  await it.play(async () => {
    const bob = it.agent(bobs);
    const answer = await it.register(bob);
    assert.deepEqual(contacts(answer), ['<sip:bob@192.0.2.2:5060>;expires=600']);
    it.ladder.expect(`
      F1 bob ─REGISTER▶ proxy
      F2 bob ◀401 REGISTER─ proxy
      F3 bob ─REGISTER▶ proxy
      F4 bob ◀200 REGISTER─ proxy
    `);
    assert.deepEqual(
      it.database.rows.bindings().map(({ aor, contact }) => [aor, contact]),
      [['sip:bob@example.com', 'sip:bob@192.0.2.2:5060']],
    );
  });
});

test('RFC 3665 §2.2: an update adds a contact; the 200 lists all, the own one first', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const bob = await it.registered(bobs);
    const headers = [
      ['Contact', '<sip:bob@198.51.100.7:5060>;q=0.5'],
      ['Expires', '300'],
    ] as const;
    bob.request('REGISTER', server, { contact: false, headers, cseq: 2 });
    const answer = await bob.receivesResponse(200);
    assert.deepEqual(contacts(answer), [
      '<sip:bob@198.51.100.7:5060>;q=0.5;expires=300',
      '<sip:bob@192.0.2.2:5060>;expires=600',
    ]);
  });
});

test('RFC 3665 §2.3: a REGISTER without Contact asks for the list and changes nothing', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const bob = await it.registered(bobs);
    bob.request('REGISTER', server, { contact: false });
    assert.deepEqual(contacts(await bob.receivesResponse(200)), ['<sip:bob@192.0.2.2:5060>;expires=600']);
  });
});

test('RFC 3665 §2.4: `Contact: *` with `Expires: 0` cancels all; afterwards bob is not there (480)', async () => {
  const it = createProxyScene({ columns: ['alice', 'bob', 'proxy'] });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered(bobs);
    bob.request('REGISTER', server, {
      contact: false,
      headers: [
        ['Contact', '*'],
        ['Expires', '0'],
      ],
    });
    assert.deepEqual(contacts(await bob.receivesResponse(200)), []);
    const invite = alice.request('INVITE', bob.aor);
    alice.ack(invite, await alice.receivesResponse(480));
    it.ladder.expect(`
      F1 bob ─REGISTER▶ proxy
      F2 bob ◀200 REGISTER─ proxy
      F3 alice ─INVITE▶ proxy
      F4 alice ◀480─ proxy
      F5 alice ─ACK▶ proxy
    `);
  });
});

test('RFC 3665 §2.5: a wrong password is challenged again, and nothing is stored', async () => {
  const it = createProxyScene({ columns, isTrusted: nobody });
  await it.play(async () => {
    const bob = it.agent(bobs);
    const first = bob.request('REGISTER', server);
    bob.login(first, await bob.receivesResponse(401), 'bob', 'wrong');
    await bob.receivesResponse(401);
    assert.deepEqual(it.database.rows.bindings(), []);
    it.ladder.expect(`
      F1 bob ─REGISTER▶ proxy
      F2 bob ◀401 REGISTER─ proxy
      F3 bob ─REGISTER▶ proxy
      F4 bob ◀401 REGISTER─ proxy
    `);
  });
});

test('RFC 3261 §10.3 step 4: an account registers only itself (403)', async () => {
  const it = createProxyScene({ columns, isTrusted: nobody });
  await it.play(async () => {
    const mallory = it.agent({ ...bobs, aor: 'sip:alice@example.com' });
    const first = mallory.request('REGISTER', server);
    mallory.login(first, await mallory.receivesResponse(401), 'bob', passwordOf('bob'));
    await mallory.receivesResponse(403);
    assert.deepEqual(it.database.rows.bindings(), []);
  });
});

test('RFC 3261 §10.3 step 7: a registration of less than a minute is refused with Min-Expires', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const bob = it.agent(bobs);
    bob.request('REGISTER', server, { headers: [['Expires', '5']] });
    assert.deepEqual(values(await bob.receivesResponse(423), MinExpires), ['60']);
  });
});

test('RFC 3261 §10.3 step 7: an older REGISTER that arrives after a newer one changes nothing (500)', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const bob = await it.registered(bobs, { callId: 'c1', cseq: 5 });
    bob.request('REGISTER', server, { callId: 'c1', cseq: 4, headers: [['Expires', '0']] });
    await bob.receivesResponse(500);
    assert.equal(it.database.rows.bindings().length, 1);
  });
});

test('RFC 3327 §5.3: a device behind another proxy is asked by its Path', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'edge'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const edge = it.agent({ name: 'edge', aor: 'sip:bob@example.com', address: '192.0.2.8' });
    const headers = [
      ['Contact', '<sip:bob@10.0.0.5>;expires=600'],
      ['Path', '<sip:192.0.2.8;lr>'],
    ] as const;
    edge.request('REGISTER', server, { contact: false, headers });
    await edge.receivesResponse(200);
    alice.request('OPTIONS', edge.aor);
    const options = await edge.receivesRequest('OPTIONS');
    assert.equal(options.uri, 'sip:bob@10.0.0.5');
    assert.deepEqual(values(options, Route), ['<sip:192.0.2.8;lr>']);
    edge.respond(options, 200);
    await alice.receivesResponse(200, 'OPTIONS');
  });
});

test('RFC 3327 §5.3: a proxy before our users closes its connection: they are called by their Path, and calls go on', async () => {
  const isTrusted = (address: string): boolean => address === '192.0.2.1';
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'], isTrusted });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const tcp = { transport: 'tcp', address: '192.0.2.8', dialable: true } as const;
    const edge = it.agent({ ...tcp, name: 'bob', contact: 'sip:bob@192.0.2.8;transport=tcp' });
    const way = '<sip:192.0.2.8;transport=tcp;lr>';
    await it.register(edge, { headers: [['Path', way]] });
    edge.station.close();
    await it.clock.advance(120_000);
    const { caller } = await it.call(alice, edge);
    edge.station.close();
    await it.clock.advance(120_000);
    await it.hangUp(alice, caller, edge);

    edge.station.close();
    const offer = { body: phoneOffer('bob'), contentType: sdpType };
    const first = edge.request('INVITE', alice.aor, { ...offer, headers: [['Record-Route', way]] });
    const refused = await edge.receivesResponse(407);
    edge.ack(first, refused);
    const invite = edge.login(first, refused, 'bob', passwordOf('bob'));
    const received = await alice.receivesRequest('INVITE');
    const ok = alice.respond(received, 200, { body: phoneAnswer('alice'), contentType: sdpType });
    const answered = await edge.receivesResponse(200);
    edge.ack(invite, answered, { route: edge.dialog(invite, answered).route.slice(-1) });
    await alice.receivesRequest('ACK');
    edge.station.close();
    await it.clock.advance(120_000);
    await it.hangUp(alice, alice.dialog(received, ok), edge);
  });
});

test('RFC 3327 §5.3: over TLS by an address: its connection is used while it is open, and then its Path is dialled', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const listens = { transport: 'tls', address: '192.0.2.8', port: 5061 } as const;
    const contact = 'sip:bob@10.0.0.2';
    const [edge, dialled] = [
      it.agent({ ...listens, port: 41_000, name: 'bob', contact }),
      it.agent({ ...listens, name: 'bob', contact, dialable: true }),
    ];
    const way = '<sip:192.0.2.8:5061;transport=tls;lr>';
    await it.register(edge, { headers: [['Path', way]] });
    /** As the proxy would: it stays on the way. */
    const answers = async (at: Agent) => {
      const sent = alice.request('INVITE', 'sip:bob@example.com', { body: phoneOffer('alice'), contentType: sdpType });
      const received = await at.receivesRequest('INVITE');
      assert.deepEqual(values(received, Route), [way]);
      const routes = [way, ...values(received, RecordRoute)].map((one) => ['Record-Route', one] as const);
      const body = { body: phoneAnswer('bob'), contentType: sdpType };
      at.respond(received, 200, { ...body, recordRoute: false, headers: routes });
      const answered = await alice.receivesResponse(200);
      alice.ack(sent, answered);
      return alice.dialog(sent, answered);
    };
    const first = await answers(edge);
    await edge.receivesRequest('ACK');
    edge.station.close();
    await it.clock.advance(120_000);
    await it.hangUp(alice, first, dialled);
    dialled.station.close();
    await it.restart();
    const second = await answers(dialled);
    await dialled.receivesRequest('ACK');
    await it.hangUp(alice, second, dialled);
  });
});

test('RFC 5626 §6: the same instance and reg-id replaces its contact, wherever it is now', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const bob = it.agent({ ...bobs, transport: 'wss', port: 50_000 });
    const contact = (host: string): readonly [string, string] => [
      'Contact',
      `<sip:x7f@${host}.invalid;transport=ws>;+sip.instance="<urn:uuid:1>";reg-id=1;expires=600`,
    ];
    bob.request('REGISTER', server, { contact: false, headers: [contact('first')] });
    await bob.receivesResponse(200);
    bob.station.close();
    bob.request('REGISTER', server, { contact: false, headers: [contact('second')] });
    const answer = contacts(await bob.receivesResponse(200));
    assert.equal(answer.length, 1);
    assert.match(answer[0] ?? '', /^<sip:x7f@second\.invalid/);
  });
});

test('DESIGN §5: connections of before a restart are dead: their bindings are gone at once, and a call meets 480', async () => {
  const it = createProxyScene({ columns: ['alice', 'bob', 'proxy'] });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ ...bobs, transport: 'wss', port: 40_000 });
    await it.restart();
    assert.deepEqual(it.database.rows.bindings(), []);
    const invite = alice.request('INVITE', bob.aor);
    alice.ack(invite, await alice.receivesResponse(480));
  });
});

test('a telephone that knows us by address alone: it registers, logs in, calls and is called as a user of our domain', async () => {
  const it = createProxyScene({ columns: ['alice', 'bob', 'proxy'], isTrusted: nobody });
  await it.play(async () => {
    const [alice, bob] = [
      it.agent({ name: 'alice', address: '192.0.2.1', aor: 'sip:alice@192.0.2.100' }),
      it.agent({ ...bobs, aor: 'sip:bob@192.0.2.100:5060' }),
    ];
    const registration = bob.request('REGISTER', 'sip:192.0.2.100:5060');
    bob.login(registration, await bob.receivesResponse(401), 'bob', passwordOf('bob'));
    await bob.receivesResponse(200);
    assert.deepEqual(
      it.database.rows.bindings().map(({ aor }) => aor),
      ['sip:bob@example.com'],
    );
    for (const to of ['sip:bob@192.0.2.100', 'sip:bob@example.com']) {
      const first = alice.request('MESSAGE', to);
      alice.login(first, await alice.receivesResponse(407), 'alice', passwordOf('alice'));
      bob.respond(await bob.receivesRequest('MESSAGE'), 200);
      await alice.receivesResponse(200);
    }
  });
});

test('RFC 5626 §5.3: a device with two flows rings once', async () => {
  const it = createProxyScene({ columns: ['alice', 'bob', 'proxy'] });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const flows = [1, 2].map((regId) => it.agent({ ...bobs, port: 40_000 + regId, transport: 'tcp' }));
    for (const [index, flow] of flows.entries()) {
      const contact = `<${flow.contact}>;+sip.instance="<urn:uuid:b>";reg-id=${index + 1}`;
      flow.request('REGISTER', server, { contact: false, headers: [['Contact', contact]] });
      assert.equal(contacts(await flow.receivesResponse(200)).length, index + 1);
    }
    alice.request('MESSAGE', 'sip:bob@example.com');
    const [first, second] = flows;
    assert.ok(first !== undefined && second !== undefined);
    second.respond(await second.receivesRequest('MESSAGE'), 200);
    await alice.receivesResponse(200);
    await first.receivesNothing(0);
  });
});

test('DESIGN law 5: the 200 to a REGISTER leaves after the row is committed', async () => {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    it.database.set({ latencyMs: 100 });
    const bob = it.agent(bobs);
    bob.request('REGISTER', server);
    await it.clock.advance(90);
    assert.deepEqual(bob.inbox, []);
    await bob.receivesResponse(200);
    assert.equal(it.database.rows.bindings().length, 1);
  });
});

test('RFC 3261 §10.2.4: a binding that was not refreshed is gone after its time (480)', async () => {
  const it = createProxyScene({ columns: ['alice', 'bob', 'proxy'] });
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered(bobs);
    await it.clock.advance(601_000);
    const invite = alice.request('INVITE', bob.aor);
    alice.ack(invite, await alice.receivesResponse(480));
    await bob.receivesNothing(0);
  });
});
