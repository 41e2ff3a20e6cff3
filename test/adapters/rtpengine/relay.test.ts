import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type NodeAddress, nodeAddress, parseNodeAddress } from '../../../src/adapters/rtpengine/node-address.ts';
import { type OpenMediaRelay, openMediaRelay } from '../../../src/adapters/rtpengine/relay.ts';
import { byPreference } from '../../../src/adapters/rtpengine/rendezvous.ts';
import { Failure } from '../../../src/errors.ts';
import type { NgCommand } from '../../../src/media/commands.ts';
import type { Log, MediaNode } from '../../../src/ports.ts';
import { createClock, type VirtualClock } from '../../support/clock.ts';
import {
  answerTo,
  type Behaviour,
  type NgFake,
  reply,
  silent,
  startNgFake,
  wellBehaved,
} from '../../support/ng-fake.ts';
import { realRandom, silentLog } from '../../support/rtpengine.ts';

const offer: NgCommand = { command: 'offer', 'call-id': 'c1', 'from-tag': 'a', sdp: 'v=0\r\n' };

interface Lab {
  readonly relay: OpenMediaRelay;
  readonly clock: VirtualClock;
  readonly fakes: readonly NgFake[];
  readonly nodes: readonly NodeAddress[];
}

async function lab(test: TestContext, count = 1, log: Log = silentLog, behaviour = wellBehaved): Promise<Lab> {
  const fakes = await Promise.all(Array.from({ length: count }, () => startNgFake(behaviour)));
  const nodes = fakes.map(({ port }) => nodeAddress('127.0.0.1', port));
  const clock = createClock();
  const relay = openMediaRelay({ nodes, clock, random: realRandom, log });
  test.after(async () => {
    await relay.shutdown();
    await Promise.all(fakes.map((fake) => fake.stop().catch(() => {})));
  });
  return { relay, clock, fakes, nodes };
}

const refuseOffers =
  (reason: string): Behaviour =>
  ({ cookie, command }, send) =>
    send(reply(cookie, command.command === 'offer' ? { result: 'error', 'error-reason': reason } : answerTo(command)));

/** Lets the virtual time pass in small steps, and the real network answer in between. */
async function until(clock: VirtualClock, done: () => boolean, limitMs = 60_000): Promise<void> {
  for (let passedMs = 0; passedMs < limitMs && !done(); passedMs += 50) {
    await delay(1);
    await clock.advance(50);
  }
  assert.ok(done(), 'it never came');
}

async function answeredFirstPing({ relay, clock }: Lab): Promise<void> {
  await until(clock, () => relay.nodes().every(({ state, ports }) => state === 'up' && ports !== undefined));
}

function only(relay: OpenMediaRelay): MediaNode {
  const [node] = relay.nodes();
  assert.ok(node !== undefined);
  return node;
}

/** The code of its failure, or `ok`, while virtual time goes on. */
async function outcome(clock: VirtualClock, sent: Promise<unknown>): Promise<string> {
  let code = '';
  void sent.then(
    () => {
      code = 'ok';
    },
    (thrown: unknown) => {
      code = thrown instanceof Failure ? thrown.code : String(thrown);
    },
  );
  await until(clock, () => code !== '');
  return code;
}

