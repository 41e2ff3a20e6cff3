/**
 * Connections that close in a call, in each of its states (law 4, RFC 3261 §17.1.4, §18.2.2): each side hears an end that is
 * right, and nothing is left. `play` asks for what is left.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { Reason } from '../../src/message/headers/text.ts';
import type { SipRequest } from '../../src/message/message.ts';
import type { Transport } from '../../src/ports.ts';
import type { Agent, AgentDialog } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const columns = ['alice', 'proxy', 'bob'];
const offer = { body: phoneOffer('alice'), contentType: sdpType };
const answer = { body: phoneAnswer('bob'), contentType: sdpType };
const trunkAor = 'sip:bob@192.0.2.11:5060;transport=tcp';

// --- servers ---------------------------------------------------------------------------------------------------------

const trunkPlace = { name: 'bob', transport: 'tcp', address: '192.0.2.11', dialable: true, aor: trunkAor } as const;

/** The INVITE on either side of the proxy. */
interface Legs {
  readonly sent: SipRequest;
  readonly received: SipRequest;
}

/** Alice calls a trunk that we dial, which rings and closes its connection. */
async function ringsAtTrunk(
  script: (it: ProxyScene, alice: Agent, trunk: Agent, legs: Legs) => Promise<void>,
): Promise<void> {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const trunk = it.agent({ ...trunkPlace, contact: trunkAor });
    const sent = alice.request('INVITE', trunkAor, offer);
    const received = await trunk.receivesRequest('INVITE');
    trunk.respond(received, 180);
    await alice.receivesResponse(180);
    await alice.receivesResponse(100);
    trunk.station.close('nothing was said for a while');
    await it.clock.advance(30_000);
    await alice.receivesNothing(0);
    await script(it, alice, trunk, { sent, received });
  });
}

describe('a trunk that we have dialled closes its connection while it rings', () => {
  test('RFC 3261 §18.2.2: it answers over one that it opens, and the call is up', () =>
    ringsAtTrunk(async (it, alice, trunk, { sent, received }) => {
      const ok = trunk.respond(received, 200, answer);
      alice.ack(sent, await alice.receivesResponse(200));
      await trunk.receivesRequest('ACK');
      await it.hangUp(alice, alice.dialog(sent, ok), trunk);
    }));

  test('RFC 3261 §17.1.1.3: it refuses over one that it opens, and has its ACK', () =>
    ringsAtTrunk(async (_, alice, trunk, { sent, received }) => {
      trunk.respond(received, 486);
      alice.ack(sent, await alice.receivesResponse(486));
      await trunk.receivesRequest('ACK');
    }));

  test('RFC 3261 §9.1, §18.1.1: it is dialled for the CANCEL', () =>
    ringsAtTrunk(async (_, alice, trunk, { sent, received }) => {
      alice.cancel(sent);
      await alice.receivesResponse(200, 'CANCEL');
      trunk.respond(await trunk.receivesRequest('CANCEL'), 200);
      trunk.respond(received, 487);
      alice.ack(sent, await alice.receivesResponse(487));
      await trunk.receivesRequest('ACK');
    }));

  test('RFC 3261 §16.8: it says nothing more: timer C ends the call', () =>
    ringsAtTrunk(async (_, alice, trunk, { sent }) => {
      trunk.station.freeze();
      alice.ack(sent, await alice.receivesResponse(408, 'INVITE', 240_000));
    }));
});

/** A trunk calls bob, who rings, and closes its connection. */
async function trunkCalls(
  script: (it: ProxyScene, trunk: Agent, bob: Agent, legs: Legs) => Promise<void>,
): Promise<void> {
  const it = createProxyScene({ columns });
  await it.play(async () => {
    const place = { transport: 'tcp', address: '192.0.2.11', dialable: true } as const;
    const trunk = it.agent({
      ...{ ...place, name: 'alice', aor: 'sip:alice@trunk.test' },
      contact: 'sip:alice@192.0.2.11:5060;transport=tcp',
    });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const sent = trunk.request('INVITE', bob.aor, offer);
    const received = await bob.receivesRequest('INVITE');
    bob.respond(received, 180);
    await trunk.receivesResponse(180);
    trunk.station.close('nothing was said for a while');
    await it.clock.advance(30_000);
    await bob.receivesNothing(0);
    await script(it, trunk, bob, { sent, received });
  });
}

