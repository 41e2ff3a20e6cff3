/**
 * Watchers in bad weather: loss, repetition, overtaking, and a proxy that is killed and started again. Whatever happens,
 * each watcher hears CSeqs that only grow, and in the end what bob published last. `SEED=17` plays one run again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { SipETag } from '../../src/message/headers/event.ts';
import type { SipRequest } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene } from '../support/proxy-scene.ts';
import { createRandom } from '../support/random.ts';
import { pidf, publish, watch } from '../support/watcher.ts';

const runs = 40;

/** Answers every NOTIFY, and each repetition of it, until the time is over. */
async function listen(agent: Agent, advance: (ms: number) => Promise<void>, forMs: number, heard: SipRequest[]) {
  for (let left = forMs; left > 0; left -= 100) {
    await advance(100);
    for (const message of agent.inbox.splice(0)) {
      if (message.kind !== 'request') continue;
      agent.respond(message, 200);
      heard.push(message);
    }
  }
}

async function run(seed: number): Promise<void> {
  const random = createRandom(seed * 7919);
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'], seed });
  const { clock, network } = it;
  const advance = (ms: number): Promise<void> => clock.advance(ms);
  await it.play(async () => {
    const alice = it.agent({ name: 'alice', address: '192.0.2.1' });
    const bob = it.agent({ name: 'bob', address: '192.0.2.2' });
    const heard = [(await watch(alice, bob.aor, 'presence', 3600)).first];
    const [loss, duplication, reordering] = [random.fraction() * 0.3, random.fraction() * 0.3, random.fraction() * 0.3];
    const bad = { loss, duplication, reordering, lateMs: random.integer(10, 900), maxDelayMs: 100 };
    it.database.set({ latencyMs: random.integer(0, 50) });
    let etag: string | undefined;
    for (let count = 1; count <= 5; count++) {
      // What bob says is said: he has no repetitions of his own.
      network.setWeather({ loss: 0, duplication: 0, reordering: 0 });
      publish(bob, {
        ...(etag === undefined ? {} : { ifMatch: etag }),
        body: pidf(bob.aor, 'open', `state ${count}`),
        expires: 3600,
      });
      etag = get(await bob.receivesResponse(200, 'PUBLISH'), SipETag);
      network.setWeather(bad);
      await listen(alice, advance, random.integer(0, 90) * 100, heard);
      if (count === 3 && random.chance(0.4)) await it.restart();
    }
    network.setWeather({ loss: 0, duplication: 0, reordering: 0 });
    await listen(alice, advance, 60_000, heard);
    check(heard, it.database.rows.subscriptions().length > 0);
  });
}

function check(heard: readonly SipRequest[], isAlive: boolean): void {
  const numbers = heard.map((notify) => get(notify, CSeq)?.number ?? 0);
  const fresh = heard.filter((_, index) => numbers.slice(0, index).every((earlier) => earlier !== numbers[index]));
  const order = fresh.map((notify) => get(notify, CSeq)?.number ?? 0);
  assert.deepEqual(
    order,
    order.toSorted((one, other) => one - other),
    'in order',
  );
  // So much may be lost that the watcher counted as gone.
  if (isAlive) assert.match(fresh.at(-1)?.body ?? '', /state 5/, 'the last state');
}

const chosen = process.env.SEED;
const seeds = chosen === undefined ? Array.from({ length: runs }, (_, index) => index + 1) : [Number(chosen)];

test(`RFC 6665 §4.2.2: NOTIFY in order, and the last state in the end, in ${runs} runs of bad weather`, async () => {
  for (const seed of seeds) await run(seed);
});
