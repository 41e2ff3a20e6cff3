/** More comes than can be done: what begins is refused, what is there goes on (DESIGN law 9). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { RetryAfter } from '../../src/message/headers/numbers.ts';
import type { SipResponse } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneOffer } from '../support/sdp.ts';

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly crowd: Agent;
  /** From now on the process never rests, or rests again. */
  readonly work: (utilization: number) => void;
}

async function stage(script: (stage: Stage) => Promise<void>): Promise<void> {
  let busy = 0;
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'], utilization: () => busy });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const crowd = it.agent({ name: 'crowd', address: '192.0.2.3' });
    await script({ it, alice, bob, crowd, work: (utilization) => (busy = utilization) });
  });
}

const offer = { body: phoneOffer('alice'), contentType: sdpType } as const;

/** One REGISTER of alice after the other, each a look apart, and so many others with each. */
async function registrations({ it, alice, crowd }: Stage, count: number, others = 60): Promise<readonly SipResponse[]> {
  const responses: SipResponse[] = [];
  for (let n = 0; n < count; n++) {
    for (let other = 0; other < others; other++) crowd.request('REGISTER', 'sip:example.com');
    responses.push(await it.register(alice));
    await it.clock.advance(1_000);
    crowd.inbox.length = 0;
  }
  return responses;
}

test('law 9: a process that never rests refuses a growing share of REGISTER with 503 and Retry-After', () =>
  stage(async (on) => {
    on.work(1);
    const responses = await registrations(on, 60);
    const refused = responses.filter(({ status }) => status === 503);
    const early = responses.slice(0, 10).filter((one) => refused.includes(one));
    const late = responses.slice(-10).filter((one) => refused.includes(one));
    assert.ok(early.length < late.length, `${early.length} of the first ten, ${late.length} of the last`);
    assert.ok(
      responses.slice(-40).some(({ status }) => status === 200),
      'one in twenty is still served',
    );
    assert.deepEqual([...new Set(refused.map((one) => get(one, RetryAfter)))], [5]);
    const { overloaded = 0 } = (await on.it.proxy().operations.statistics()).refusals;
    assert.ok(overloaded > refused.length, 'they are counted, those of the others as well');
  }));

test('law 9: few who come are served however busy the process is: it starts, or a neighbour takes the machine', () =>
  stage(async (on) => {
    on.work(1);
    const responses = await registrations(on, 20, 0);
    assert.deepEqual([...new Set(responses.map(({ status }) => status))], [200]);
  }));

test('law 9: after a minute without anybody the first who comes is served', () =>
  stage(async (on) => {
    on.work(1);
    await registrations(on, 20);
    on.work(0);
    await on.it.clock.advance(60_000);
    assert.deepEqual([...new Set((await registrations(on, 5, 0)).map(({ status }) => status))], [200]);
  }));

test('law 9: when there is rest again all is served again, and the log has said both', () =>
  stage(async (on) => {
    on.work(1);
    await registrations(on, 20);
    on.work(0.5);
    await registrations(on, 20);
    assert.deepEqual([...new Set((await registrations(on, 20)).map(({ status }) => status))], [200]);
    const words = on.it.log.map(({ text }) => text);
    assert.equal(words.filter((text) => text.startsWith('More comes than can be done')).length, 1);
    assert.equal(words.filter((text) => text === 'All is served again').length, 1);
  }));

test('law 9, RFC 3261 §8.2.7: a refused INVITE leaves no transaction and no call; its ACK goes nowhere', () =>
  stage(async (on) => {
    const { it, alice, bob } = on;
    on.work(1);
    await registrations(on, 30);
    it.ladder.clear();
    const invite = alice.request('INVITE', bob.aor, offer);
    const refusal = await alice.receivesFinal('INVITE');
    assert.equal(refusal.status, 503);
    alice.ack(invite, refusal);
    await it.clock.advance(100);
    it.ladder.expect(`
      F1 alice ─INVITE▶ proxy
      F2 alice ◀503─ proxy
      F3 alice ─ACK▶ proxy
    `);
    assert.equal((await it.proxy().operations.calls({ limit: 10 })).items.length, 0);
  }));

test('law 9: a call in progress goes on and ends while new ones are refused', () =>
  stage(async (on) => {
    const { it, alice, bob } = on;
    const { caller } = await it.call(alice, bob);
    on.work(1);
    await registrations(on, 30);
    await it.hangUp(alice, caller, bob);
  }));
