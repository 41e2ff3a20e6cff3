/** RFC 5627: devices that give a GRUU as their Contact, in dialogs (DESIGN law 4). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, values } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { Route } from '../../src/message/headers/route.ts';
import { alices, bob, device, given, inviteMeets, offer, registers, server, stage } from '../support/gruu-devices.ts';
import { createProxyScene, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, phoneAnswer, phoneOffer } from '../support/sdp.ts';

const places = {
  udp: { transport: 'udp', address: '192.0.2.5', port: 5060 },
  'udp by its flow': { transport: 'udp', address: '192.0.2.5', port: 5060, rport: true },
  tcp: { transport: 'tcp', address: '192.0.2.5', port: 40_005 },
  tls: { transport: 'tls', address: '192.0.2.5', port: 40_005 },
  ws: { transport: 'ws', address: '192.0.2.5', port: 40_005 },
  wss: { transport: 'wss', address: '192.0.2.5', port: 40_005 },
} as const;

const isBrowser = ({ transport }: { readonly transport: string }): boolean => transport.startsWith('ws');

describe('DESIGN law 4: a device whose Contact is its GRUU, in dialogs', () => {
  for (const [name, place] of Object.entries(places)) {
    for (const kind of ['publicGruu', 'temporaryGruu'] as const) {
      test(`${name}, ${kind}: it calls and is called, and each side reaches the other until the BYE`, async () => {
        const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
        await it.play(async () => {
          const alice = await it.registered(alices);
          // Without reg-id and rport it is reached at its Contact, not by its flow.
          const bobs = await device(it, { ...place, name: 'bob' }, 'd', name === 'udp' ? { regId: 0 } : {});
          bobs.agent.contact = bobs[kind];
          const says = isBrowser(place);
          const out = await it.call(bobs.agent, alice, { offer: says ? browserOffer('bob') : phoneOffer('bob') });
          assert.equal(get(out.received, Contact)?.uri, bobs[kind]);
          alice.within(out.callee, 'INFO');
          const info = await bobs.agent.receivesRequest('INFO');
          assert.equal(info.uri, bobs.contact, 'it knows itself by its contact');
          bobs.agent.respond(info, 200);
          await alice.receivesResponse(200, 'INFO');
          await it.hangUp(alice, out.callee, bobs.agent);
          const answer = says ? browserAnswer('bob') : phoneAnswer('bob');
          const back = await it.call(alice, bobs.agent, { answer });
          await it.hangUp(bobs.agent, back.callee, alice);
        });
      });
    }
  }

  test('without its record, as after a restart, the token leads to it, and to no other device', async () => {
    const it = createProxyScene({ columns: ['alice', 'proxy', 'bob', 'other'] });
    await it.play(async () => {
      const alice = await it.registered(alices);
      const bobs = await device(it, { ...places.udp, name: 'bob' }, 'd', { regId: 0 });
      const other = await device(it, { ...places.udp, name: 'other', aor: bob, address: '192.0.2.6' }, 'e', {
        regId: 0,
      });
      for (const kind of ['publicGruu', 'temporaryGruu'] as const) {
        bobs.agent.contact = bobs[kind];
        const headers = [['Refer-To', '<sip:carol@example.com>']] as const;
        // He calls, or is called: the token has his Contact in the one case, his binding in the other.
        for (const [one, two] of [
          [alice, bobs.agent],
          [bobs.agent, alice],
        ] as const) {
          const refer = one.request('REFER', two === alice ? alice.aor : bobs[kind], { contact: true, headers });
          const received = await two.receivesRequest('REFER');
          const accepted = two.respond(received, 202, { contact: true, recordRoute: true });
          const response = await one.receivesResponse(202);
          await it.restart();
          const dialog = one === alice ? alice.dialog(refer, response) : alice.dialog(received, accepted);
          for (const target of [other.publicGruu, other.temporaryGruu, bob]) {
            alice.within({ ...dialog, target }, 'NOTIFY', { headers: [['Event', 'refer']] });
            await alice.receivesResponse(481, 'NOTIFY');
          }
          alice.within(dialog, 'NOTIFY', { headers: [['Event', 'refer']] });
          const notify = await bobs.agent.receivesRequest('NOTIFY');
          assert.equal(notify.uri, bobs.contact);
          bobs.agent.respond(notify, 200);
          await alice.receivesResponse(200, 'NOTIFY');
        }
      }
      await other.agent.receivesNothing(0);
    });
  });

  for (const kind of ['publicGruu', 'temporaryGruu'] as const) {
    test(`${kind}: the WebSocket breaks and is made again: BYE in both directions`, () =>
      stage(async ({ it, alice, web }) => {
        for (const by of ['web', 'alice'] as const) {
          web.agent.contact = web[kind];
          const call = await it.call(web.agent, alice, { offer: browserOffer('web') });
          web.agent.station.close();
          await it.clock.advance(100);
          await registers(web.agent, 'e', { cseq: by === 'web' ? 2 : 3, contact: web.contact });
          if (by === 'web') await it.hangUp(web.agent, call.caller, alice);
          else {
            alice.within(call.callee, 'BYE');
            const bye = await web.agent.receivesRequest('BYE');
            assert.equal(bye.uri, web.contact);
            web.agent.respond(bye, 200);
            await alice.receivesResponse(200, 'BYE');
          }
        }
      }));
  }

  test('a page that was loaded again has another Contact: in the dialog it is reached at that', () =>
    stage(async ({ it, alice, web }) => {
      web.agent.contact = web.publicGruu;
      const call = await it.call(web.agent, alice, { offer: browserOffer('web') });
      web.agent.station.close();
      await it.clock.advance(100);
      await registers(web.agent, 'e', { callId: 'anew', contact: 'sip:fresh@y.invalid;transport=ws' });
      alice.within(call.callee, 'BYE');
      const bye = await web.agent.receivesRequest('BYE');
      assert.equal(bye.uri, 'sip:fresh@y.invalid;transport=ws');
      web.agent.respond(bye, 481);
      await alice.receivesResponse(481, 'BYE');
    }));

  test('law 1: a BYE of ours, and our ACK before it, go to its contact', () =>
    stage(async ({ it, alice, web }) => {
      web.agent.contact = web.temporaryGruu;
      const invite = alice.request('INVITE', web.publicGruu, offer);
      const received = await web.agent.receivesRequest('INVITE');
      it.media.set({ refuse: ({ command }) => (command === 'answer' ? 'media-refused' : undefined) });
      web.agent.respond(received, 200, { body: browserAnswer('web'), contentType: sdpType });
      assert.equal((await web.agent.receivesRequest('ACK')).uri, web.contact);
      const bye = await web.agent.receivesRequest('BYE');
      assert.equal(bye.uri, web.contact);
      web.agent.respond(bye, 200);
      const failed = await alice.receivesFinal('INVITE');
      alice.ack(invite, failed);
      it.media.set({ refuse: () => undefined });
    }));

  test('the connection that it called by is gone: our BYE finds it at the one that it is registered by', () =>
    stage(async ({ it, alice, web }) => {
      const place = { transport: 'wss', address: '192.0.2.3', port: 40_013 } as const;
      const second = it.agent({ ...place, name: 'second', aor: bob, contact: web.publicGruu });
      await it.call(second, alice, { offer: browserOffer('web') });
      second.station.close();
      alice.respond(await alice.receivesRequest('BYE', 11_000), 200);
      const bye = await web.agent.receivesRequest('BYE');
      assert.equal(bye.uri, web.contact);
      web.agent.respond(bye, 200);
    }));

  test('a dialog outlives the temporary GRUU that it was begun with: its device is still found', async () => {
    const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
    await it.play(async () => {
      const alice = await it.registered(alices);
      const bobs = await device(it, { ...places.udp, name: 'bob' }, 'd', { regId: 0 });
      bobs.agent.contact = bobs.temporaryGruu;
      const call = await it.call(bobs.agent, alice);
      await registers(bobs.agent, 'd', { regId: 0, callId: 'after-reboot', contact: bobs.contact });
      await it.hangUp(alice, call.callee, bobs.agent);
      await inviteMeets(alice, bobs.temporaryGruu, 404);
    });
  });

  test('RFC 3327: behind another proxy it is reached by its Path, unless that proxy is in the route set', async () => {
    const it = createProxyScene({ columns: ['alice', 'proxy', 'edge'] });
    await it.play(async () => {
      const alice = await it.registered(alices);
      const edge = it.agent({ name: 'edge', aor: bob, address: '192.0.2.8' });
      const path = '<sip:192.0.2.8;lr>';
      const contact = 'sip:bob@10.0.0.5';
      const headers = [
        ['Contact', `<${contact}>;+sip.instance="<urn:uuid:d>";expires=600`],
        ['Supported', 'path, gruu'],
        ['Path', path],
      ] as const;
      edge.request('REGISTER', server, { contact: false, headers });
      edge.contact = given(await edge.receivesResponse(200), 'd').publicGruu;
      for (const recorded of [false, true]) {
        const headers = recorded ? [['Record-Route', path] as const] : [];
        const invite = edge.request('INVITE', alice.aor, { ...offer, headers });
        const received = await alice.receivesRequest('INVITE');
        const accepted = alice.respond(received, 200, { body: phoneAnswer('alice'), contentType: sdpType });
        const answered = await edge.receivesResponse(200);
        const route = edge.dialog(invite, answered).route.filter((value) => value !== path);
        edge.ack(invite, answered, { route });
        await alice.receivesRequest('ACK');
        alice.within(alice.dialog(received, accepted), 'BYE');
        const bye = await edge.receivesRequest('BYE');
        assert.equal(bye.uri, contact);
        assert.deepEqual(values(bye, Route), [path]);
        edge.respond(bye, 200);
        await alice.receivesResponse(200, 'BYE');
      }
    });
  });

  test('after a restart, with the database away, a BYE still leaves by the flow, and is not lost for its Request-URI', async () => {
    const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
    await it.play(async () => {
      const alice = await it.registered(alices);
      const bobs = await device(it, { ...places['udp by its flow'], name: 'bob' }, 'd');
      bobs.agent.contact = bobs.publicGruu;
      const call = await it.call(bobs.agent, alice);
      await it.restart();
      it.database.set({ down: true });
      alice.within(call.callee, 'BYE');
      const bye = await bobs.agent.receivesRequest('BYE');
      assert.equal(bye.uri, bobs.publicGruu);
      bobs.agent.respond(bye, 200);
      await alice.receivesResponse(200, 'BYE');
    });
  });

  test('a GRUU of another device in a dialog gains nothing: the request stays in it', () =>
    stage(async ({ it, alice, desk, web }) => {
      const call = await it.call(alice, web.agent, { to: web.publicGruu, answer: browserAnswer('web') });
      alice.within({ ...call.caller, target: desk.publicGruu }, 'INFO');
      const info = await web.agent.receivesRequest('INFO');
      assert.equal(info.uri, desk.publicGruu);
      web.agent.respond(info, 200);
      await alice.receivesResponse(200, 'INFO');
      await it.hangUp(alice, { ...call.caller, cseq: 3 }, web.agent);
      await desk.agent.receivesNothing(0);
    }));
});
