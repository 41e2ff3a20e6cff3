/**
 * Calls between two sipps through a started Viaduct and a real rtpengine, over UDP and TCP, with digest, location and
 * dialogs in the embedded and in a server PostgreSQL. Each call is over only when rtpengine has let go of it.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { withEmptyDatabase } from '../support/postgres.ts';
import { freePort } from '../support/process.ts';
import { startTestRtpengine } from '../support/rtpengine.ts';
import { type Sipp, type SippOptions, type SippScenario, startSipp } from '../support/sipp.ts';
import { newPlace } from '../support/viaduct.ts';

const DOMAIN = 'example.test';
const ALICE = 1;
const BOB = 2;

const wires = ['udp', 'tcp'] as const;
type Wire = (typeof wires)[number];

interface Town {
  /** A registered bob that plays the scenario. */
  bob(t: TestContext, scenario: SippScenario, transport: Wire, options?: Partial<SippOptions>): Promise<Sipp>;
  /** Alice, who calls bob. */
  alice(t: TestContext, scenario: SippScenario, transport: Wire, options?: Partial<SippOptions>): Promise<Sipp>;
  /** Both are through, and rtpengine has forgotten the call. */
  over(alice: Sipp, bob: Sipp): Promise<void>;
}

test('with the embedded PostgreSQL', async (t) => {
  const town = await newTown(t, {});
  for (const from of wires) for (const to of wires) await talk(town, t, from, to);
  for (const wire of wires) await endings(town, t, wire);
  await t.test('an account that is not there is 404 to an authenticated caller', async (t) => {
    const alice = await town.alice(t, 'refused', 'udp', { callee: 'zoe', status: 404 });
    await alice.done();
  });
});

test('with a PostgreSQL server', async (t) => {
  await withEmptyDatabase('server', async (connection) => {
    assert.ok('url' in connection);
    const town = await newTown(t, { DATABASE_URL: connection.url });
    await talk(town, t, 'tcp', 'udp');
    await endings(town, t, 'udp');
  });
});

async function newTown(t: TestContext, database: Readonly<Record<string, string>>): Promise<Town> {
  const rtpengine = await startTestRtpengine();
  t.after(() => rtpengine.stop());
  const accounts = { DOMAINS: DOMAIN, DEMO_USERS: 'alice:wonder,bob:builder' };
  const viaduct = await newPlace(t).start({ ...accounts, RTPENGINE: rtpengine.address, ...database });
  const remoteOf = (transport: Wire) => ({ host: '127.0.0.1', port: viaduct.port(transport) });
  return {
    async bob(t, scenario, transport, options) {
      const account = { user: 'bob', domain: DOMAIN, voice: BOB };
      const phone = await startSipp(t, scenario, { ...account, transport, ...options });
      const contact = `127.0.0.1:${phone.port};transport=${transport}`;
      const login = { ...account, password: 'builder', port: await freePort('both') };
      // Over UDP: a binding made over a connection is reached by it alone (law 4), and this one does not stay.
      const register = { ...login, transport: 'udp', remote: remoteOf('udp'), contact } as const;
      await (await startSipp(t, 'register', register)).done();
      // Or the next call would ring here, too, where nobody is any more.
      t.after(async () =>
        (await startSipp(t, 'register', { ...register, port: await freePort('both'), expires: 0 })).done(),
      );
      return phone;
    },
    alice: (t, scenario, transport, options) =>
      startSipp(t, scenario, {
        ...{ user: 'alice', password: 'wonder', domain: DOMAIN, callee: 'bob', voice: ALICE },
        ...{ transport, remote: remoteOf(transport), ...options },
      }),
    async over(alice, bob) {
      await Promise.all([alice.done(), bob.done()]);
      await rtpengine.assertReleased(alice.callId());
    },
  };
}

async function talk(town: Town, t: TestContext, from: Wire, to: Wire): Promise<void> {
  await t.test(`${from} to ${to}: each hears the other, and the caller hangs up`, async (t) => {
    const bob = await town.bob(t, 'answer', to);
    const alice = await town.alice(t, 'call', from, { pauseMs: 1200 });
    await Promise.all([alice.rtp.hear(BOB), bob.rtp.hear(ALICE)]);
    await town.over(alice, bob);
  });
}

async function endings(town: Town, t: TestContext, wire: Wire): Promise<void> {
  await t.test(`${wire}: the callee hangs up`, async (t) => {
    const bob = await town.bob(t, 'answer-hang-up', wire, { pauseMs: 1200 });
    const alice = await town.alice(t, 'call-until-bye', wire);
    await Promise.all([alice.rtp.hear(BOB), bob.rtp.hear(ALICE)]);
    await town.over(alice, bob);
  });

  await t.test(`${wire}: the callee is busy`, async (t) => {
    const bob = await town.bob(t, 'reject', wire);
    await town.over(await town.alice(t, 'refused', wire, { status: 486 }), bob);
  });

  await t.test(`${wire}: the caller gives up while it rings`, async (t) => {
    const bob = await town.bob(t, 'ring', wire);
    await town.over(await town.alice(t, 'cancel', wire, { pauseMs: 300 }), bob);
  });
}
