/**
 * Neighbours that are down, wrong passwords and broken messages, with real processes: what a caller meets, that it
 * passes without a restart, and that nothing which was acknowledged is lost.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { SipResponse } from '../../src/message/message.ts';
import type { Transport } from '../../src/ports.ts';
import { sql } from '../support/postgres.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { freePort, type RunningProcess, type Scope, startProcess } from '../support/process.ts';
import { assertNothingIsLeft } from '../support/sipp-calls.ts';
import { openSoftphone, PASSWORD, type Softphone, softphoneOf } from '../support/softphone.ts';
import { createSuite, type Suite } from '../support/suite.ts';
import { type Settings, startViaduct, type Viaduct } from '../support/viaduct-process.ts';

interface Office {
  readonly suite: Suite;
  viaduct(): Viaduct;
  /** Two registered softphones that nobody else is registered as. */
  pair(scope: Scope, transport?: Transport): Promise<readonly [Softphone, Softphone]>;
  /** An account without a device. */
  account(): string;
}

function office(settings: (suite: Suite) => Promise<Settings>): Office {
  const suite = createSuite();
  const names = Array.from({ length: 40 }, (_, index) => `user${index}`);
  const users = names.map((name) => `${name}:${PASSWORD}`).join(',');
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
  const account = (): string => names.shift() ?? assert.fail('too few accounts');
  const viaduct = (): Viaduct => running ?? assert.fail('Viaduct did not start');
  const open = (scope: Scope, transport: Transport, voice: number): Promise<Softphone> =>
    softphoneOf(scope, viaduct(), { user: account(), transport, voice });
  return {
    suite,
    viaduct,
    account,
    pair: (scope, transport = 'udp') => Promise.all([open(scope, transport, 1), open(scope, 'udp', 2)]),
  };
}

function headerOf(response: SipResponse, name: string): string {
  return response.headers.find((line) => line.name === name)?.value ?? '';
}

/** The final response to an INVITE that fails. */
async function refused(alice: Softphone, uri: string): Promise<SipResponse> {
  const invite = await alice.invite(uri, alice.offer());
  const response = await alice.agent.receivesFinal('INVITE');
  alice.agent.ack(invite, response);
  return response;
}

function assertUnavailable(response: SipResponse, why: RegExp): void {
  assert.equal(response.status, 503, response.startLine);
  assert.match(headerOf(response, 'warning'), why);
}

async function talkOnce(viaduct: Viaduct, alice: Softphone, bob: Softphone): Promise<void> {
  const talk = await alice.call(bob);
  await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
  await alice.hangUp(talk.caller, bob);
  await assertNothingIsLeft(viaduct, talk.callId);
}

