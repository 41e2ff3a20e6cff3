/**
 * Calls between two sipps through a running Viaduct, with a real PostgreSQL, a real rtpengine and RTP in both directions.
 * A call counts only when each side hears the other's voice; after each test Viaduct and rtpengine have nothing of it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from '../support/postgres.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import type { Scope } from '../support/process.ts';
import { startTestRtpengine } from '../support/rtpengine.ts';
import { aliceSays, assertNothingIsLeft, bobSays, type SippCall, startCall, theCall } from '../support/sipp-calls.ts';
import { PASSWORD } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { type Settings, startViaduct, type Viaduct } from '../support/viaduct-process.ts';

/** One bob for each call: a device that is gone would ring along. */
const bobs = Array.from({ length: 20 }, (_, index) => `bob${index}`);
const users = ['alice', ...bobs].map((name) => `${name}:${PASSWORD}`).join(',');
const TALK_MS = 2_000;

interface Office {
  viaduct(): Viaduct;
  /** A call from alice to the next bob. */
  start(scope: Scope, call: Omit<SippCall, 'bob'>): ReturnType<typeof startCall>;
}

function office(settings: (scope: Scope) => Promise<Settings>): Office {
  const suite = createSuite();
  let running: Viaduct | undefined;
  before(async () => {
    running = await startViaduct(suite, { DEMO_USERS: users, ...(await settings(suite)) });
  });
  after(async () => {
    try {
      await running?.stop();
    } finally {
      await suite.end();
    }
  });
  const free = [...bobs];
  const viaduct = (): Viaduct => running ?? assert.fail('Viaduct did not start');
  return { viaduct, start: (scope, call) => startCall(scope, viaduct(), { ...call, bob: free.shift() ?? 'nobody' }) };
}

async function talk(scope: Scope, { viaduct, start }: Office, call: Omit<SippCall, 'bob'>): Promise<void> {
  const { alice, bob } = await start(scope, { pauseMs: TALK_MS, ...call });
  const callId = await theCall(viaduct());
  assert.deepEqual(await viaduct().rtpengine().list(), [callId]);
  await Promise.all([alice.rtp.hear(bobSays, 5), bob.rtp.hear(aliceSays, 5)]);
  await Promise.all([alice.done(), bob.done()]);
  await assertNothingIsLeft(viaduct(), callId);
}

/** A call that nobody answers; it has no record, so rtpengine says which one it is. */
async function failing(scope: Scope, { viaduct, start }: Office, call: Omit<SippCall, 'bob'>): Promise<void> {
  const before = (await viaduct().stats()).calls;
  const { alice, bob } = await start(scope, { pauseMs: 300, ...call });
  await viaduct().until('it rings', ({ calls }) => calls.ringing === 1, 5_000);
  const [callId = ''] = await viaduct().rtpengine().list();
  await Promise.all([alice.done(), bob.done()]);
  await assertNothingIsLeft(viaduct(), callId);
  const { calls } = await viaduct().stats();
  assert.deepEqual([calls.answered - before.answered, calls.failed - before.failed], [0, 1]);
}

describe('sipp calls sipp', { concurrency: 2 }, () => {
  describe('with the PostgreSQL and the rtpengine that Viaduct starts', { concurrency: 1 }, () => {
    const here = office(async () => ({}));

    for (const caller of ['udp', 'tcp'] as const) {
      for (const callee of ['udp', 'tcp'] as const) {
        test(`from ${caller} to ${callee}: each hears the other, the caller hangs up`, (t) =>
          talk(t, here, { caller, callee, calling: 'call', answering: 'answer' }));
      }
      test(`from ${caller} to udp: each hears the other, the callee hangs up`, (t) =>
        talk(t, here, { caller, callee: 'udp', calling: 'call-until-bye', answering: 'answer-hang-up' }));
    }

    test('RFC 3261 §9: the caller gives up while it rings', (t) =>
      failing(t, here, { caller: 'udp', callee: 'tcp', calling: 'cancel', answering: 'ring' }));

    test('the callee is busy: 486 reaches the caller', (t) =>
      failing(t, here, { caller: 'tcp', callee: 'udp', calling: 'refused', answering: 'reject', status: 486 }));
  });

  describe('with a PostgreSQL and an rtpengine of somebody else', { concurrency: 1 }, () => {
    let database = '';
    const there = office(async (scope) => {
      const [server, rtpengine] = await Promise.all([startPostgresServer(), startTestRtpengine()]);
      scope.after(() => server.remove());
      scope.after(() => rtpengine.stop());
      database = server.url('postgres');
      return { DATABASE_URL: database, RTPENGINE: `${rtpengine.address}=1` };
    });

    for (const transport of ['udp', 'tcp'] as const) {
      test(`over ${transport}: each hears the other, the caller hangs up`, (t) =>
        talk(t, there, { caller: transport, callee: transport, calling: 'call', answering: 'answer' }));
    }

    test('each hears the other, the callee hangs up', (t) =>
      talk(t, there, { caller: 'tcp', callee: 'udp', calling: 'call-until-bye', answering: 'answer-hang-up' }));

    test('RFC 3261 §9: the caller gives up while it rings', (t) =>
      failing(t, there, { caller: 'tcp', callee: 'tcp', calling: 'cancel', answering: 'ring' }));

    test('no call leaves a row behind', async () => {
      const rows = await sql(
        { url: database },
        'SELECT (SELECT count(*) FROM dialog) + (SELECT count(*) FROM media_outbox) AS n',
      );
      assert.deepEqual(rows, [{ n: '0' }]);
    });
  });
});
