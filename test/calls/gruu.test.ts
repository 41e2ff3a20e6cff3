/** RFC 5627: requests to one device of an account. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { alices, bob, desks, device, given, inviteMeets, offer, registers, stage } from '../support/gruu-devices.ts';
import { createProxyScene } from '../support/proxy-scene.ts';
import { browserAnswer } from '../support/sdp.ts';
import { notified, watch } from '../support/watcher.ts';

describe('RFC 5627 §6.1: a call to one device', () => {
  test('by its public GRUU rings that device of two, at its contact', () =>
    stage(async ({ it, alice, desk, web }) => {
      assert.equal(desk.publicGruu, 'sip:bob@example.com;gr=urn:uuid:d');
      const { received, caller } = await it.call(alice, desk.agent, { to: desk.publicGruu });
      assert.equal(received.uri, desk.contact);
      it.ladder.expect(`
        F1 alice ─INVITE▶ proxy
        F2 alice ◀100─ proxy
        F3 proxy ─INVITE▶ desk
        F4 proxy ◀180─ desk
        F5 alice ◀180─ proxy
        F6 proxy ◀200─ desk
        F7 alice ◀200─ proxy
        F8 alice ─ACK▶ proxy
        F9 proxy ─ACK▶ desk
      `);
      await it.hangUp(alice, caller, desk.agent);
      await web.agent.receivesNothing(0);
    }));

  test('by its temporary GRUU too, which shows neither account nor device', () =>
    stage(async ({ it, alice, desk, web }) => {
      assert.match(web.temporaryGruu, /^sip:[\w-]{80}@example\.com;gr$/);
      const { received, caller } = await it.call(alice, web.agent, {
        to: web.temporaryGruu,
        answer: browserAnswer('web'),
      });
      assert.equal(received.uri, web.contact);
      await it.hangUp(alice, caller, web.agent);
      await desk.agent.receivesNothing(0);
    }));

  test('a refreshed registration has a new temporary GRUU, and the older one is still good', () =>
    stage(async ({ it, alice, desk }) => {
      const refreshed = given(await registers(desk.agent, 'd', { cseq: 2 }), 'd');
      assert.notEqual(refreshed.temporaryGruu, desk.temporaryGruu);
      assert.equal(refreshed.publicGruu, desk.publicGruu);
      for (const to of [desk.temporaryGruu, refreshed.temporaryGruu]) {
        const { caller } = await it.call(alice, desk.agent, { to });
        await it.hangUp(alice, caller, desk.agent);
      }
    }));

  test('§5.1: a new Call-ID makes the older temporary GRUU stale: 404 that says so; the public one goes on', () =>
    stage(async ({ it, alice, desk }) => {
      const anew = given(await registers(desk.agent, 'd', { callId: 'after-reboot' }), 'd');
      const refused = await inviteMeets(alice, desk.temporaryGruu, 404);
      assert.match(refused.headers.map(({ value }) => value).join(), /temporary address of a device \(GRUU\)/);
      for (const to of [anew.temporaryGruu, desk.publicGruu]) {
        const { caller } = await it.call(alice, desk.agent, { to });
        await it.hangUp(alice, caller, desk.agent);
      }
    }));

  test('a device that is not registered: 480 at its public GRUU, 404 at its temporary one, whoever else is there', () =>
    stage(async ({ alice, desk, web }) => {
      await registers(desk.agent, 'd', { cseq: 2, seconds: 0 });
      await inviteMeets(alice, desk.publicGruu, 480);
      await inviteMeets(alice, desk.temporaryGruu, 404);
      await registers(desk.agent, 'd', { cseq: 3 });
      // §5.1: it ended with its registration, though the Call-ID is the same.
      await inviteMeets(alice, desk.temporaryGruu, 404);
      await web.agent.receivesNothing(0);
    }));

  test('of an account that does not exist, or never given by us: 404', () =>
    stage(async ({ alice, desk }) => {
      await inviteMeets(alice, 'sip:nobody@example.com;gr=urn:uuid:d', 404);
      await inviteMeets(alice, `sip:${'A'.repeat(80)}@example.com;gr`, 404);
      await inviteMeets(alice, desk.temporaryGruu.replace('@', 'x@'), 404);
    }));

  test('a `gr` of somebody else’s domain is his: it goes there as it is', async () => {
    const names = { addresses: { 'carol.example.net': ['192.0.2.9'] } };
    await stage(
      async ({ it, alice }) => {
        const carol = it.agent({ name: 'carol', aor: 'sip:carol@carol.example.net', address: '192.0.2.9' });
        const uri = 'sip:carol@carol.example.net;gr=urn:uuid:d';
        alice.request('OPTIONS', uri);
        const received = await carol.receivesRequest('OPTIONS');
        assert.equal(received.uri, uri);
        carol.respond(received, 200);
        await alice.receivesResponse(200, 'OPTIONS');
      },
      { columns: ['alice', 'proxy', 'carol'], names },
    );
  });

  test('RFC 5626 §5.3: of several flows the newest is tried first, then the other', async () => {
    const it = createProxyScene({ columns: ['alice', 'proxy', 'desk', 'desk2'] });
    await it.play(async () => {
      const alice = await it.registered(alices);
      const first = await device(it, desks, 'd');
      const second = it.agent({ ...desks, name: 'desk2', port: 40_012, contact: first.contact });
      assert.equal((await registers(second, 'd', { cseq: 2, regId: 2 })).status, 200);
      // A temporary GRUU that the one flow was given leads to each of them.
      for (const to of [first.publicGruu, first.temporaryGruu]) {
        const invite = alice.request('INVITE', to, offer);
        second.respond(await second.receivesRequest('INVITE'), 430);
        await second.receivesRequest('ACK');
        first.agent.respond(await first.agent.receivesRequest('INVITE'), 486);
        await first.agent.receivesRequest('ACK');
        alice.ack(invite, await alice.receivesResponse(486));
      }
    });
  });

  test('RFC 5627 §5.1: it stays good when the flow that was given it ends and another is left', async () => {
    const it = createProxyScene({ columns: ['alice', 'proxy', 'desk', 'desk2'] });
    await it.play(async () => {
      const alice = await it.registered(alices);
      const first = await device(it, desks, 'd');
      const second = it.agent({ ...desks, name: 'desk2', port: 40_012, contact: first.contact });
      await registers(second, 'd', { cseq: 2, regId: 2 });
      first.agent.station.close();
      await it.clock.advance(11_000);
      const { caller } = await it.call(alice, second, { to: first.temporaryGruu });
      await it.hangUp(alice, caller, second);
    });
  });
});

describe('what an account wants for its calls, for one of its devices', () => {
  test('no forwarding and no voicemail: a GRUU is this device, and nobody else answers for it', () =>
    stage(async ({ it, alice, desk, web }) => {
      const elsewhere = 'sip:alice@example.com';
      const all = {
        forwardAlways: elsewhere,
        forwardBusy: elsewhere,
        forwardNoAnswer: elsewhere,
        voicemail: elsewhere,
      };
      it.database.setCalls('bob', 'example.com', all);
      const invite = alice.request('INVITE', desk.publicGruu, offer);
      desk.agent.respond(await desk.agent.receivesRequest('INVITE'), 486);
      await desk.agent.receivesRequest('ACK');
      alice.ack(invite, await alice.receivesResponse(486));
      await web.agent.receivesNothing(0);
    }));

  test('an account that does not want to be disturbed is not disturbed: 480; a call that takes the place of one comes in', () =>
    stage(async ({ it, alice, desk }) => {
      it.database.setCalls('bob', 'example.com', { doNotDisturb: true });
      await inviteMeets(alice, desk.publicGruu, 480);
      const headers = [['Replaces', 'call-9;to-tag=a;from-tag=b']] as const;
      const invite = alice.request('INVITE', desk.publicGruu, { ...offer, headers });
      desk.agent.respond(await desk.agent.receivesRequest('INVITE'), 481);
      await desk.agent.receivesRequest('ACK');
      alice.ack(invite, await alice.receivesResponse(481));
    }));

  test('its number of calls is that of its account: 486', () =>
    stage(async ({ it, alice, desk, web }) => {
      it.database.setCalls('bob', 'example.com', { mostCalls: 1 });
      const { caller } = await it.call(alice, desk.agent, { to: desk.publicGruu });
      await inviteMeets(alice, web.temporaryGruu, 486);
      await it.hangUp(alice, caller, desk.agent);
    }));

  test('no alias and no dial rule takes it: it is of an account', () =>
    stage(async ({ it, alice, web }) => {
      await it.proxy().operations.setAlias('*', 'bob');
      await inviteMeets(alice, 'sip:1234@example.com;gr=urn:uuid:e', 404);
      await inviteMeets(alice, `sip:${'A'.repeat(80)}@example.com;gr`, 404);
      await web.agent.receivesNothing(0);
    }));

  test('neither does one where a colleague forwards to: his own devices ring then', () =>
    stage(async ({ it, alice, desk, web }) => {
      await it.proxy().operations.setAlias('1234', 'bob');
      it.database.setCalls('alice', 'example.com', { forwardAlways: 'sip:1234@example.com;gr=urn:uuid:e' });
      const { caller } = await it.call(desk.agent, alice);
      await it.hangUp(desk.agent, caller, alice);
      it.database.setCalls('alice', 'example.com', { forwardAlways: web.publicGruu });
      const invite = desk.agent.request('INVITE', alice.aor, offer);
      web.agent.respond(await web.agent.receivesRequest('INVITE'), 486);
      await web.agent.receivesRequest('ACK');
      desk.agent.ack(invite, await desk.agent.receivesResponse(486));
    }));

  test('a Contact that is a GRUU of a colleague leads to that device of his', () =>
    stage(async ({ it, alice, desk, web }) => {
      const dave = await it.registered({ name: 'dave', address: '192.0.2.7', contact: desk.publicGruu });
      const { received, caller } = await it.call(alice, desk.agent, { to: dave.aor });
      assert.equal(received.uri, desk.contact);
      await it.hangUp(alice, caller, desk.agent);
      await web.agent.receivesNothing(0);
    }));

  test('§5.1: a Contact that is a GRUU of its own account is refused: 403', () =>
    stage(async ({ desk }) => {
      for (const contact of [desk.publicGruu, desk.temporaryGruu]) {
        const refused = await registers(desk.agent, 'd', { cseq: 2, contact });
        assert.equal(refused.status, 403);
      }
    }));
});

describe('other requests to one device', () => {
  test('a MESSAGE goes to it alone, and is not kept for another device when it is away', () =>
    stage(async ({ it, alice, desk, web }) => {
      alice.request('MESSAGE', desk.temporaryGruu, { body: 'hello', contentType: 'text/plain' });
      desk.agent.respond(await desk.agent.receivesRequest('MESSAGE'), 200);
      await alice.receivesResponse(200, 'MESSAGE');
      await registers(desk.agent, 'd', { cseq: 2, seconds: 0 });
      alice.request('MESSAGE', desk.publicGruu, { body: 'hello', contentType: 'text/plain' });
      await alice.receivesResponse(480, 'MESSAGE');
      assert.deepEqual(it.database.rows.messages(), []);
      await web.agent.receivesNothing(0);
    }));

  test('a MESSAGE that its device cannot take at the moment is not kept either', () =>
    stage(async ({ it, alice, desk }) => {
      alice.request('MESSAGE', desk.publicGruu, { body: 'hello', contentType: 'text/plain' });
      desk.agent.respond(await desk.agent.receivesRequest('MESSAGE'), 480);
      await alice.receivesResponse(480, 'MESSAGE');
      assert.deepEqual(it.database.rows.messages(), []);
    }));

  test('a SUBSCRIBE is for the device itself, and its NOTIFY comes back, each at a GRUU', () =>
    stage(async ({ it, desk, web }) => {
      desk.agent.contact = desk.publicGruu;
      web.agent.contact = web.temporaryGruu;
      const headers = [['Event', 'dialog']] as const;
      const subscribe = web.agent.request('SUBSCRIBE', desk.publicGruu, { headers });
      const received = await desk.agent.receivesRequest('SUBSCRIBE');
      assert.equal(received.uri, desk.contact);
      const ok = desk.agent.respond(received, 200, { headers: [['Expires', '600']] });
      const dialog = web.agent.dialog(subscribe, await web.agent.receivesResponse(200));
      desk.agent.within(desk.agent.dialog(received, ok), 'NOTIFY', { headers });
      const notify = await web.agent.receivesRequest('NOTIFY');
      assert.equal(notify.uri, web.contact);
      web.agent.respond(notify, 200);
      await desk.agent.receivesResponse(200, 'NOTIFY');
      web.agent.within(dialog, 'SUBSCRIBE', { headers: [...headers, ['Expires', '0']] });
      const last = await desk.agent.receivesRequest('SUBSCRIBE');
      assert.equal(last.uri, desk.contact);
      desk.agent.respond(last, 200);
      await web.agent.receivesResponse(200);
      it.ladder.clear();
    }));

  test('RFC 6665: a watcher of ours whose Contact is a GRUU is told at its contact', () =>
    stage(async ({ desk, web }) => {
      for (const one of [desk, web]) {
        one.agent.contact = one.temporaryGruu;
        one.agent.request('SUBSCRIBE', bob, { headers: [['Event', 'message-summary']] });
        await one.agent.receivesResponse(200, 'SUBSCRIBE');
        const notify = await one.agent.receivesRequest('NOTIFY');
        assert.equal(notify.uri, one.contact);
        one.agent.respond(notify, 200);
      }
    }));
});

describe('RFC 5359 §2.5: an attended transfer to the GRUU of a device', () => {
  test('reaches the device that has the call, which takes the new one in its place', () =>
    stage(async ({ it, alice, desk, web }) => {
      const carol = await it.registered({ name: 'carol', address: '192.0.2.4' });
      desk.agent.contact = desk.publicGruu;
      web.agent.contact = web.publicGruu;
      // Alice talks to carol, then asks bob's desk, and connects the two.
      const first = await it.call(alice, carol);
      const second = await it.call(alice, desk.agent);
      const late = await web.agent.receivesRequest('INVITE');
      web.agent.respond(late, 180);
      web.agent.respond(await web.agent.receivesRequest('CANCEL'), 200);
      web.agent.respond(late, 487);
      await web.agent.receivesRequest('ACK');
      const { callId, local, remote, target } = second.caller;
      assert.equal(target, desk.publicGruu);
      const replaces = `${callId};to-tag=${remote.tag};from-tag=${local.tag}`;
      const refer = [['Refer-To', `<${target}?Replaces=${encodeURIComponent(replaces)}>`]] as const;
      alice.within(first.caller, 'REFER', { headers: refer });
      carol.respond(await carol.receivesRequest('REFER'), 202);
      await alice.receivesResponse(202);
      const taken = await it.call(carol, desk.agent, { to: target });
      assert.equal(taken.received.uri, desk.contact);
      await it.hangUp(desk.agent, second.callee, alice);
      await it.hangUp(carol, first.callee, alice);
      await it.hangUp(desk.agent, taken.callee, carol);
      await web.agent.receivesNothing(0);
    }));

  test('RFC 3515: a REFER to a GRUU outside of a dialog goes to that device, and so does what follows', () =>
    stage(async ({ alice, desk, web }) => {
      desk.agent.contact = desk.temporaryGruu;
      const refer = alice.request('REFER', desk.publicGruu, {
        contact: true,
        headers: [['Refer-To', '<sip:carol@example.com>']],
      });
      const received = await desk.agent.receivesRequest('REFER');
      assert.equal(received.uri, desk.contact);
      const accepted = desk.agent.respond(received, 202, { contact: true, recordRoute: true });
      const dialog = alice.dialog(refer, await alice.receivesResponse(202));
      desk.agent.within(desk.agent.dialog(received, accepted), 'NOTIFY', { headers: [['Event', 'refer']] });
      alice.respond(await alice.receivesRequest('NOTIFY'), 200);
      await desk.agent.receivesResponse(200, 'NOTIFY');
      alice.within(dialog, 'SUBSCRIBE', { headers: [['Event', 'refer']] });
      const subscribe = await desk.agent.receivesRequest('SUBSCRIBE');
      assert.equal(subscribe.uri, desk.contact);
      desk.agent.respond(subscribe, 200);
      await alice.receivesResponse(200, 'SUBSCRIBE');
      await web.agent.receivesNothing(0);
    }));
});

test('RFC 5628: bob’s own watchers of his registrations are told the GRUUs of each device; anew when they went stale', () =>
  stage(async ({ it, desk, web }) => {
    const { first } = await watch(web.agent, bob, 'reg');
    assert.match(first.body, /^<[^>]+>\s*<reginfo [^>]*xmlns:gr="urn:ietf:params:xml:ns:gruuinfo"/);
    for (const { publicGruu, temporaryGruu } of [desk, web]) {
      const elements = `<gr:pub-gruu uri="${publicGruu}"/><gr:temp-gruu uri="${temporaryGruu}" first-cseq="1"/></contact>`;
      assert.ok(first.body.includes(elements), first.body);
    }
    await it.clock.advance(5_000);
    await registers(desk.agent, 'd', { cseq: 2 });
    await web.agent.receivesNothing(10_000);
    const anew = given(await registers(desk.agent, 'd', { callId: 'after-reboot', cseq: 9 }), 'd');
    const told = await notified(web.agent);
    assert.ok(told.body.includes(`<gr:temp-gruu uri="${anew.temporaryGruu}" first-cseq="9"/>`), told.body);
  }));

test('RFC 5628: a device without GRUUs is told without them', () =>
  stage(
    async ({ it }) => {
      const carol = await it.registered({ name: 'carol', address: '192.0.2.4' });
      const { first } = await watch(carol, carol.aor, 'reg');
      assert.match(first.body, /<uri>sip:carol@192.0.2.4:5060<\/uri><\/contact>/);
    },
    { users: ['alice', 'bob', 'carol'] },
  ));

test('a call to a temporary GRUU lights the lamp of its account', () =>
  stage(
    async ({ it, alice, desk }) => {
      const carol = await it.registered({ name: 'carol', address: '192.0.2.4' });
      await watch(carol, bob, 'dialog');
      const { caller } = await it.call(alice, desk.agent, { to: desk.temporaryGruu });
      assert.match((await notified(carol)).body, /direction="recipient"/);
      await it.hangUp(alice, caller, desk.agent);
      await notified(carol);
    },
    { users: ['alice', 'bob', 'carol'] },
  ));

test('DESIGN law 10: a stranger learns nothing from a public GRUU: 480 whether the account exists or not', () =>
  stage(
    async ({ it, desk, alice }) => {
      const eve = it.agent({ name: 'eve', aor: 'sip:eve@example.org', address: '198.51.100.7' });
      await registers(desk.agent, 'd', { cseq: 2, seconds: 0 });
      await inviteMeets(eve, desk.publicGruu, 480);
      await inviteMeets(eve, 'sip:nobody@example.com;gr=urn:uuid:d', 480);
      await inviteMeets(alice, 'sip:nobody@example.com;gr=urn:uuid:d', 404);
    },
    { acceptForeign: true, isTrusted: (address) => address.startsWith('192.0.2.') },
  ));

test('the list of registrations shows the public GRUU', () =>
  stage(async ({ it, desk, web }) => {
    const { items } = await it.proxy().operations.registrations({ limit: 10 });
    const shown = items.map(({ publicGruu }) => publicGruu);
    assert.deepEqual(shown, [undefined, web.publicGruu, desk.publicGruu]);
  }));
