/** How many calls an account may have at a time, as caller and as callee (routes/limit.ts, routes/forwarding.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Warning } from '../../src/message/headers/text.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import {
  createProxyScene,
  type ProxyScene,
  type ProxySceneOptions,
  passwordOf,
  sdpType,
} from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly carol: Agent;
}

const users = ['alice', 'bob', 'carol'];
const columns = ['alice', 'bob', 'proxy', 'carol'];
const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

async function stage(
  script: (stage: Stage) => Promise<void>,
  options: Partial<ProxySceneOptions> = {},
  limits: Readonly<Record<string, number>> = {},
): Promise<void> {
  const it = createProxyScene({ columns, users, ...options });
  await it.play(async () => {
    for (const [name, mostCalls] of Object.entries(limits)) it.database.setCalls(name, 'example.com', { mostCalls });
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.3' });
    await script({ it, alice, bob, carol });
  });
}

const calls = (caller: Agent, to: Agent): SipRequest => caller.request('INVITE', to.aor, sdp(phoneOffer(caller.name)));

/** With her password. */
async function callsAsUser(caller: Agent, to: Agent): Promise<SipRequest> {
  const first = calls(caller, to);
  const challenge = await caller.receivesResponse(407);
  caller.ack(first, challenge);
  return caller.login(first, challenge, caller.name, passwordOf(caller.name));
}

async function isRefused(caller: Agent, invite: SipRequest, status: number): Promise<SipResponse> {
  const final = await caller.receivesResponse(status);
  caller.ack(invite, final);
  return final;
}

async function rings(caller: Agent, callee: Agent): Promise<SipRequest> {
  const received = await callee.receivesRequest('INVITE');
  callee.respond(received, 180);
  await caller.receivesResponse(180);
  return received;
}

test('RFC 3261 §21.4.24: bob may have one call: the second caller hears 486 with the reason; when he has hung up the next one rings', () =>
  stage(
    async ({ it, alice, bob, carol }) => {
      const { callee } = await it.call(alice, bob);
      const final = await isRefused(carol, calls(carol, bob), 486);
      assert.match(get(final, Warning) ?? '', /as many calls at a time as it may have/);
      await it.hangUp(bob, callee, alice);
      const next = await it.call(carol, bob);
      await it.hangUp(carol, next.caller, bob);
    },
    {},
    { bob: 1 },
  ));

test('what rings counts: two callers at once, one line, and one of them gets it', () =>
  stage(
    async ({ alice, bob, carol }) => {
      const invites = [alice, carol].map((caller) => [caller, calls(caller, bob)] as const);
      const received = await bob.receivesRequest('INVITE');
      const [winner, loser] = received.body.includes('alice') ? invites : invites.toReversed();
      assert.ok(winner !== undefined && loser !== undefined);
      await isRefused(...loser, 486);
      bob.respond(received, 480);
      await bob.receivesRequest('ACK');
      await isRefused(...winner, 480);
      await bob.receivesNothing(1_000);
    },
    {},
    { bob: 1 },
  ));

test('a call that was cancelled or refused counts no more', () =>
  stage(
    async ({ it, alice, bob, carol }) => {
      const invite = calls(alice, bob);
      const atBob = await rings(alice, bob);
      alice.cancel(invite);
      await alice.receivesResponse(200, 'CANCEL');
      bob.respond(await bob.receivesRequest('CANCEL'), 200);
      bob.respond(atBob, 487);
      await bob.receivesRequest('ACK');
      await isRefused(alice, invite, 487);
      const { caller } = await it.call(carol, bob);
      await it.hangUp(carol, caller, bob);
    },
    {},
    { bob: 1 },
  ));

test('he is busy then: the call goes where his busy calls go, and its diversion stands in the story', () =>
  stage(
    async ({ it, alice, bob, carol }) => {
      const first = await it.call(alice, bob);
      it.database.setCalls('bob', 'example.com', { mostCalls: 1, forwardBusy: carol.aor });
      const dave = it.agent({ name: 'dave', address: '192.0.2.9' });
      const invite = calls(dave, bob);
      const atCarol = await carol.receivesRequest('INVITE');
      const dialog = carol.dialog(atCarol, carol.respond(atCarol, 200, sdp(phoneAnswer('carol'))));
      dave.ack(invite, await dave.receivesResponse(200));
      await carol.receivesRequest('ACK');
      assert.equal(it.database.rows.dialogs().length, 2);
      await it.hangUp(carol, dialog, dave);
      await it.hangUp(bob, first.callee, alice);
    },
    { columns: ['alice', 'dave', 'proxy', 'bob', 'carol'] },
    { bob: 1 },
  ));

test('bob’s busy call that went on to carol is carol’s: he is free for the next one', () =>
  stage(
    async ({ it, alice, bob, carol }) => {
      it.database.setCalls('bob', 'example.com', { mostCalls: 1, forwardBusy: carol.aor });
      const invite = calls(alice, bob);
      bob.respond(await bob.receivesRequest('INVITE'), 486);
      await bob.receivesRequest('ACK');
      const atCarol = await carol.receivesRequest('INVITE');
      const dave = it.agent({ name: 'dave', address: '192.0.2.9' });
      const { caller } = await it.call(dave, bob);
      const dialog = carol.dialog(atCarol, carol.respond(atCarol, 200, sdp(phoneAnswer('carol'))));
      alice.ack(invite, await alice.receivesResponse(200));
      await carol.receivesRequest('ACK');
      await it.hangUp(dave, caller, bob);
      await it.hangUp(carol, dialog, alice);
    },
    { columns: ['alice', 'dave', 'proxy', 'bob', 'carol'] },
  ));

for (const [why, options, limits] of [
  ['her account says so', {}, { alice: 1 }],
  ['MAX_CALLS says so', { maxCalls: 1 }, {}],
] as const) {
  test(`alice may have one call at a time, since ${why}: 503 for the second that she makes, 486 for one that comes`, () =>
    stage(
      async ({ it, alice, bob, carol }) => {
        const invite = await callsAsUser(alice, bob);
        const received = await rings(alice, bob);
        const final = await isRefused(alice, await callsAsUser(alice, carol), 503);
        assert.match(get(final, Warning) ?? '', /The caller has as many calls/);
        await isRefused(carol, await callsAsUser(carol, alice), 486);
        const dialog = bob.dialog(received, bob.respond(received, 200, sdp(phoneAnswer('bob'))));
        alice.ack(invite, await alice.receivesResponse(200));
        await bob.receivesRequest('ACK');
        await isRefused(alice, await callsAsUser(alice, carol), 503);
        await it.hangUp(bob, dialog, alice);
      },
      { isTrusted: () => false, ...options },
      limits,
    ));
}

test('her own limit holds before MAX_CALLS, and a TRUSTED trunk has none', () =>
  stage(
    async ({ it, alice, bob, carol }) => {
      const first = await it.call(alice, bob);
      const second = await it.call(alice, carol);
      await it.hangUp(bob, first.callee, alice);
      await it.hangUp(carol, second.callee, alice);
    },
    { maxCalls: 1 },
    { bob: 2 },
  ));

test('DESIGN §5: the proxy is killed and started again: the calls that are up still count', () =>
  stage(
    async ({ it, alice, bob, carol }) => {
      const { callee } = await it.call(alice, bob);
      await it.restart();
      await isRefused(carol, calls(carol, bob), 486);
      await it.hangUp(bob, callee, alice);
      const next = await it.call(carol, bob);
      await it.hangUp(bob, next.callee, carol);
    },
    {},
    { bob: 1 },
  ));
