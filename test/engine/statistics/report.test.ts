import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { callIdHash } from '../../../src/dialog/call-id-hash.ts';
import type { CallSummary, Operations, Page, PageRequest } from '../../../src/engine/operations.ts';
import type { Agent } from '../../support/agent.ts';
import {
  type Call,
  createProxyScene,
  type ProxyScene,
  type ProxySceneOptions,
  sdpType,
} from '../../support/proxy-scene.ts';
import { browserAnswer, phoneOffer } from '../../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob'];

interface Stage {
  readonly scene: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  operations(): Operations;
}

function stage(script: (it: Stage) => Promise<void>, options: Partial<ProxySceneOptions> = {}): Promise<void> {
  const scene = createProxyScene({ columns, ...options });
  return scene.play(async () => {
    const alice = scene.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = await scene.registered({ name: 'bob', address: '192.0.2.2', transport: 'wss', port: 40_000 });
    await script({ scene, alice, bob, operations: () => scene.proxy().operations });
  });
}

async function hangUp({ scene, alice, bob }: Stage, call: Call): Promise<void> {
  await scene.hangUp(alice, call.caller, bob);
}

describe('statistics', () => {
  test('of a proxy where nothing has happened yet', async () => {
    const scene = createProxyScene({ columns });
    await scene.play(async () => {
      assert.deepEqual(await scene.proxy().operations.statistics(), {
        uptimeSeconds: 0,
        registrations: { bindings: 0 },
        calls: { inProgress: 0, ringing: 0, answered: 0, failed: 0 },
        presence: { publications: 0, subscriptions: 0, notifying: 0 },
        transactions: { server: 0, client: 0 },
        connections: { tcp: 0, tls: 0, ws: 0, wss: 0 },
        messages: { requests: {}, responses: {}, dropped: {} },
        refusals: {},
        rtpengine: scene.media.nodes(),
        database: { state: 'up', lastError: undefined, waiting: 0 },
        nodes: [],
      });
    });
  });

  test('a call is ringing, then in progress and answered, then over', () =>
    stage(async (it) => {
      const { scene, alice, bob, operations } = it;
      const calls = async () => (await operations().statistics()).calls;
      const invite = alice.request('INVITE', bob.aor, { body: phoneOffer('alice'), contentType: sdpType });
      const received = await bob.receivesRequest('INVITE');
      bob.respond(received, 180);
      await alice.receivesResponse(180);
      assert.deepEqual(await calls(), { inProgress: 0, ringing: 1, answered: 0, failed: 0 });
      bob.respond(received, 200, { body: browserAnswer('bob'), contentType: sdpType });
      const answered = await alice.receivesResponse(200);
      alice.ack(invite, answered);
      assert.deepEqual(await calls(), { inProgress: 1, ringing: 0, answered: 1, failed: 0 });
      await bob.receivesRequest('ACK');
      await scene.hangUp(alice, alice.dialog(invite, answered), bob);
      assert.deepEqual(await calls(), { inProgress: 0, ringing: 0, answered: 1, failed: 0 });
    }));

  test('a call that nobody took has failed; one refused before it began, too', () =>
    stage(async ({ alice, bob, operations }) => {
      const invite = alice.request('INVITE', bob.aor, { body: phoneOffer('alice'), contentType: sdpType });
      bob.respond(await bob.receivesRequest('INVITE'), 486);
      alice.ack(invite, await alice.receivesFinal('INVITE'));
      await bob.receivesRequest('ACK');
      const second = alice.request('INVITE', 'sip:nobody@example.com');
      alice.ack(second, await alice.receivesFinal('INVITE'));
      const { calls, refusals } = await operations().statistics();
      assert.deepEqual(calls, { inProgress: 0, ringing: 0, answered: 0, failed: 2 });
      assert.deepEqual(refusals, { 'not-found': 1 });
    }));

  test('messages by method and status, what was dropped and why, connections and bindings', () =>
    stage(async ({ scene, alice, operations }) => {
      alice.request('OPTIONS', 'sip:example.com');
      await alice.receivesResponse(200);
      alice.request('FLOOD', 'sip:nobody@example.com');
      await alice.receivesResponse(404);
      alice.send('garbage');
      await scene.clock.advance(10);
      const { messages, connections, registrations } = await operations().statistics();
      assert.deepEqual(messages, {
        requests: { REGISTER: 1, OPTIONS: 1, other: 1 },
        responses: { 200: 2, 404: 1 },
        dropped: { malformed: 1 },
      });
      assert.deepEqual(connections, { tcp: 0, tls: 0, ws: 0, wss: 1 });
      assert.deepEqual(registrations, { bindings: 1 });
    }));

  test('uptime in whole seconds', () =>
    stage(async ({ scene, operations }) => {
      const before = operations().health().uptimeSeconds;
      await scene.clock.advance(90_500);
      assert.equal(operations().health().uptimeSeconds, before + 90);
      assert.ok(Number.isInteger((await operations().statistics()).uptimeSeconds));
    }));

  test('with the database down they say so, and do not wait for it', () =>
    stage(async ({ scene, operations }) => {
      scene.database.set({ down: true });
      const { database, registrations } = await operations().statistics();
      assert.deepEqual([database.state, registrations.bindings], ['down', 0]);
    }));
});

test('health: degraded without the database, and when no rtpengine answers', () =>
  stage(async ({ scene, operations }) => {
    const seen = (): readonly string[] => {
      const { status, database, media } = operations().health();
      return [status, database, media];
    };
    assert.deepEqual(seen(), ['ok', 'up', 'up']);
    scene.database.set({ down: true });
    assert.deepEqual(seen(), ['degraded', 'down', 'up']);
    scene.database.set({ down: false });
    scene.media.set({ nodes: { m1: 'busy' } });
    assert.deepEqual(seen(), ['ok', 'up', 'up']);
    scene.media.set({ nodes: { m1: 'down' } });
    assert.deepEqual(seen(), ['degraded', 'up', 'down']);
    scene.media.set({ nodes: {} });
    assert.deepEqual(seen(), ['degraded', 'up', 'none']);
    scene.media.set({ nodes: { m1: 'up' } });
  }));

