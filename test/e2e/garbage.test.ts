/**
 * 10,000 mutated messages by seed over each transport, to a running Viaduct: it lives, takes the next call, and its
 * handles, transactions, connections and memory return to where they began.
 *
 * Slow senders, half-open connections and frames without end: test/adapters/network.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { EventEmitter } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { Transport } from '../../src/ports.ts';
import { INSPECTED, liveHeapMiB } from '../support/live-heap.ts';
import { mutated } from '../support/mutations.ts';
import { createRandom, type SeededRandom } from '../support/random.ts';
import { phoneOffer } from '../support/sdp.ts';
import { PASSWORD, softphoneOf } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const transports: readonly Transport[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];
/** Twice 5,000: what the first half takes, with all its transactions, is room enough for the rest of the second. */
const half = 5_000;
/** Sent at once. What follows a message that ends a stream is lost with the connection. */
const batch = { udp: 20, tcp: 3, tls: 3, ws: 20, wss: 20 } as const;
/** A question that is not answered by then was lost. */
const lostMs = 2_000;
/** Timers F, H and J are 32 s; nothing that came with garbage lives longer. */
const restMs = 70_000;

const suite = createSuite();
let viaduct: Viaduct;

before(async () => {
  viaduct = await startViaduct(suite, { DEMO_USERS: `alice:${PASSWORD}`, LOG_LEVEL: 'warn', NODE_OPTIONS: INSPECTED });
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
  /** Until Viaduct has read it, as far as that can be known. */
  heard(): Promise<void>;
  close(): void;
}

/** Each opens again what Viaduct has closed. */
function open(transport: Transport): Mouth {
  const port = viaduct.port(transport);
  switch (transport) {
    case 'udp':
      return datagrams(port);
    case 'tcp':
      return reopening(() => stream(connectTcp({ port, host: '127.0.0.1' })));
    case 'tls':
      return reopening(() => stream(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })));
    case 'ws':
    case 'wss':
      return reopening(() => webSocket(`${transport}://127.0.0.1:${port}`));
  }
}

/** A datagram is read after all that came before it: the answer to a good one says that they were. */
function datagrams(port: number): Mouth {
  const socket = createSocket('udp4');
  const send = (bytes: Buffer): void => socket.send(bytes, port, '127.0.0.1');
  let asked = 0;
  return {
    send,
    heard: () => {
      const branch = `z9hG4bKheard${++asked}`;
      send(Buffer.from(question(branch)));
      return answered(socket, 'message', (text) => text.includes(branch));
    },
    close: () => socket.close(),
  };
}

function question(branch: string): string {
  const lines = [
    'OPTIONS sip:example.test SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1;rport;branch=${branch}`,
    'Max-Forwards: 70',
    'From: <sip:asks@example.test>;tag=1',
    'To: <sip:example.test>',
    `Call-ID: ${branch}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function answered(source: EventEmitter, event: string, isAnswer: (text: string) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      source.off(event, onAnswer).off('close', over);
      resolve();
    };
    const onAnswer = (data: Buffer): void => {
      if (isAnswer(data.toString('latin1'))) over();
    };
    const timer = setTimeout(over, lostMs);
    source.on(event, onAnswer).on('close', over);
  });
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
    heard: () => connection.heard(),
    close: () => connection.close(),
  };
}

/** Nothing answers for sure on a stream: it may have been closed, or the question have become part of a message. */
function stream(socket: Socket): Connection {
  // Closed by Viaduct in the middle of a write: that is what it is for.
  socket.on('error', () => undefined);
  socket.resume();
  return {
    send: (bytes) => socket.write(bytes),
    heard: () => delay(2),
    close: () => socket.destroy(),
    isOpen: () => socket.writable,
  };
}

function webSocket(url: string): Connection {
  const socket = new WebSocket(url, 'sip', { rejectUnauthorized: false });
  const waiting: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('open', () => {
    for (const bytes of waiting.splice(0)) socket.send(bytes, { binary: true });
    socket.ping();
  });
  return {
    send: (bytes) =>
      void (socket.readyState === WebSocket.OPEN ? socket.send(bytes, { binary: true }) : waiting.push(bytes)),
    heard: () => {
      if (socket.readyState > WebSocket.OPEN) return Promise.resolve();
      if (socket.readyState === WebSocket.OPEN) socket.ping();
      return answered(socket, 'pong', () => true);
    },
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
    if (sent % batch[transport] === 0) await mouth.heard();
  }
  await mouth.heard();
  mouth.close();
}

async function pourAll(t: TestContext, seed: number): Promise<void> {
  const before = await received();
  await Promise.all(transports.map((transport) => pour(transport, half, seed)));
  const [came, sent] = [(await received()) - before, transports.length * half];
  t.diagnostic(`seed ${seed}: ${came} of ${sent} came`);
  assert.ok(came > 0.6 * sent, `most of them arrived: ${came} of ${sent}`);
}

// --- what must be as before ------------------------------------------------------------------------------------------

function openFiles(): number {
  return readdirSync(`/proc/${viaduct.run().pid}/fd`).length;
}

async function received(): Promise<number> {
  const { requests, dropped } = (await viaduct.stats()).messages;
  return [requests, dropped].flatMap((counts) => Object.values(counts)).reduce((one, other) => one + other, 0);
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
    const files = openFiles();
    const { pid } = viaduct.run();
    await pourAll(t, seed);
    await atRest();
    const memory = await liveHeapMiB(viaduct.output());

    await pourAll(t, seed + 1);
    await atRest();
    const alice = await softphoneOf(t, viaduct, { user: 'alice', transport: 'udp' });
    assert.equal((await alice.register()).status, 200, 'it goes on with its work');

    const grown = (await liveHeapMiB(viaduct.output())) - memory;
    t.diagnostic(`${memory.toFixed(1)} MiB alive, ${grown.toFixed(1)} more after the second half`);
    assert.equal(viaduct.run().pid, pid);
    assert.doesNotMatch(viaduct.output(), /"level":"(error|fatal)"|"level":[56]0/, 'a fault of its own');
    // The pool of database connections may have grown meanwhile, and the inspector has its own.
    assert.ok(openFiles() <= files + 10, `${openFiles()} open files, ${files} before`);
    assert.ok(grown < 16, `${grown} MiB more`);
  });
});
