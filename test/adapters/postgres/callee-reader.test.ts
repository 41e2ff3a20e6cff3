import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CalleeReader, createCalleeReader } from '../../../src/adapters/postgres/callee-reader.ts';
import { createPool, type DatabaseConnection } from '../../../src/adapters/postgres/pool.ts';
import { serverKinds, silentLog, withDatabase } from '../../support/postgres.ts';
import { realClock } from '../../support/rtpengine.ts';

const domain = 'example.com';
const aorOf = (username: string): string => `sip:${username}@${domain}`;

/** A reader, with the names of its statements as they leave. */
async function withReader(
  connection: DatabaseConnection,
  work: (reader: CalleeReader, statements: string[]) => Promise<void>,
): Promise<void> {
  const after = realClock.after.bind(realClock);
  const pool = createPool({ connection, log: silentLog, after, maxConnections: 3, probeMs: 20 });
  const statements: string[] = [];
  const counted: typeof pool = {
    ...pool,
    query: (statement) => {
      statements.push(statement.name);
      return pool.query(statement);
    },
  };
  try {
    await work(createCalleeReader(counted, realClock), statements);
  } finally {
    await pool.close();
  }
}

for (const kind of serverKinds) {
  describe(`callee reader, ${kind}`, () => {
    test('DESIGN §5: who the callees of a turn are, and where their devices, is one statement, and the same as asked apart', async () => {
      await withDatabase({ kind }, async ({ subscribers, aliases, location }, connection) => {
        for (const username of ['alice', 'bob']) await subscribers.add(username, domain, 'secret');
        await aliases.put({ domain, prefix: '00', digits: 0, hasRest: true, target: 'sip:{}@trunk.example' });
        const device = {
          aor: aorOf('alice'),
          contactParams: '',
          expiresAtMs: Date.now() + 3_600_000,
          callId: 'c',
          cseq: 1,
        };
        const place = { flowId: undefined, node: 'n', boot: 'b', transport: 'udp', source: '192.0.2.1:5060' } as const;
        const rest = {
          ...device,
          ...place,
          userAgent: '',
          media: 'webrtc',
          gruuCSeq: undefined,
          path: ['<sip:edge;lr>'],
        } as const;
        const save = [0.1, 0.9, 0.5].map((q) => ({ ...rest, q, key: `q${q}`, contact: `sip:alice@192.0.2.1;q=${q}` }));
        await location.change({ aor: device.aor, callId: 'c', cseq: 1, save, remove: [] });

        await withReader(connection, async (reader, statements) => {
          const names = ['alice', 'bob', 'nobody', '0049'].map((username) => ({ username, domain }));
          const ask = () => names.map((name) => [reader.callee(name), reader.bindings(aorOf(name.username))] as const);
          const together = await Promise.all(ask().map((both) => Promise.all(both)));
          assert.deepEqual(statements.splice(0), ['callee-and-bindings']);

          const callees = await Promise.all(names.map((name) => reader.callee(name)));
          const bindings = await Promise.all(names.map(({ username }) => reader.bindings(aorOf(username))));
          assert.deepEqual(statements, ['subscriber-callee', 'location-lookup']);
          assert.deepEqual(
            together,
            names.map((_, at) => [callees[at], bindings[at]]),
          );
          const [[alice, hers] = [], [bob, his] = [], [nobody] = [], [abroad] = []] = together;
          assert.ok(alice !== undefined && 'username' in alice && alice.username === 'alice');
          assert.deepEqual(
            hers?.map(({ key }) => key),
            ['q0.9', 'q0.5', 'q0.1'],
          );
          assert.ok(bob !== undefined && his?.length === 0);
          assert.equal(nobody, undefined);
          assert.ok(abroad !== undefined && 'target' in abroad && abroad.prefix === '00');
        });
      });
    });
  });
}
