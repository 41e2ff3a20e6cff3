/** Routes with a mistake in them, as anybody makes one at night: a call has a clear end, the log says where, and all goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routes } from '../../routes/routes.ts';
import { type Routes, relay, type Verdict } from '../../src/engine/api.ts';
import { values } from '../../src/message/header.ts';
import { Warning } from '../../src/message/headers/text.ts';
import type { Agent } from '../support/agent.ts';
import type { Names } from '../support/names.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;
const never = new Promise<never>(() => undefined);

type Script = (it: ProxyScene, alice: Agent, bob: Agent) => Promise<void>;

async function stage(change: Partial<Routes>, script: Script, names: Names = {}): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'], routes: { ...routes, ...change }, names });
  await it.play(async () => {
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    await script(it, it.agent({ name: 'alice', address: '192.0.2.1' }), bob);
  });
}

const toldOf = (it: ProxyScene, code: string): number =>
  it.log.filter(({ fields }) => Reflect.get(fields, 'code') === code).length;

/** Bob refuses, and acknowledges nothing else. */
async function isBusy(bob: Agent): Promise<void> {
  bob.respond(await bob.receivesRequest('INVITE'), 486);
  await bob.receivesRequest('ACK');
}

/** Thrown in a file of routes/. */
const mistake = Object.assign(new TypeError('no'), {
  stack: 'TypeError: no\n    at decides (file:///srv/viaduct/routes/hours.ts:7:3)',
});

/** Of calls; others are registered as ever. */
const decides = (verdict: () => Promise<Verdict>): Partial<Routes> => ({
  request: (request, proxy) => (request.message.method === 'INVITE' ? verdict() : routes.request(request, proxy)),
});

test('a route that throws: 500, the log names file and line, and strangers hear neither', () =>
  stage(
    decides(() => Promise.reject(mistake)),
    async (it, alice, bob) => {
      const invite = alice.request('INVITE', bob.aor, offer);
      const refused = await alice.receivesResponse(500);
      alice.ack(invite, refused);
      assert.deepEqual(values(refused, Warning), ['399 viaduct "A route ended with an exception."']);
      assert.ok(toldOf(it, 'route-failed') >= 1);
      assert.match(JSON.stringify(it.log), /routes\/hours\.ts, line 7: TypeError: no/);
    },
  ));

test('one that never says anything: 500 after 30 s; who gives up before hears 487 at once', () =>
  stage(
    decides(() => never),
    async (it, alice, bob) => {
      const invite = alice.request('INVITE', bob.aor, offer);
      await alice.receivesResponse(100);
      alice.ack(invite, await alice.receivesResponse(500, 'INVITE', 31_000));
      const second = alice.request('INVITE', bob.aor, offer);
      await alice.receivesResponse(100);
      alice.cancel(second);
      await alice.receivesResponse(200, 'CANCEL');
      alice.ack(second, await alice.receivesResponse(487));
      await it.clock.advance(31_000);
      assert.ok(toldOf(it, 'route-late') >= 1);
    },
  ));

test('a branch route that throws: the telephone does not ring, and the caller hears 500', () =>
  stage({ branch: () => Promise.reject(mistake) }, async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    alice.ack(invite, await alice.receivesResponse(500));
    await bob.receivesNothing(0);
    assert.ok(toldOf(it, 'route-failed') >= 1);
  }));

test('a reply route that throws: who has answered is hung up, and the caller hears 500', () =>
  stage({ reply: () => Promise.reject(mistake) }, async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    bob.respond(await bob.receivesRequest('INVITE'), 200, { body: phoneAnswer('bob'), contentType: sdpType });
    alice.ack(invite, await alice.receivesResponse(500));
    await bob.receivesRequest('ACK');
    bob.respond(await bob.receivesRequest('BYE'), 200);
    assert.ok(toldOf(it, 'route-failed') >= 1);
  }));

test('a failure route that throws adds nothing: the caller hears what the telephone said', () =>
  stage({ failure: () => Promise.reject(mistake) }, async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    await isBusy(bob);
    alice.ack(invite, await alice.receivesResponse(486));
    assert.equal(toldOf(it, 'route-failed'), 1);
  }));

test('one that never says anything adds nothing either, after 30 s', () =>
  stage({ failure: () => never }, async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    await isBusy(bob);
    await it.clock.advance(29_000);
    alice.ack(invite, await alice.receivesResponse(486));
    assert.equal(toldOf(it, 'route-late'), 1);
  }));

for (const [what, addresses] of [
  ['has no address', []],
  ['is this server', ['192.0.2.100']],
] as const) {
  test(`a route that relays to an account as if it were elsewhere, and its domain ${what}: 500 says what it should name`, async () => {
    const names = { addresses: { 'example.com': addresses } };
    const to = relay({ uri: 'sip:bob@example.com' });
    await stage(
      decides(async () => to),
      async (it, alice, bob) => {
        const invite = alice.request('INVITE', 'sip:1@example.com', offer);
        alice.ack(invite, await alice.receivesResponse(500));
        await bob.receivesNothing(0);
        assert.ok(toldOf(it, 'route-own-address') >= 1);
        assert.match(JSON.stringify(it.log), /Ring the account instead/);
      },
      names,
    );
  });
}

test('law 9: a failure route that names the same telephone for ever: after sixteen more tries the caller hears 486', () =>
  stage({ failure: async () => relay({ uri: 'sip:bob@192.0.2.2' }) }, async (it, alice, bob) => {
    const invite = alice.request('INVITE', bob.aor, offer);
    for (let time = 0; time < 17; time++) await isBusy(bob);
    alice.ack(invite, await alice.receivesResponse(486));
    await bob.receivesNothing(0);
    assert.equal(toldOf(it, 'route-endless'), 1);
  }));