/** All pages, one after the other. */
async function pagesOf<T>(limit: number, read: (page: PageRequest) => Page<T> | Promise<Page<T>>) {
  const pages: (readonly T[])[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await read(after === undefined ? { limit } : { limit, after });
    pages.push(items);
    after = next;
    assert.ok(pages.length < 20, 'the pages have no end');
  } while (after !== undefined);
  return pages;
}

const nothing = { packets: undefined, bytes: undefined, quality: undefined };

describe('calls', () => {
  test('who talks to whom, since when, and over which rtpengine; the id can stand in a path', () =>
    stage(async (it) => {
      const { alice, bob, scene, operations } = it;
      const call = await scene.call(alice, bob, { callId: 'a/b?c%@192.0.2.1', answer: browserAnswer('bob') });
      const [summary] = (await operations().calls({ limit: 10 })).items;
      const at = new Date(scene.clock.nowMs()).toISOString().slice(0, 16);
      assert.equal(summary?.answeredAt?.slice(0, 16), at);
      assert.deepEqual(summary, {
        id: callIdHash('a/b?c%@192.0.2.1'),
        callId: 'a/b?c%@192.0.2.1',
        state: 'answered',
        from: 'sip:alice@example.com',
        to: 'sip:bob@example.com',
        requestUri: bob.aor,
        startedAt: summary?.startedAt,
        answeredAt: summary?.answeredAt,
        callerMedia: 'rtp',
        calleeMedia: 'webrtc',
        rtpengine: 'm1',
        endedAt: undefined,
        endedBy: undefined,
        status: 200,
        code: undefined,
        reason: undefined,
        mediaFault: undefined,
        recording: undefined,
        legs: [
          { ...nothing, role: 'caller', profile: 'rtp', noQuality: 'no-statistics' },
          { ...nothing, role: 'callee', profile: 'webrtc', noQuality: 'no-statistics' },
        ],
      } satisfies CallSummary);
      assert.match(summary?.id ?? '', /^[\w-]{22}$/);
      await hangUp(it, call);
      const [ended, ...others] = (await operations().calls({ limit: 10 })).items;
      assert.partialDeepStrictEqual(ended, { id: summary?.id, state: 'ended' });
      assert.ok(ended?.endedAt !== undefined && ended.endedBy !== undefined && others.length === 0);
      assert.deepEqual(await operations().calls({ limit: 10, state: 'answered' }), { items: [], next: undefined });
    }));

  test('are read page by page: each once, and the last page says that it is the last', () =>
    stage(async (it) => {
      const calls: Call[] = [];
      for (let count = 0; count < 5; count++) calls.push(await it.scene.call(it.alice, it.bob));
      for (const limit of [1, 2, 4, 5, 6]) {
        const pages = await pagesOf(limit, (page) => it.operations().calls(page));
        assert.equal(pages.length, Math.ceil(5 / limit), `limit ${limit}`);
        assert.ok(pages.every((page) => page.length <= limit));
        assert.equal(new Set(pages.flat().map(({ id }) => id)).size, 5);
      }
      for (const call of calls) await hangUp(it, call);
    }));

  test('one that ends between two pages leaves no gap', () =>
    stage(async (it) => {
      const calls: Call[] = [];
      for (let count = 0; count < 4; count++) calls.push(await it.scene.call(it.alice, it.bob));
      const { items, next } = await it.operations().calls({ limit: 2, state: 'answered' });
      const last = calls.find(({ caller }) => caller.callId === items[1]?.callId);
      assert.ok(last !== undefined && next !== undefined);
      await hangUp(it, last);
      const rest = await it.operations().calls({ limit: 10, after: next, state: 'answered' });
      assert.equal(rest.items.length, 2);
      for (const call of calls) if (call !== last) await hangUp(it, call);
    }));
});

describe('registrations', () => {
  test('where a device is, how long, and what it is', () =>
    stage(async ({ bob, operations, scene }) => {
      const [registration, ...others] = (await operations().registrations({ limit: 10 })).items;
      assert.deepEqual(others, []);
      const { expiresAt, ...rest } = registration ?? {};
      assert.deepEqual(rest, {
        aor: 'sip:bob@example.com',
        contact: bob.contact,
        publicGruu: undefined,
        transport: 'wss',
        source: '192.0.2.2:40000',
        userAgent: '',
        media: 'webrtc',
        q: 1,
      });
      const seconds = (Date.parse(expiresAt ?? '') - scene.clock.nowMs()) / 1000;
      assert.ok(seconds > 590 && seconds <= 600, `${seconds}`);
    }));

  test('are read page by page, an address of record with all its devices on one page', () =>
    stage(
      async ({ scene, operations }) => {
        for (const [index, user] of ['alice', 'bob', 'carol', 'bob'].entries()) {
          await scene.registered({ name: user, address: `192.0.2.${10 + index}` });
        }
        for (const limit of [1, 2, 3, 5, 6]) {
          const pages = await pagesOf(limit, (page) => operations().registrations(page));
          const contacts = pages.flat().map(({ contact }) => contact);
          assert.equal(new Set(contacts).size, 5, `limit ${limit}`);
          assert.equal(contacts.length, 5, `limit ${limit}`);
        }
      },
      { users: ['alice', 'bob', 'carol'] },
    ));
});
