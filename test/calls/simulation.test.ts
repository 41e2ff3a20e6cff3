/**
 * Telephones that act by themselves, in bad weather: loss, repetition, overtaking, delay, slow neighbours, a power cut,
 * a restart of the proxy. Whatever happens, the laws hold (DESIGN §2, §8): every call ends, nobody hears raw SDP, and
 * nothing is left. A run that fails prints its seed and its ladder; `SEED=17` plays that one again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallSettings, Transport } from '../../src/ports.ts';
import { type Habit, Phone } from '../support/phone.ts';
import { createProxyScene } from '../support/proxy-scene.ts';
import { createRandom, type SeededRandom } from '../support/random.ts';

const runs = 100;
/** Longer than ringing (90 s), giving up, timer C and every repetition. */
const endMs = 420_000;

const bob = 'sip:bob@example.com';
const users = ['alice', 'bob', 'carol'];
const columns = ['alice', 'proxy', 'desk', 'cell', 'carol'];

function pick<T>(random: SeededRandom, ...choices: readonly [T, ...T[]]): T {
  return choices[random.integer(0, choices.length - 1)] ?? choices[0];
}

/** `isBusy`: more often than not it does not take the call. */
function habitOf(random: SeededRandom, isBusy: boolean): Habit {
  const usual = isBusy ? ([486, 'ring'] as const) : (['answer', 'answer'] as const);
  return {
    ringAfterMs: random.integer(0, 3000),
    decideAfterMs: random.integer(0, 5000),
    decision: pick<Habit['decision']>(random, usual[0], usual[1], usual[0], 'answer', 'ring', 'dead', 486, 603, 404),
    earlyMedia: random.chance(0.2),
  };
}

function weatherOf(random: SeededRandom): { loss: number; duplication: number; reordering: number; lateMs: number } {
  return {
    loss: random.chance(0.3) ? 0 : random.fraction() * 0.2,
    duplication: random.fraction() * 0.2,
    reordering: random.fraction() * 0.3,
    lateMs: random.integer(10, 900),
  };
}

/** What bob wants for his calls that his telephones do not take: carol has them, or she sends them on to his again. */
function wishesOf(random: SeededRandom): Partial<CallSettings> {
  const away = ['sip:carol@example.com', 'sip:bob@example.com;transport=udp', 'sip:nobody@example.com'] as const;
  const place = (): string | undefined => (random.chance(0.5) ? pick(random, ...away) : undefined);
  return {
    ringSeconds: random.chance(0.3) ? random.integer(5, 12) : undefined,
    forwardBusy: place(),
    forwardNoAnswer: place(),
    voicemail: place(),
  };
}

const transports = ['udp', 'udp', 'udp', 'tcp', 'wss'] as const satisfies readonly Transport[];

async function run(seed: number): Promise<void> {
  const random = createRandom(seed * 7919);
  const it = createProxyScene({ columns, users, seed, graceMs: 5000 });
  const { clock, network } = it;
  const hasWishes = random.chance(0.5);
  const phone = (name: string, aor: string, last: number): Phone => {
    const transport = pick(random, ...transports);
    const course = { holdAfterMs: maybe(random, 4000), hangUpAfterMs: maybe(random, 12_000) ?? 60_000 };
    const port = 5060;
    return new Phone(network, clock, {
      name,
      aor,
      transport,
      address: `192.0.2.${last}`,
      port,
      habit: habitOf(random, hasWishes && aor === bob),
      course,
      q: random.chance(0.3) ? pick(random, 0.1, 0.9) : undefined,
    });
  };
  const alice = phone('alice', 'sip:alice@example.com', 1);
  const others = [phone('carol', 'sip:carol@example.com', 4), ...(random.chance(0.5) ? [phone('cell', bob, 3)] : [])];
  const phones = [alice, phone('desk', bob, 2), ...others];
  if (hasWishes) for (const user of ['bob', 'carol']) it.database.setCalls(user, 'example.com', wishesOf(random));
  await it.play(async () => {
    for (const one of phones) one.register();
    await clock.advance(1000);
    it.ladder.clear();
    it.media.set({ latencyMs: random.integer(0, 200) });
    it.database.set({ latencyMs: random.integer(0, 30) });
    network.setWeather({ ...weatherOf(random), minDelayMs: 1, maxDelayMs: random.integer(1, 120) });
    alice.call(bob, {
      cancelAfterMs: random.chance(0.3) ? random.integer(0, 9000) : undefined,
      holdAfterMs: maybe(random, 4000),
      hangUpAfterMs: random.integer(0, 15_000),
    });
    if (random.chance(0.15)) clock.after(random.integer(0, 12_000), () => pick(random, ...threeOf(phones)).die());
    if (random.chance(0.15)) {
      await clock.advance(random.integer(0, 15_000));
      await it.restart();
    }
    await clock.advance(endMs);
    network.setWeather({ loss: 0, duplication: 0, reordering: 0 });
    const states = phones.flatMap(({ name, calls }) => calls.map(({ state }) => `${name} ${state}`));
    assert.deepEqual(
      states.filter((state) => !/ (ended|failed)$/.test(state)),
      [],
      'every call ends',
    );
    assert.deepEqual(
      phones.flatMap(({ complaints }) => complaints),
      [],
    );
  });
}

function threeOf(phones: readonly Phone[]): readonly [Phone, ...Phone[]] {
  const [first, ...others] = phones;
  assert.ok(first !== undefined);
  return [first, ...others];
}

function maybe(random: SeededRandom, longestMs: number): number | undefined {
  return random.chance(0.5) ? random.integer(0, longestMs) : undefined;
}

const chosen = process.env.SEED;
const seeds = chosen === undefined ? Array.from({ length: runs }, (_, index) => index + 1) : [Number(chosen)];

test(`laws 1, 3 and 6 hold in ${runs} runs of bad weather, RFC 3261 §17 repeating what is lost`, async () => {
  for (const seed of seeds) await run(seed);
});