describe('a trunk that calls closes its connection while its INVITE rings', () => {
  test('RFC 3261 §18.2.2: it is dialled for the response, and the call is up and ends', () =>
    trunkCalls(async (it, trunk, bob, { sent, received }) => {
      const ok = bob.respond(received, 200, answer);
      const answered = await trunk.receivesResponse(200);
      trunk.ack(sent, answered);
      await bob.receivesRequest('ACK');
      trunk.station.close();
      await it.clock.advance(60_000);
      await it.hangUp(bob, bob.dialog(received, ok), trunk);
    }));

  test('RFC 3261 §9.2: its CANCEL comes over another one, and so go 200 and 487', () =>
    trunkCalls(async (_, trunk, bob, { sent, received }) => {
      trunk.cancel(sent);
      await trunk.receivesResponse(200, 'CANCEL');
      bob.respond(await bob.receivesRequest('CANCEL'), 200);
      bob.respond(received, 487);
      await bob.receivesRequest('ACK');
      trunk.ack(sent, await trunk.receivesResponse(487));
    }));

  test('RFC 3261 §18.2.2: it is gone for good: what bob answers reaches nobody, and his BYE ends the call', () =>
    trunkCalls(async (_, trunk, bob, { received }) => {
      trunk.station.freeze();
      const ok = bob.respond(received, 200, answer);
      bob.within(bob.dialog(received, ok), 'BYE');
      await bob.receivesNothing(40_000);
    }));
});

// --- clients ---------------------------------------------------------------------------------------------------------

type State = 'asked' | 'ringing' | 'answered' | 'up' | 're-INVITE' | 'BYE';

/** A call of two clients on connections, as far as it got. */
interface Halfway {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly sent: SipRequest;
  readonly received: SipRequest;
  /** When it was answered. */
  readonly caller: AgentDialog | undefined;
  readonly callee: AgentDialog | undefined;
}

/** Plays the call up to this state. */
async function reach(state: State, it: ProxyScene, alice: Agent, bob: Agent): Promise<Halfway> {
  const sent = alice.request('INVITE', bob.aor, offer);
  const received = await bob.receivesRequest('INVITE');
  const ends = { it, alice, bob, sent, received };
  if (state === 'asked') return { ...ends, caller: undefined, callee: undefined };
  bob.respond(received, 180);
  await alice.receivesResponse(180);
  if (state === 'ringing') return { ...ends, caller: undefined, callee: undefined };
  const ok = bob.respond(received, 200, answer);
  const answered = await alice.receivesResponse(200);
  const caller = alice.dialog(sent, answered);
  const talk = { ...ends, caller, callee: bob.dialog(received, ok) };
  if (state === 'answered') return talk;
  alice.ack(sent, answered);
  await bob.receivesRequest('ACK');
  if (state === 'up') return talk;
  const again = state === 'BYE' ? {} : { body: phoneOffer('alice', { version: 2 }), contentType: sdpType };
  alice.within(caller, state === 'BYE' ? 'BYE' : 'INVITE', again);
  await bob.receivesRequest(state === 'BYE' ? 'BYE' : 'INVITE');
  return talk;
}

/** The one who is left has a call without end: he is told by a BYE that says why, once the grace time is over. */
async function isHungUp(one: Agent): Promise<void> {
  const bye = await one.receivesRequest('BYE', 60_000);
  one.respond(bye, 200);
  assert.match(get(bye, Reason) ?? '', /^SIP;cause=480;/);
}

async function isCancelled({ bob, received }: Halfway): Promise<void> {
  bob.respond(await bob.receivesRequest('CANCEL'), 200);
  bob.respond(received, 487);
  await bob.receivesRequest('ACK');
}

async function isRefused({ alice, sent }: Halfway): Promise<void> {
  const refused = await alice.receivesFinal('INVITE', 1_000);
  assert.equal(refused.status, 480);
  alice.ack(sent, refused);
}

/** What the other side hears when this one is gone, in each state. */
const heard: Readonly<Record<'caller' | 'callee', Readonly<Record<State, (call: Halfway) => Promise<void>>>>> = {
  caller: {
    // RFC 3261 §9.1: no CANCEL before a provisional response.
    asked: async (call) => {
      call.bob.respond(call.received, 180);
      await isCancelled(call);
    },
    ringing: isCancelled,
    answered: ({ bob }) => isHungUp(bob),
    up: ({ bob }) => isHungUp(bob),
    're-INVITE': ({ bob }) => isHungUp(bob),
    BYE: async () => {},
  },
  callee: {
    asked: isRefused,
    ringing: isRefused,
    answered: ({ alice }) => isHungUp(alice),
    up: ({ alice }) => isHungUp(alice),
    're-INVITE': async ({ alice }) => {
      const refused = await alice.receivesFinal('INVITE', 1_000);
      assert.ok(refused.status >= 400, String(refused.status));
      await isHungUp(alice);
    },
    BYE: async ({ alice }) => {
      await alice.receivesFinal('BYE', 1_000);
    },
  },
};

