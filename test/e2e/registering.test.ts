/**
 * Law 5 and the bounds of what waits, with real processes: PostgreSQL is killed with -9 and comes back while telephones
 * register without a pause. What was acknowledged is in the table, the others hear 503 with Retry-After and nobody is left
 * without an answer; then all goes on, in the same Viaduct.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createRequest } from '../../src/message/build.ts';
import { serialize } from '../../src/message/edit.ts';
import { get, values } from '../../src/message/header.ts';
import { CallId } from '../../src/message/headers/call-id.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { RetryAfter } from '../../src/message/headers/numbers.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { sql } from '../support/postgres.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const domain = 'example.test';
const perSecond = 500;
const telephones = 2000;
const suite = createSuite();
let database: PostgresServer;
let viaduct: Viaduct;

before(async () => {
  database = await startPostgresServer({ durable: true });
  suite.after(() => database.remove());
  viaduct = await startViaduct(suite, {
    DATABASE_URL: database.url('postgres'),
    TRUSTED: '127.0.0.0/8',
    RTPENGINE: 'udp:127.0.0.1:9',
  });
});

after(async () => {
  await suite.end();
});

interface Answer {
  readonly name: string;
  readonly cseq: number;
  readonly status: number;
  readonly retryAfter: number | undefined;
  readonly contacts: readonly string[];
}

interface Load {
  readonly sent: number;
  readonly answers: readonly Answer[];
  stop(): Promise<void>;
}

/** Telephones that register one after the other, each with its next CSeq when its turn comes again. */
async function startLoad(): Promise<Load> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const answers: Answer[] = [];
  /** By name and CSeq: what has no answer yet. */
  const open = new Map<string, Buffer>();
  let sent = 0;
  const send = (bytes: Buffer): void => socket.send(bytes, viaduct.port('udp'), '127.0.0.1');
  socket.on('message', (data) => {
    const response = parseMessage(data.toString('latin1'));
    if (response.kind !== 'response' || response.status < 200) return;
    const [name = ''] = (get(response, CallId) ?? '').split('-');
    const cseq = get(response, CSeq)?.number ?? 0;
    const { status } = response;
    if (!open.delete(`${name} ${cseq}`)) return;
    answers.push({ name, cseq, status, retryAfter: get(response, RetryAfter), contacts: values(response, Contact) });
  });
  const register = (): void => {
    const name = `phone${sent % telephones}`;
    const cseq = 1 + Math.floor(sent / telephones);
    sent += 1;
    const request = createRequest({
      method: 'REGISTER',
      uri: `sip:${domain}`,
      via: { transport: 'UDP', host: '127.0.0.1', port, params: [['branch', `z9hG4bK-${name}-${cseq}`]] },
      from: `<sip:${name}@${domain}>;tag=${cseq}`,
      to: `<sip:${name}@${domain}>`,
      callId: `${name}-load`,
      cseq,
      headers: [['Contact', `<sip:${name}@127.0.0.1:${port}>;expires=600`]],
    });
    const bytes = Buffer.from(serialize(request), 'latin1');
    open.set(`${name} ${cseq}`, bytes);
    send(bytes);
  };
  const startedMs = Date.now();
  const timer = setInterval(() => {
    const due = ((Date.now() - startedMs) * perSecond) / 1000;
    for (let burst = 0; sent < due && burst < perSecond / 10; burst++) register();
  }, 10);
  return {
    get sent() {
      return sent;
    },
    answers,
    stop: async () => {
      clearInterval(timer);
      // A datagram may be lost, and is then sent again (RFC 3261 §17.1.2).
      for (const untilMs = Date.now() + 12_000; open.size > 0 && Date.now() < untilMs; await delay(500)) {
        for (const bytes of open.values()) send(bytes);
      }
      socket.close();
    },
  };
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (const untilMs = Date.now() + 20_000; !isTrue(); await delay(20)) assert.ok(Date.now() < untilMs, what);
}

test('PostgreSQL is killed under REGISTER load: what was acknowledged is stored, 503 for the rest, and then all goes on', async () => {
  const load = await startLoad();
  const of = (status: number): readonly Answer[] => load.answers.filter((answer) => answer.status === status);
  await until('registrations', () => of(200).length > perSecond);
  process.kill(database.pid(), 'SIGKILL');
  await database.stop();
  await until('503s', () => of(503).length > perSecond);
  const { waiting } = (await viaduct.stats()).database;
  assert.ok(waiting <= 20_000, `${waiting} wait`);
  // Its children end by themselves when they see that it is gone.
  await delay(500);
  await database.start();
  const before = of(200).length;
  await until('registrations again', () => of(200).length > before + perSecond);
  await load.stop();

  assert.equal(load.answers.length, load.sent, 'everybody has an answer');
  // RFC 3261 §10.3 step 7: one that was lost, and came again behind the next one of its telephone, is out of order.
  const isOvertaken = (late: Answer): boolean =>
    of(200).some(({ name, cseq }) => name === late.name && cseq > late.cseq);
  const inOrder = load.answers.filter((answer) => answer.status !== 500 || !isOvertaken(answer));
  assert.deepEqual([...new Set(inOrder.map(({ status }) => status))].toSorted(), [200, 503]);
  assert.ok(of(503).every(({ retryAfter }) => retryAfter !== undefined));
  // The 200 lists what is stored: one contact, its own.
  for (const { name, contacts } of of(200))
    assert.ok(contacts.length === 1 && contacts[0]?.startsWith(`<sip:${name}@`), name);
  const stored = await sql({ url: database.url('postgres') }, 'SELECT aor, cseq FROM location');
  const inTable = new Map(stored.map(({ aor, cseq }) => [String(aor), Number(cseq)]));
  for (const { name, cseq } of of(200)) {
    assert.ok((inTable.get(`sip:${name}@${domain}`) ?? 0) >= cseq, `${name} was told that CSeq ${cseq} is stored`);
  }
});