describe('failures', { concurrency: 2 }, () => {
  // --- others that are down --------------------------------------------------------------------------------------------

  describe('with PostgreSQL and rtpengine of somebody else', { concurrency: 1 }, () => {
    let database: PostgresServer;
    let rtpengine: RunningProcess;
    let ngPort: number;
    const there = office(async (suite) => {
      database = await startPostgresServer();
      suite.after(() => database.remove());
      ngPort = await freePort('udp');
      rtpengine = runRtpengine(suite);
      return { DATABASE_URL: database.url('postgres'), RTPENGINE: `udp:127.0.0.1:${ngPort}` };
    });

    /** As an operator does, with a port that it keeps. */
    function runRtpengine(scope: Scope): RunningProcess {
      const ports = ['--port-min=31000', '--port-max=31199', `--listen-ng=127.0.0.1:${ngPort}`];
      const options = ['--config-file=none', '--table=-1', '--foreground', '--log-stderr', '--delete-delay=0'];
      return startProcess(scope, 'rtpengine', [...options, '--interface=127.0.0.1', ...ports]);
    }

    test('PostgreSQL is stopped: 503 with Retry-After, calls in progress go on; it is back: nothing was lost', async (t) => {
      const viaduct = there.viaduct();
      const [alice, bob] = await there.pair(t, 'tcp');
      const [carol, dave] = await there.pair(t);
      const talk = await alice.call(bob);
      await database.stop();

      const registering = await carol.register();
      assertUnavailable(registering, /database/);
      assert.match(headerOf(registering, 'retry-after'), /^\d+$/);
      const calling = await refused(carol, dave.aor);
      assertUnavailable(calling, /database/);
      assert.match(headerOf(calling, 'retry-after'), /^\d+$/);
      const { status, database: state } = await viaduct.health();
      assert.deepEqual([status, state, (await viaduct.stats()).database.state], ['degraded', 'down', 'down']);

      await alice.change(talk.caller, bob, 'sendonly');
      await bob.change(talk.callee, alice);
      await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
      await bob.hangUp(talk.callee, alice);
      await viaduct.rtpengine().assertReleased(talk.callId);

      await database.start();
      await viaduct.until('the database is up', (stats) => stats.database.state === 'up', 5_000);
      const known = (await viaduct.registrations()).map(({ aor }) => aor);
      for (const { aor } of [alice, bob, carol, dave]) assert.ok(known.includes(aor), `${aor} is still registered`);
      await talkOnce(viaduct, carol, dave);
      assert.equal((await carol.register()).status, 200);
      for (const until = Date.now() + 3_000; Date.now() < until && (await dialogRows()) > 0; ) await delay(50);
      assert.equal(await dialogRows(), 0, 'the call that ended meanwhile is in the database no more');
    });

    test('PostgreSQL hangs: within three seconds that is known and everybody gets 503; it goes on, and nothing was lost', async (t) => {
      const viaduct = there.viaduct();
      const [alice, bob] = await there.pair(t);
      const talk = await alice.call(bob);
      database.freeze();
      t.after(() => database.thaw());
      const frozenMs = Date.now();
      // Those that are on their way hang with it.
      const caught = await Promise.all([alice.register(), bob.register()]);
      assert.ok(Date.now() - frozenMs < 7_000, `${Date.now() - frozenMs} ms`);
      for (const response of caught) {
        assertUnavailable(response, /database/);
        assert.match(headerOf(response, 'retry-after'), /^\d+$/);
      }
      const { status, database: state } = await viaduct.health();
      assert.deepEqual([status, state], ['degraded', 'down']);
      t.diagnostic(`known after ${Date.now() - frozenMs} ms`);
      for (let count = 0; count < 20; count++) assertUnavailable(await alice.register(), /database/);
      assert.equal((await viaduct.stats()).database.waiting, 0, 'nobody waits for a server that hangs');
      await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
      await alice.hangUp(talk.caller, bob);

      database.thaw();
      await viaduct.until('the database is up', (stats) => stats.database.state === 'up', 8_000);
      assert.equal((await alice.register()).status, 200);
      const known = (await viaduct.registrations()).map(({ aor }) => aor);
      for (const { aor } of [alice, bob]) assert.ok(known.includes(aor), `${aor} is still registered`);
      for (const until = Date.now() + 5_000; Date.now() < until && (await dialogRows()) > 0; ) await delay(50);
      assert.equal(await dialogRows(), 0, 'the call that ended meanwhile is in the database no more');
      await recorded(talk.callId);
      await talkOnce(viaduct, alice, bob);
    });

    /** Behind the call, when the database is back. */
    async function recorded(callId: string): Promise<void> {
      const count = 'SELECT count(*)::int AS n FROM call_record WHERE call_id = $1';
      for (const until = Date.now() + 10_000; Date.now() < until; await delay(50)) {
        const [row] = await sql({ url: database.url('postgres') }, count, [callId]);
        if (Number(row?.n) === 1) return;
      }
      assert.fail('The call that ended meanwhile has no record.');
    }

    async function dialogRows(): Promise<number> {
      const [row] = await sql({ url: database.url('postgres') }, 'SELECT count(*)::int AS n FROM dialog');
      return Number(row?.n);
    }

    test('rtpengine is stopped: 503 with a Warning that says so; calls work again as soon as it is back', async (t) => {
      const viaduct = there.viaduct();
      const [alice, bob] = await there.pair(t);
      const talk = await alice.call(bob);
      await rtpengine.stop();
      assertUnavailable(await refused(alice, bob.aor), /rtpengine/);
      assert.equal((await viaduct.health()).media, 'down');
      await alice.hangUp(talk.caller, bob);
      rtpengine = runRtpengine(there.suite);
      await viaduct.until('rtpengine is up', (stats) => stats.rtpengine[0]?.state === 'up', 5_000);
      await talkOnce(viaduct, alice, bob);
    });

    test('rtpengine hangs: 503 in seconds, and calls work again when it goes on', async (t) => {
      const viaduct = there.viaduct();
      const [alice, bob] = await there.pair(t);
      rtpengine.signal('SIGSTOP');
      try {
        assertUnavailable(await refused(alice, bob.aor), /rtpengine/);
      } finally {
        rtpengine.signal('SIGCONT');
      }
      await viaduct.until('rtpengine is up', (stats) => stats.rtpengine[0]?.state === 'up', 5_000);
      await talkOnce(viaduct, alice, bob);
    });
  });

  // --- children that die -----------------------------------------------------------------------------------------------

  describe('with PostgreSQL and rtpengine of its own', { concurrency: 1 }, () => {
    const here = office(async () => ({}));

    test('kill -9 of PostgreSQL: it comes back by itself, and acknowledged bindings are there', async (t) => {
      const viaduct = here.viaduct();
      const [alice, bob] = await here.pair(t);
      process.kill(viaduct.run().children.postgres ?? assert.fail('no PostgreSQL'), 'SIGKILL');
      // Each REGISTER until then is refused in words that a telephone understands; none is lost, none hangs.
      for (const until = Date.now() + 10_000; ; await delay(20)) {
        const response = await alice.register();
        if (response.status === 200) break;
        assertUnavailable(response, /database/);
        assert.match(headerOf(response, 'retry-after'), /^\d+$/);
        assert.ok(Date.now() < until, 'PostgreSQL does not come back');
      }
      const aors = (await viaduct.registrations()).map(({ aor }) => aor);
      assert.ok(aors.includes(bob.aor), 'bob, who did not register again, is still there');
      await talkOnce(viaduct, alice, bob);
    });

    test('kill -9 of rtpengine in a call: BYE goes through, and the next call has media', async (t) => {
      const viaduct = here.viaduct();
      const [alice, bob] = await here.pair(t);
      const talk = await alice.call(bob);
      await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
      process.kill(viaduct.run().children.rtpengine ?? assert.fail('no rtpengine'), 'SIGKILL');
      await alice.hangUp(talk.caller, bob);
      await viaduct.until('rtpengine is down or up again', (stats) => stats.rtpengine[0]?.state !== undefined);
      await viaduct.until(
        'rtpengine answers',
        ({ rtpengine: [node] }) => node?.state === 'up' && node.ports?.used === 0,
        5_000,
      );
      await talkOnce(viaduct, alice, bob);
    });

    // --- who sends nonsense -------------------------------------------------------------------------------------------

    test('five wrong passwords: 403 for this user from this source only', async (t) => {
      const viaduct = here.viaduct();
      const user = here.account();
      const wrong = await openSoftphone(t, viaduct, { user, transport: 'udp', password: 'guessed' });
      for (let time = 0; time < 5; time++) assert.equal((await wrong.register()).status, 401);
      const blocked = await wrong.register();
      assert.equal(blocked.status, 403);
      assert.match(headerOf(blocked, 'warning'), /^399 .*failed logins/);
      const [sameSource, elsewhere, otherUser] = await Promise.all([
        openSoftphone(t, viaduct, { user, transport: 'tcp' }),
        openSoftphone(t, viaduct, { user, transport: 'udp', from: '127.0.0.2' }),
        openSoftphone(t, viaduct, { user: here.account(), transport: 'udp' }),
      ]);
      assert.equal((await sameSource.register()).status, 403, 'with the right password, too');
      assert.equal((await elsewhere.register()).status, 200);
      assert.equal((await otherUser.register()).status, 200);
      const { refusals } = await viaduct.stats();
      assert.equal(refusals['login-blocked'], 2);
      assert.doesNotMatch(viaduct.output(), /guessed/, 'secrets are never logged');
    });

    test('law 10: a stranger is not relayed, does not ring anybody, and gains nothing by a forged To tag', async (t) => {
      const [alice, bob] = await here.pair(t);
      for (const [target, toTag, status] of [
        ['sip:somebody@elsewhere.example', '', 403],
        [bob.aor, '', 403],
        [bob.aor, ';tag=forged', 481],
      ] as const) {
        const text = request(`OPTIONS ${target} SIP/2.0`, 5060);
        const forged = text
          .replace(/From: .*/, 'From: <sip:mallory@foreign.example>;tag=1')
          .replace(/(To: .*>)/, `$1${toTag}`);
        alice.agent.send(forged.replace('127.0.0.1:5060;', '127.0.0.1:5060;rport;'));
        assert.equal((await alice.agent.receivesFinal('OPTIONS')).status, status, target);
      }
      await bob.agent.receivesNothing(50);
    });

    test('datagrams that are no SIP: dropped and counted, answered 400 where somebody can be answered', async (t) => {
      const viaduct = here.viaduct();
      const socket = createSocket('udp4');
      const answers: string[] = [];
      socket.on('message', (bytes) => answers.push(bytes.toString('latin1')));
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      t.after(() => socket.close());
      const before = totalOf((await viaduct.stats()).messages.dropped);
      const readable = request('OPTIONS sip:example.test SIP/2.0', socket.address().port);
      const garbage = [
        Buffer.from('hello'),
        Buffer.from([0, 1, 2, 3, 255, 254, 253]),
        Buffer.alloc(1400, 0x41),
        Buffer.alloc(60_000, 0x0d),
        Buffer.from('INVITE\r\n\r\n'),
        Buffer.from('SIP/2.0 999999 \r\n\r\n'),
        Buffer.from('SIP/2.0 200 OK\r\nVia: ;;;\r\n\r\n'),
        Buffer.from(`${'X: y\r\n'.repeat(8_000)}\r\n`),
        Buffer.from(readable.replace('CSeq: 1 OPTIONS', 'CSeq: one')),
        Buffer.from(readable.replace('Content-Length: 0', 'Content-Length: 1000')),
        Buffer.from(readable.replace('SIP/2.0\r\n', 'SIP/7.0\r\n')),
      ];
      for (const bytes of garbage) socket.send(bytes, viaduct.port('udp'), '127.0.0.1');
      await viaduct.until(
        'all of them are counted',
        ({ messages }) => totalOf(messages.dropped) >= before + garbage.length,
      );
      assert.deepEqual(
        answers.map((text) => text.slice(0, 11)).sort(),
        ['SIP/2.0 400', 'SIP/2.0 400', 'SIP/2.0 505'],
        answers.join(''),
      );
      socket.send(readable, viaduct.port('udp'), '127.0.0.1');
      await until(() => answers.some((text) => text.startsWith('SIP/2.0 200')), 'it still answers');
    });

    test('streams that are no SIP are ended and counted, and connections are as at the start', async (t) => {
      const viaduct = here.viaduct();
      const before = (await viaduct.stats()).messages.dropped;
      const readable = request('OPTIONS sip:example.test SIP/2.0', 1);
      await ended(viaduct.port('tcp'), Buffer.alloc(100_000, 0x41));
      await ended(viaduct.port('tcp'), Buffer.from(readable.replace('Content-Length: 0', 'Content-Length: -1')));
      await ended(viaduct.port('tcp'), Buffer.from(readable.replace('Content-Length: 0', 'Content-Length: 99999999')));
      await ended(viaduct.port('tls'), Buffer.from(readable));
      await ended(viaduct.port('ws'), Buffer.from(readable));
      await ended(viaduct.port('wss'), Buffer.from(readable));
      await refusedUpgrade(`ws://127.0.0.1:${viaduct.port('ws')}`);
      const { messages } = await viaduct.stats();
      assert.ok(totalOf(messages.dropped) >= totalOf(before) + 6, JSON.stringify(messages.dropped));
      const none = { tcp: 0, tls: 0, ws: 0, wss: 0 };
      await viaduct.until('no connection is left', ({ connections }) => isSame(connections, none), 5_000);
      await talkOnce(viaduct, ...(await here.pair(t, 'tls')));
    });

    test('a WebSocket that talks nonsense is answered or ignored; its next message is read', async (t) => {
      const viaduct = here.viaduct();
      const socket = new WebSocket(`ws://127.0.0.1:${viaduct.port('ws')}`, 'sip');
      t.after(() => socket.terminate());
      await once(socket, 'open');
      const answers: string[] = [];
      socket.on('message', (data) => answers.push(String(data)));
      for (const text of ['hello', '\u0000\u0001', '{"json": true}', '']) socket.send(text);
      socket.send(Buffer.from([0xff, 0xfe, 0xfd]));
      socket.send(request('OPTIONS sip:example.test SIP/2.0', 1));
      await until(() => answers.some((text) => text.startsWith('SIP/2.0 200')), 'it still answers');
    });
  });
});

function request(line: string, port: number): string {
  return [
    line,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${Math.random()}`,
    'Max-Forwards: 70',
    'From: <sip:scanner@example.test>;tag=1',
    'To: <sip:example.test>',
    `Call-ID: ${Math.random()}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
}

function totalOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  for (const deadlineMs = Date.now() + 3_000; !isTrue(); await delay(10)) assert.ok(Date.now() < deadlineMs, what);
}

/** Writes these bytes and waits until the other side has had enough. */
async function ended(port: number, bytes: Buffer): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  // It may end with a reset: there were bytes that nobody read.
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(bytes);
  const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
  assert.ok(await Promise.race([closed, delay(3_000, false)]), `the connection to ${port} is still open`);
}

/** A WebSocket that does not ask for the sub-protocol `sip` (RFC 7118 §4). */
async function refusedUpgrade(url: string): Promise<void> {
  const socket = new WebSocket(url);
  const [error]: unknown[] = await once(socket, 'error');
  assert.match(String(error), /Unexpected server response: 4\d\d/);
}