/** Two clients on connections; what the script leaves must be nothing. */
function played(transport: Transport, state: State, script: (call: Halfway) => Promise<void>): Promise<void> {
  const it = createProxyScene({ columns });
  return it.play(async () => {
    const alice = await it.registered({ name: 'alice', transport, address: '192.0.2.1', port: 40_001 });
    const bob = await it.registered({ name: 'bob', transport, address: '192.0.2.2', port: 40_002 });
    await script(await reach(state, it, alice, bob));
    assert.deepEqual([it.media.calls(), it.database.rows.dialogs()], [[], []]);
  });
}

const states: readonly State[] = ['asked', 'ringing', 'answered', 'up', 're-INVITE', 'BYE'];
const transports: readonly Transport[] = ['tcp', 'tls', 'ws', 'wss'];

for (const transport of transports)
  describe(`law 4: a client's connection over ${transport} closes`, () => {
    for (const gone of ['caller', 'callee'] as const)
      for (const state of states)
        test(`that of the ${gone}, ${state}: the other side hears the right end, and nothing is left`, () =>
          played(transport, state, async (call) => {
            (gone === 'caller' ? call.alice : call.bob).station.close();
            await call.it.clock.advance(100);
            await heard[gone][state](call);
            await call.it.clock.advance(20_000);
          }));
  });

/** He hangs up himself, as telephones do at last. RFC 4320 §4.2: what nobody answers in 32 s has no 408. */
async function hangsUp(one: Agent, dialog: AgentDialog | undefined): Promise<void> {
  assert.ok(dialog !== undefined);
  one.within(dialog, 'BYE');
  await one.receivesNothing(33_000);
}

interface Vanished {
  readonly gone: 'caller' | 'callee';
  readonly state: State;
  readonly title: string;
  readonly ends: (call: Halfway) => Promise<void>;
}

const vanished: readonly Vanished[] = [
  {
    ...{ gone: 'callee', state: 'asked', title: '408 after TRYING_SECONDS' },
    ends: async ({ alice, sent }) => {
      alice.ack(sent, await alice.receivesResponse(408, 'INVITE', 6_000));
    },
  },
  {
    ...{ gone: 'callee', state: 'ringing', title: 'timer C, 408' },
    ends: async ({ alice, sent }) => {
      alice.ack(sent, await alice.receivesResponse(408, 'INVITE', 240_000));
    },
  },
  {
    ...{ gone: 'callee', state: 're-INVITE', title: 'timer B, 408, and the caller hangs up' },
    ends: async ({ alice, caller }) => {
      await alice.receivesResponse(408, 'INVITE', 40_000);
      alice.inbox.length = 0;
      await hangsUp(alice, caller);
    },
  },
  {
    ...{ gone: 'callee', state: 'up', title: 'the BYE of the caller ends the call' },
    ends: ({ alice, caller }) => {
      alice.inbox.length = 0;
      return hangsUp(alice, caller);
    },
  },
  {
    ...{ gone: 'caller', state: 'ringing', title: 'timer C cancels the callee' },
    ends: async (call) => {
      await call.it.clock.advance(175_000);
      await isCancelled(call);
    },
  },
  {
    ...{ gone: 'caller', state: 'answered', title: 'no ACK comes, and the BYE of the callee ends the call' },
    ends: async ({ bob, callee }) => hangsUp(bob, callee),
  },
];

/** The peer is there for nobody, and its connection says nothing of that: no FIN, no RST. */
for (const transport of ['tcp', 'wss'] as const)
  describe(`a client is gone without a word, and its connection over ${transport} seems open`, () => {
    for (const { gone, state, title, ends } of vanished)
      test(`the ${gone}, ${state}: ${title}`, () =>
        played(transport, state, async (call) => {
          (gone === 'caller' ? call.alice : call.bob).station.freeze();
          await ends(call);
          // Whoever says nothing has until timer B.
          await call.it.clock.advance(33_000);
        }));
  });
