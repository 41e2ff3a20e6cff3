/**
 * 10,000 mutated messages by seed over each transport, to a running Viaduct: it lives, takes the next call, and its
 * handles, transactions, connections and memory return to where they began.
 *
 * Slow senders, half-open connections and frames without end: test/adapters/network.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { Transport } from '../../src/ports.ts';
import { mutated } from '../support/mutations.ts';
import { createRandom, type SeededRandom } from '../support/random.ts';
import { phoneOffer } from '../support/sdp.ts';
import { PASSWORD, softphoneOf } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const transports: readonly Transport[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];
/** Twice 5,000: what the first half takes, with all its transactions, is room enough for the rest of the second. */
const half = 5_000;
/** Sent without a pause between them. What follows a message that ends a stream is lost with the connection. */
const batch = { udp: 50, tcp: 5, tls: 5, ws: 50, wss: 50 } as const;
/** Timers F, H and J are 32 s; nothing that came with garbage lives longer. */
const restMs = 70_000;

const suite = createSuite();
let viaduct: Viaduct;

before(async () => {
  viaduct = await startViaduct(suite, { DEMO_USERS: `alice:${PASSWORD}`, LOG_LEVEL: 'warn' });
});

after(async () => {
  try {
    await viaduct?.stop();
  } finally {
    await suite.end();
  }
});

// --- what is sent ----------------------------------------------------------------------------------------------------

const methods = ['INVITE', 'REGISTER', 'OPTIONS', 'BYE', 'CANCEL', 'ACK', 'MESSAGE', 'SUBSCRIBE', 'UPDATE', 'PUBLISH'];

function good(transport: Transport, random: SeededRandom): string {
  const method = methods[random.integer(0, methods.length - 1)] ?? 'OPTIONS';
  const name = random.hex(6);
  const body = method === 'INVITE' || method === 'UPDATE' ? phoneOffer('alice') : '';
  const start = random.chance(0.1) ? 'SIP/2.0 200 OK' : `${method} sip:alice@example.test SIP/2.0`;
  return [
    start,
    `Via: SIP/2.0/${transport.toUpperCase()} ${name}.invalid;rport;branch=z9hG4bK${name}`,
    'Max-Forwards: 70',
    `From: "Mallory" <sip:mallory@example.test>;tag=${name}`,
    `To: <sip:alice@example.test>${random.chance(0.2) ? ';tag=x' : ''}`,
    `Call-ID: ${name}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:mallory@${name}.invalid;transport=ws>;+sip.instance="<urn:uuid:${name}>";reg-id=1`,
    'Route: <sip:127.0.0.1;lr>',
    'Authorization: Digest username="alice", realm="example.test", nonce="x", uri="sip:example.test", response="0"',
    'Supported: path, outbound, 100rel',
    'Expires: 60',
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

function* garbage(transport: Transport, count: number, seed: number): Generator<Buffer> {
  const random = createRandom(seed);
  for (let left = count; left > 0; left -= 1) yield Buffer.from(mutated(good(transport, random), random), 'latin1');
}

// --- how it is sent --------------------------------------------------------------------------------------------------

interface Mouth {
  send(bytes: Buffer): void;
  close(): void;
}

/** Each opens again what Viaduct has closed. */
function open(transport: Transport): Mouth {
  const port = viaduct.port(transport);
  switch (transport) {
    case 'udp': {
      const socket = createSocket('udp4');
      return { send: (bytes) => socket.send(bytes, port, '127.0.0.1'), close: () => socket.close() };
    }
    case 'tcp':
      return reopening(() => stream(connectTcp({ port, host: '127.0.0.1' })));
    case 'tls':
      return reopening(() => stream(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })));
    case 'ws':
    case 'wss':
      return reopening(() => webSocket(`${transport}://127.0.0.1:${port}`));
  }
}

interface Connection extends Mouth {
  isOpen(): boolean;
}

function reopening(create: () => Connection): Mouth {
  let connection = create();
  return {
    send(bytes) {
      if (!connection.isOpen()) connection = create();
      connection.send(bytes);
    },
    close: () => connection.close(),
  };
}

function stream(socket: Socket): Connection {
  // Closed by Viaduct in the middle of a write: that is what it is for.
  socket.on('error', () => undefined);
  socket.resume();
  return { send: (bytes) => socket.write(bytes), close: () => socket.destroy(), isOpen: () => socket.writable };
}

function webSocket(url: string): Connection {
  const socket = new WebSocket(url, 'sip', { rejectUnauthorized: false });
  const waiting: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('open', () => {
    for (const bytes of waiting.splice(0)) socket.send(bytes, { binary: true });
  });
  return {
    send: (bytes) =>
      void (socket.readyState === WebSocket.OPEN ? socket.send(bytes, { binary: true }) : waiting.push(bytes)),
    close: () => socket.terminate(),
    isOpen: () => socket.readyState <= WebSocket.OPEN,
  };
}

async function pour(transport: Transport, count: number, seed: number): Promise<void> {
  const mouth = open(transport);
  let sent = 0;
  for (const bytes of garbage(transport, count, seed)) {
    mouth.send(bytes);
    sent += 1;
    // Viaduct reads meanwhile; without a pause the kernel would drop most of the datagrams.
    if (sent % batch[transport] === 0) await delay(2);
  }
  mouth.close();
}

// --- what must be as before ------------------------------------------------------------------------------------------

function openFiles(): number {
  return readdirSync(`/proc/${viaduct.run().pid}/fd`).length;
}

function memoryMiB(): number {
  const [, kiB = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${viaduct.run().pid}/status`, 'latin1')) ?? [];
  return Number(kiB) / 1_024;
}

async function atRest(): Promise<void> {
  const isQuiet = (count: number): boolean => count === 0;
  await viaduct.until(
    'no transaction and no connection is left',
    ({ transactions, connections }) =>
      isQuiet(transactions.server + transactions.client) && Object.values(connections).every(isQuiet),
    restMs,
  );
}

describe('garbage', () => {
  test('10,000 mutated messages over each transport: nothing ends, nothing stays', { timeout: 240_000 }, async (t) => {
    const seed = 20_261_121;
    t.diagnostic(`seed ${seed}`);
    const files = openFiles();
    const { pid } = viaduct.run();
    for (const transport of transports) await pour(transport, half, seed);
    const memory = memoryMiB();

    for (const transport of transports) await pour(transport, half, seed + 1);
    const alice = await softphoneOf(t, viaduct, { user: 'alice', transport: 'udp' });
    assert.equal((await alice.register()).status, 200, 'it goes on with its work');
    await atRest();

    const { requests, dropped } = (await viaduct.stats()).messages;
    const [read, unread] = [requests, dropped].map((counts) =>
      Object.values(counts).reduce((one, other) => one + other, 0),
    );
    const grown = memoryMiB() - memory;
    t.diagnostic(`${read} requests read, ${unread} messages dropped, ${grown.toFixed(1)} MiB more in the second half`);
    assert.ok((read ?? 0) + (unread ?? 0) > transports.length * half, 'most of them arrived');
    assert.equal(viaduct.run().pid, pid);
    assert.doesNotMatch(viaduct.output(), /"level":"(error|fatal)"|"level":[56]0/, 'a fault of its own');
    // The pool of database connections may have grown meanwhile.
    assert.ok(openFiles() <= files + 10, `${openFiles()} open files, ${files} before`);
    assert.ok(grown < 64, `${grown} MiB more`);
  });
});