describe('node addresses (RTPENGINE)', () => {
  it('have a host, a port, a weight, and an id that depends on nothing but the address', () => {
    const node = parseNodeAddress('udp:10.0.0.5:22222=2');
    assert.deepEqual(
      [node?.host, node?.port, node?.weight, node?.address],
      ['10.0.0.5', 22222, 2, 'udp:10.0.0.5:22222'],
    );
    assert.match(node?.id ?? '', /^[0-9a-f]{8}$/);
    assert.equal(node?.id, parseNodeAddress('udp:10.0.0.5:22222')?.id);
    assert.notEqual(node?.id, parseNodeAddress('udp:10.0.0.5:22223')?.id);
  });

  it('may be IPv6 or a name', () => {
    const node = parseNodeAddress('udp:[2001:db8::5]:22222');
    assert.deepEqual([node?.host, node?.address], ['2001:db8::5', 'udp:[2001:db8::5]:22222']);
    assert.equal(parseNodeAddress('udp:media.example.com:22222')?.host, 'media.example.com');
    assert.equal(parseNodeAddress('tcp:media.example.com:22222')?.transport, 'tcp');
    assert.equal(parseNodeAddress('ws:[2001:db8::5]:8080=3')?.address, 'ws:[2001:db8::5]:8080');
  });

  for (const text of [
    '',
    '10.0.0.5:22222',
    'tls:10.0.0.5:22222',
    'udp:10.0.0.5',
    'udp:10.0.0.5:0',
    'udp:10.0.0.5:70000',
    'udp:2001:db8::5:22222',
    'udp:[10.0.0.5]:22222',
    'udp:10.0.0.5:22222=x',
  ]) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseNodeAddress(text), undefined));
  }
});

describe('rendezvous hash', () => {
  const nodes = [
    ['a', 1],
    ['b', 1],
    ['c', 2],
  ].map(([id, weight]) => ({ id: String(id), weight: Number(weight) }));
  const callIds = Array.from({ length: 4000 }, (_, n) => `call-${n}@example.com`);
  const firstOf = (list: typeof nodes, callId: string): string | undefined => byPreference(callId, list)[0]?.id;

  it('shares new calls by weight', () => {
    const share = (id: string): number =>
      callIds.filter((callId) => firstOf(nodes, callId) === id).length / callIds.length;
    for (const [id, expected] of [
      ['a', 0.25],
      ['b', 0.25],
      ['c', 0.5],
    ] as const) {
      assert.ok(Math.abs(share(id) - expected) < 0.03, `${id}: ${share(id)}`);
    }
  });

  it('a node that goes moves only its own calls', () => {
    const left = nodes.filter(({ id }) => id !== 'c');
    for (const callId of callIds) {
      const before = firstOf(nodes, callId);
      if (before !== 'c') assert.equal(firstOf(left, callId), before);
    }
  });

  it('does not depend on the order in RTPENGINE, and a weight of 0 comes last', () => {
    const idle = [...nodes, { id: 'd', weight: 0 }];
    for (const callId of callIds.slice(0, 100)) {
      assert.equal(firstOf([...nodes].reverse(), callId), firstOf(nodes, callId));
      assert.equal(byPreference(callId, idle).at(-1)?.id, 'd');
    }
  });
});

describe('media relay: which node', () => {
  it('names nodes for a new call in the order of the rendezvous hash', async (test) => {
    const it3 = await lab(test, 3);
    await answeredFirstPing(it3);
    const expected = byPreference('c1', it3.nodes).map(({ id }) => id);
    assert.deepEqual(it3.relay.candidates('c1'), expected);
  });

  it('names none before one has answered; then says its ports', async (test) => {
    const one = await lab(test);
    assert.deepEqual(one.relay.candidates('c1'), []);
    await answeredFirstPing(one);
    assert.deepEqual(one.relay.candidates('c1'), [one.nodes[0]?.id]);
    assert.deepEqual(only(one.relay).ports, { used: 4, free: 196 });
  });

  it('`ready` waits for the first answer, and not for ever', async (test) => {
    const dead = await lab(test, 1, silentLog, silent);
    assert.equal(await outcome(dead.clock, dead.relay.ready), 'ok');
    assert.equal(only(dead.relay).state, 'down');
  });

  it('without nodes: media-none; with an unknown one: media-lost', async (test) => {
    const none = await lab(test, 0);
    assert.equal(await outcome(none.clock, none.relay.send('x', offer)), 'media-none');
    const one = await lab(test);
    assert.equal(await outcome(one.clock, one.relay.send('x', offer)), 'media-lost');
  });
});

