/** The telephones of `test/e2e/sipp/` against each other: what they prove of Viaduct rests on this. */
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { startSipp } from './sipp.ts';

for (const transport of ['udp', 'tcp'] as const) {
  describe(`sipp over ${transport}`, () => {
    test('a caller and a callee talk, each hears the voice of the other, and the caller hangs up', async (t) => {
      const bob = await startSipp(t, 'answer', { transport, user: 'bob', voice: 2 });
      const remote = { host: '127.0.0.1', port: bob.port };
      const alice = await startSipp(t, 'call', {
        transport,
        user: 'alice',
        callee: 'bob',
        remote,
        pauseMs: 1000,
        voice: 1,
      });
      await alice.rtp.hear(2);
      await bob.rtp.hear(1);
      assert.deepEqual(await alice.done(), { successful: 1, failed: 0, retransmissions: 0 });
      await bob.done();
    });

    test('the callee hangs up', async (t) => {
      const bob = await startSipp(t, 'answer-hang-up', { transport, user: 'bob', pauseMs: 500 });
      const remote = { host: '127.0.0.1', port: bob.port };
      const alice = await startSipp(t, 'call-until-bye', { transport, user: 'alice', callee: 'bob', remote });
      await alice.talking();
      await Promise.all([alice.done(), bob.done()]);
    });

    test('the callee is busy', async (t) => {
      const bob = await startSipp(t, 'reject', { transport, user: 'bob' });
      const remote = { host: '127.0.0.1', port: bob.port };
      const alice = await startSipp(t, 'refused', { transport, user: 'alice', callee: 'bob', remote, status: 486 });
      await Promise.all([alice.done(), bob.done()]);
    });

    test('the caller gives up while it rings', async (t) => {
      const bob = await startSipp(t, 'ring', { transport, user: 'bob' });
      const remote = { host: '127.0.0.1', port: bob.port };
      const alice = await startSipp(t, 'cancel', { transport, user: 'alice', callee: 'bob', remote, pauseMs: 200 });
      await Promise.all([alice.done(), bob.done()]);
    });
  });
}

test('a scenario that goes wrong fails, and shows what sipp saw', async (t) => {
  const bob = await startSipp(t, 'reject', { transport: 'udp', user: 'bob' });
  const remote = { host: '127.0.0.1', port: bob.port };
  const alice = await startSipp(t, 'refused', { transport: 'udp', user: 'alice', callee: 'bob', remote, status: 404 });
  await assert.rejects(alice.done(), /ended with 1[\s\S]*unexpected[\s\S]*486/i);
});
