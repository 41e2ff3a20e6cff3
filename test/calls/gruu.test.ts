/** RFC 5627: requests to one device of an account, and devices that give such an address as their Contact. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, values } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import type { SipMessage, SipResponse } from '../../src/message/message.ts';
import { param, unquote } from '../../src/message/params.ts';
import type { Agent, AgentOptions } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, type ProxySceneOptions, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, browserOffer, phoneAnswer, phoneOffer } from '../support/sdp.ts';
import { notified, watch } from '../support/watcher.ts';

const server = 'sip:example.com';
const columns = ['alice', 'proxy', 'desk', 'web'];
const bob = 'sip:bob@example.com';

interface Device {
  readonly agent: Agent;
  /** Where it really is: the Contact of its REGISTER. */
  readonly contact: string;
  readonly publicGruu: string;
  readonly temporaryGruu: string;
}

interface Registration {
  readonly callId?: string;
  readonly cseq?: number;
  /** 0: none. */
  readonly regId?: number;
  readonly seconds?: number;
  readonly supported?: string;
  readonly contact?: string;
}

async function registers(agent: Agent, uuid: string, parts: Registration = {}): Promise<SipResponse> {
  const { callId = `${uuid}-reg`, cseq = 1, regId = 1, seconds = 600, supported = 'path, gruu, outbound' } = parts;
  const contact = `<${parts.contact ?? agent.contact}>;+sip.instance="<urn:uuid:${uuid}>"`;
  const flow = regId === 0 ? '' : `;reg-id=${regId}`;
  const headers = [
    ['Contact', `${contact}${flow};expires=${seconds}`],
    ['Supported', supported],
  ] as const;
  agent.request('REGISTER', server, { contact: false, headers, callId, cseq });
  return agent.receivesFinal('REGISTER');
}

function given(response: SipMessage, uuid: string): { readonly publicGruu: string; readonly temporaryGruu: string } {
  const own = values(response, Contact).find((text) => text.includes(`"<urn:uuid:${uuid}>"`)) ?? '';
  const [contact] = [Contact.parse(own)];
  const gruu = (name: string): string => unquote(param(contact?.params ?? [], name) ?? '');
  return { publicGruu: gruu('pub-gruu'), temporaryGruu: gruu('temp-gruu') };
}

async function device(it: ProxyScene, options: AgentOptions, uuid: string, parts: Registration = {}): Promise<Device> {
  const agent = it.agent(options);
  const response = await registers(agent, uuid, parts);
  assert.equal(response.status, 200);
  it.ladder.clear();
  return { agent, contact: agent.contact, ...given(response, uuid) };
}

const desks = { name: 'desk', aor: bob, transport: 'tcp', address: '192.0.2.2', port: 40_002 } as const;
const webs = { name: 'web', aor: bob, transport: 'wss', address: '192.0.2.3', port: 40_003 } as const;
const alices = { name: 'alice', address: '192.0.2.1' } as const;

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  /** Both are bob's. */
  readonly desk: Device;
  readonly web: Device;
}

async function stage(script: (stage: Stage) => Promise<void>, options: Partial<ProxySceneOptions> = {}): Promise<void> {
  const it = createProxyScene({ columns, ...options });
  await it.play(async () => {
    const alice = await it.registered(alices);
    const desk = await device(it, desks, 'd');
    const web = await device(it, webs, 'e');
    await script({ it, alice, desk, web });
  });
}

const offer = { body: phoneOffer('alice'), contentType: sdpType };

/** An INVITE from alice to this address meets this status. */
async function inviteMeets(alice: Agent, uri: string, status: number): Promise<SipResponse> {
  const invite = alice.request('INVITE', uri, offer);
  const response = await alice.receivesResponse(status);
  alice.ack(invite, response);
  return response;
}

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