describe('media relay: a node that does not answer', () => {
  it('is down after two timeouts in a row, and up with its next answer', async (test) => {
    const warned: string[] = [];
    const one = await lab(test, 1, { ...silentLog, warn: (_, text) => warned.push(text) });
    const { relay, clock, fakes } = one;
    await answeredFirstPing(one);
    const id = only(relay).id;
    fakes[0]?.behave(silent);
    assert.equal(await outcome(clock, relay.send(id, offer)), 'media-timeout');
    assert.equal(await outcome(clock, relay.send(id, offer)), 'media-timeout');
    assert.equal(only(relay).state, 'down');
    assert.deepEqual(relay.candidates('c1'), []);
    assert.match(only(relay).lastError ?? '', /did not answer/);
    assert.equal(warned.length, 1);
    fakes[0]?.behave(wellBehaved);
    await until(clock, () => only(relay).state === 'up', 1_000);
    assert.equal(await outcome(clock, relay.send(id, offer)), 'ok');
  });

  it('timeouts of query and list never disable it', async (test) => {
    const one = await lab(test);
    const { relay, clock, fakes } = one;
    await answeredFirstPing(one);
    const id = only(relay).id;
    fakes[0]?.behave(({ cookie, command }, send) => {
      if (command.command !== 'query' && command.command !== 'list') send(reply(cookie, answerTo(command)));
    });
    for (let count = 0; count < 3; count += 1) {
      assert.equal(await outcome(clock, relay.send(id, { command: 'query', 'call-id': 'c1' })), 'media-timeout');
      assert.equal(await outcome(clock, relay.send(id, { command: 'list', limit: 10 })), 'media-timeout');
    }
    assert.equal(only(relay).state, 'up');
  });

  it('is found out by ping when there are no calls', async (test) => {
    const one = await lab(test);
    await answeredFirstPing(one);
    one.fakes[0]?.behave(silent);
    await until(one.clock, () => only(one.relay).state === 'down', 20_000);
  });

  it('a closed port takes it down at once; its commands go on, and it is up as soon as it is back', async (test) => {
    const one = await lab(test);
    const { relay, clock, fakes } = one;
    await answeredFirstPing(one);
    const { id } = only(relay);
    await fakes[0]?.stop();
    const sent = relay.send(id, offer);
    for (let tries = 0; tries < 200 && only(relay).state !== 'down'; tries += 1) await delay(5);
    assert.equal(only(relay).state, 'down');
    assert.match(only(relay).lastError ?? '', /ECONNREFUSED/);
    const back = await startNgFake(wellBehaved, fakes[0]?.port);
    test.after(() => back.stop());
    assert.equal(await outcome(clock, sent), 'ok');
    await until(clock, () => only(relay).state === 'up', 1_000);
  });

  it('the others take over its new calls, and only those', async (test) => {
    const three = await lab(test, 3);
    const { relay, clock, fakes, nodes } = three;
    await answeredFirstPing(three);
    const [first, second, third] = relay.candidates('c1');
    const place = nodes.findIndex(({ id }) => id === first);
    await fakes[place]?.stop();
    await until(clock, () => relay.nodes()[place]?.state === 'down', 20_000);
    assert.deepEqual(relay.candidates('c1'), [second, third]);
  });
});

describe('media relay: a node that is full', () => {
  for (const reason of ['Ran out of ports', 'Parallel session limit reached']) {
    it(`"${reason}" makes it busy for a while, longer each time, and never down`, async (test) => {
      const one = await lab(test);
      const { relay, clock, fakes } = one;
      await answeredFirstPing(one);
      const { id } = only(relay);
      fakes[0]?.behave(refuseOffers(reason));
      assert.equal(await outcome(clock, relay.send(id, offer)), 'media-busy');
      assert.equal(only(relay).state, 'busy');
      await until(clock, () => only(relay).state === 'up', 1_100);
      assert.equal(await outcome(clock, relay.send(id, offer)), 'media-busy');
      await clock.advance(1_500);
      assert.equal(only(relay).state, 'busy');
      await clock.advance(500);
      assert.equal(only(relay).state, 'up');
    });
  }

  it('comes after all others for a new call, but is asked when there is no other', async (test) => {
    const two = await lab(test, 2);
    const { relay, clock, fakes, nodes } = two;
    await answeredFirstPing(two);
    const [first = '', second = ''] = relay.candidates('c1');
    fakes[nodes.findIndex(({ id }) => id === first)]?.behave(refuseOffers('Ran out of ports'));
    assert.equal(await outcome(clock, relay.send(first, offer)), 'media-busy');
    assert.deepEqual(relay.candidates('c1'), [second, first]);
  });

  it('a refused SDP says nothing about the node', async (test) => {
    const one = await lab(test);
    await answeredFirstPing(one);
    one.fakes[0]?.behave(refuseOffers('Failed to parse SDP'));
    for (let count = 0; count < 5; count += 1) {
      assert.equal(await outcome(one.clock, one.relay.send(only(one.relay).id, offer)), 'media-refused');
    }
    assert.equal(only(one.relay).state, 'up');
  });
});

describe('media relay: its end', () => {
  it('leaves no timer and no command behind', async (test) => {
    const two = await lab(test, 2);
    await answeredFirstPing(two);
    const sent = two.relay.nodes().map(({ id }) => two.relay.send(id, offer).catch(() => {}));
    await two.relay.shutdown();
    await Promise.all(sent);
    assert.equal(two.clock.pending(), 0);
  });
});

describe('RTPENGINE changes while calls go on', () => {
  it('a new node takes calls, one that was taken out keeps its calls and gets no new ones, until it is back', async (t) => {
    const { relay, clock, fakes, nodes } = await lab(t, 2);
    const [one, two] = nodes;
    assert.ok(one !== undefined && two !== undefined && fakes.length === 2);
    relay.replaceNodes([one]);
    await until(clock, () => relay.candidates('c1').length === 1);
    assert.deepEqual(relay.candidates('c1'), [one.id]);
    assert.equal(relay.nodes().find(({ id }) => id === two.id)?.state, 'draining');
    assert.equal(await outcome(clock, relay.send(two.id, offer)), 'ok');
    const late = await startNgFake(wellBehaved);
    t.after(() => late.stop());
    const three = nodeAddress('127.0.0.1', late.port);
    relay.replaceNodes([{ ...one, weight: 5 }, two, three]);
    await until(clock, () => relay.candidates('c1').length === 3);
    assert.deepEqual(new Set(relay.candidates('c1')), new Set([one.id, two.id, three.id]));
    assert.equal(relay.nodes().find(({ id }) => id === one.id)?.weight, 5);
  });

  it('a node is added, drained, taken back and removed by hand; a reload of RTPENGINE leaves it alone', async (t) => {
    const { relay, clock, nodes } = await lab(t, 1);
    const [one] = nodes;
    const fake = await startNgFake(wellBehaved);
    t.after(() => fake.stop());
    assert.ok(one !== undefined);
    await until(clock, () => relay.candidates('c1').length === 1);
    const added = relay.addNode(`udp:127.0.0.1:${fake.port}`, 3);
    assert.ok(added !== undefined);
    assert.equal(relay.addNode(added.address, 1), undefined);
    assert.throws(() => relay.addNode('10.0.0.7', 1), /udp:10\.0\.0\.5:22222/);
    await until(clock, () => relay.candidates('c1').length === 2);
    assert.equal(relay.changeNode(one.id, { draining: true })?.state, 'draining');
    assert.deepEqual(relay.candidates('c1'), [added.id]);
    assert.equal(await outcome(clock, relay.send(one.id, offer)), 'ok');
    relay.replaceNodes([one]);
    assert.deepEqual(relay.candidates('c1'), [added.id]);
    assert.equal(relay.changeNode(one.id, { draining: false, weight: 7 })?.weight, 7);
    assert.equal(relay.candidates('c1').length, 2);
    assert.deepEqual([relay.removeNode(added.id), relay.removeNode(added.id)], [true, false]);
    assert.deepEqual(relay.candidates('c1'), [one.id]);
    assert.equal(await outcome(clock, relay.send(added.id, offer)), 'media-lost');
    assert.equal(relay.changeNode(added.id, { weight: 1 }), undefined);
  });
});
