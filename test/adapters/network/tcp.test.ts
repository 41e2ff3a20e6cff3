import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { SocketAddress } from '../../../src/ports.ts';
import { eventually, Inbox, message, open, openSockets, pause, probeInMs, TcpClient } from './support.ts';

for (const address of ['127.0.0.1', '::1']) {
  test(`TCP ${address}: messages both ways over one flow`, async (t) => {
    const { network, messages, listener } = await open(t, [`tcp:${address}:0`]);
    const client = await TcpClient.connect(t, listener.local);
    const text = message('\xe0\x00\xff\x80');
    client.write(text);
    const { text: received, flow } = await messages.next();
    assert.equal(received, text);
    assert.match(flow.id, /^cab12cd-\d+$/);
    assert.deepEqual(flow.remote, { address, port: client.socket.localPort });
    assert.equal(flow.listener, listener);
    assert.equal(flow.inbound, true);
    assert.equal(network.find(flow.id), flow);
    assert.equal(network.send(flow, text), true);
    await client.expect(text);
    assert.equal(network.statistics().connections.tcp, 1);
  });
}

test('RFC 3261 §18.3: a message split at every byte is one message', async (t) => {
  const { messages, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const client = await TcpClient.connect(t, listener.local);
  const text = message('body');
  for (const byte of text) {
    client.write(byte);
    await pause(0);
  }
  assert.equal((await messages.next()).text, text);
});

test('RFC 3261 §18.3: several messages in one segment arrive in their order', async (t) => {
  const { messages, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const client = await TcpClient.connect(t, listener.local);
  const texts = ['1', '22', '', '4444'].map((body) => message(body));
  client.write(texts.join('') + message('the rest').slice(0, -4));
  for (const text of texts) assert.equal((await messages.next()).text, text);
  client.write('rest');
  assert.equal((await messages.next()).text, message('the rest'));
});

test('RFC 5626 §4.4.1: CRLFCRLF is answered with CRLF, between messages too', async (t) => {
  const { messages, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const client = await TcpClient.connect(t, listener.local);
  client.write('\r\n\r\n');
  await client.expect('\r\n');
  client.write(`${message('1')}\r\n\r\n${message('2')}`);
  await client.expect('\r\n');
  assert.equal((await messages.next()).text, message('1'));
  assert.equal((await messages.next()).text, message('2'));
});

test('bytes that are no SIP end the connection, which is told once', async (t) => {
  const { network, closed, messages, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const client = await TcpClient.connect(t, listener.local);
  client.write('\x16\x03\x01\x02\x00\x01\x00');
  await client.closed();
  assert.match((await closed.next()).reason, /^framing-broken: /);
  await pause(30);
  assert.equal(closed.all.length, 1);
  assert.equal(messages.all.length, 0);
  assert.equal(network.statistics().dropped['framing-broken'], 1);
  assert.equal(network.statistics().connections.tcp, 0);
});

test('a message over 64 KiB ends the connection', async (t) => {
  const { closed, messages, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const client = await TcpClient.connect(t, listener.local);
  client.write(message('x'.repeat(65_000)));
  assert.equal((await messages.next()).text.length, message('x'.repeat(65_000)).length);
  client.write(message('x'.repeat(65_536)));
  await client.closed();
  assert.match((await closed.next()).reason, /larger than 65536/);
});

test('a message that is begun and not completed ends the connection, however slowly it trickles', async (t) => {
  const { network, closed, listener } = await open(t, ['tcp:127.0.0.1:0'], { limits: { partMs: 100 } });
  const client = await TcpClient.connect(t, listener.local);
  const trickle = setInterval(() => client.write('x'), 10);
  t.after(() => clearInterval(trickle));
  client.write('INVITE sip:');
  await client.closed();
  assert.match((await closed.next()).reason, /^framing-timeout: /);
  assert.equal(network.statistics().dropped['framing-timeout'], 1);
});

test('a connection that carries nothing is closed, one that carries messages or pings is not', async (t) => {
  const { network, closed, messages, listener } = await open(t, ['tcp:127.0.0.1:0'], { limits: { idleMs: 200 } });
  const silent = await TcpClient.connect(t, listener.local);
  const alive = await TcpClient.connect(t, listener.local);
  const pings = setInterval(() => alive.write('\r\n\r\n'), 20);
  t.after(() => clearInterval(pings));
  await silent.closed();
  assert.match((await closed.next()).reason, /^idle: /);
  await pause(300);
  alive.write(message());
  assert.equal((await messages.next()).text, message());
  assert.equal(network.statistics().dropped.idle, 1);
  assert.equal(closed.all.length, 1);
});

test('who does not read what it is sent is cut off: send() is false and the flow is closed', async (t) => {
  const { network, closed, messages, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const client = await TcpClient.connect(t, listener.local);
  client.write(message());
  const { flow } = await messages.next();
  client.socket.pause();
  const text = message('x'.repeat(60_000));
  let sent = 0;
  while (network.send(flow, text)) {
    sent += 1;
    assert.ok(sent < 1_000, 'it never gets full');
  }
  assert.equal(network.send(flow, text), false);
  assert.equal(network.find(flow.id), undefined);
  assert.match((await closed.next()).reason, /^slow-reader: /);
  assert.equal(closed.all.length, 1);
});

test('the end of a connection is told once, whoever ends it, and no message comes after it', async (t) => {
  const { network, closed, messages, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const byPeer = await TcpClient.connect(t, listener.local);
  byPeer.write(message('last'));
  byPeer.socket.end();
  const { flow } = await messages.next();
  assert.deepEqual(await closed.next(), { flow, reason: 'closed by the peer' });
  const byReset = await TcpClient.connect(t, listener.local);
  byReset.write(message());
  await messages.next();
  byReset.socket.resetAndDestroy();
  assert.match((await closed.next()).reason, /ECONNRESET/);
  const byUs = await TcpClient.connect(t, listener.local);
  byUs.write(message());
  const ours = (await messages.next()).flow;
  network.close(ours);
  network.close(ours);
  assert.equal(network.send(ours, message()), false);
  await byUs.closed();
  assert.equal((await closed.next()).reason, 'closed here');
  await pause(30);
  assert.equal(closed.all.length, 3);
});

test('what was sent before close() still arrives', async (t) => {
  const { network, messages, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const client = await TcpClient.connect(t, listener.local);
  client.write(message());
  const { flow } = await messages.next();
  network.send(flow, message('goodbye'));
  network.close(flow);
  await client.expect(message('goodbye'));
  await client.closed();
});

// --- connections that we open ----------------------------------------------------------------------------------------

interface Peer {
  readonly address: SocketAddress;
  readonly accepted: Inbox<TcpClient>;
}

async function peer(t: TestContext, address = '127.0.0.1'): Promise<Peer> {
  const accepted = new Inbox<TcpClient>();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    accepted.put(new TcpClient(socket));
  });
  server.listen(0, address);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  return { address: { address, port: bound.port }, accepted };
}

for (const address of ['127.0.0.1', '::1']) {
  test(`RFC 3261 §18.1.1: ${address} is dialled from the listener's address, and used again`, async (t) => {
    const { network, messages, listener } = await open(t, [`tcp:${address}:0`]);
    const there = await peer(t, address);
    const flow = network.connect(listener, there.address);
    assert.ok(flow !== undefined);
    assert.equal(flow.inbound, false);
    assert.equal(network.send(flow, message('1')), true);
    assert.equal(network.connect(listener, there.address), flow);
    assert.equal(network.send(flow, message('2')), true);
    const client = await there.accepted.next();
    await client.expect(message('1') + message('2'));
    assert.equal(client.socket.remoteAddress, address);
    client.write(message('back'));
    assert.deepEqual(await messages.next(), { text: message('back'), flow });
    assert.equal(network.connect(listener, there.address), flow);
    assert.equal(there.accepted.all.length, 1);
  });
}

test('a dialled connection that rests is looked after within a minute: a firewall forgets it, and a call would find it dead', async (t) => {
  const { network, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const there = await peer(t);
  network.connect(listener, there.address);
  await there.accepted.next();
  await eventually(() => probeInMs(there.address.port) <= 60_000, 'the kernel looks after it');
});

test('a connection that the peer opened is used for its own address', async (t) => {
  const { network, messages, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const client = await TcpClient.connect(t, listener.local);
  client.write(message());
  const { flow } = await messages.next();
  assert.equal(network.connect(listener, flow.remote), flow);
});

test('each listener dials its own connection', async (t) => {
  const { network } = await open(t, ['tcp:127.0.0.1:0', 'tcp:127.0.0.1:0']);
  const there = await peer(t);
  const flows = network.listeners.map((listener) => network.connect(listener, there.address)?.id);
  assert.equal(new Set(flows).size, 2);
});

test('after the end of a dialled connection the next connect() dials again', async (t) => {
  const { network, closed, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const there = await peer(t);
  const first = network.connect(listener, there.address);
  const client = await there.accepted.next();
  client.socket.end();
  assert.equal((await closed.next()).flow, first);
  const second = network.connect(listener, there.address);
  assert.notEqual(second?.id, first?.id);
  await there.accepted.next();
});

test('a refused connection is told once, after connect() has returned', async (t) => {
  const { network, closed, listener } = await open(t, ['tcp:127.0.0.1:0']);
  const unused = await peer(t);
  const other = await open(t, ['tcp:127.0.0.1:0']);
  await other.network.shutdown();
  const flow = network.connect(listener, other.listener.local);
  assert.ok(flow !== undefined);
  assert.equal(network.send(flow, message()), true);
  assert.equal(closed.all.length, 0);
  const end = await closed.next();
  assert.equal(end.flow, flow);
  assert.match(end.reason, /ECONNREFUSED/);
  assert.equal(network.send(flow, message()), false);
  await pause(30);
  assert.equal(closed.all.length, 1);
  assert.equal(unused.accepted.all.length, 0);
});

test('what waits for a connection is bounded', async (t) => {
  const { network, closed, listener } = await open(t, ['tcp:127.0.0.1:0'], { limits: { writeBufferBytes: 1_000 } });
  const there = await peer(t);
  const flow = network.connect(listener, there.address);
  assert.ok(flow !== undefined);
  const text = message('x'.repeat(500));
  assert.equal(network.send(flow, text), true);
  assert.equal(network.send(flow, text), false);
  assert.equal(network.statistics().dropped['connect-queue-full'], 1);
  await (await there.accepted.next()).expect(text);
  assert.equal(closed.all.length, 0);
});

test('the number of dialled connections is bounded', async (t) => {
  const { network, listener } = await open(t, ['tcp:127.0.0.1:0'], { limits: { dialled: 1 } });
  const [one, two] = [await peer(t), await peer(t)];
  assert.ok(network.connect(listener, one.address) !== undefined);
  assert.equal(network.connect(listener, two.address), undefined);
  assert.equal(network.statistics().dropped['too-many-dialled'], 1);
});

test('no more connections than a listener and a source may have', async (t) => {
  for (const [limits, reason] of [
    [{ connectionsPerListener: 3 }, 'too-many-connections'],
    [{ connectionsPerLoopback: 3 }, 'too-many-from-source'],
  ] as const) {
    const { network, messages, listener } = await open(t, ['tcp:127.0.0.1:0'], { limits });
    const clients = [];
    for (let count = 0; count < 3; count++) clients.push(await TcpClient.connect(t, listener.local));
    const refused = TcpClient.dial(t, listener.local);
    await refused.closed();
    assert.equal(network.statistics().dropped[reason], 1);
    clients[0]?.socket.destroy();
    await eventually(() => network.statistics().connections.tcp === 2, 'a place is free again');
    const late = await TcpClient.connect(t, listener.local);
    late.write(message());
    await messages.next();
  }
});

test('200 connections of garbage leave nothing behind', async (t) => {
  const before = openSockets();
  const { network, closed, messages, listener } = await open(t, ['tcp:127.0.0.1:0'], { limits: { partMs: 100 } });
  const kinds = [
    '',
    '\0',
    'GET / HTTP/1.1\r\n\r\n',
    '\r\n\r\n\r\n',
    'INVITE sip:x',
    message('short').slice(0, -1),
    '\xff'.repeat(500),
  ];
  const clients = await Promise.all(Array.from({ length: 200 }, () => TcpClient.connect(t, listener.local)));
  await eventually(() => network.statistics().connections.tcp === 200, 'all are connected');
  for (const [at, client] of clients.entries()) {
    client.write(kinds[at % kinds.length] ?? '');
    if (at % 3 === 0) client.socket.destroy();
    else if (at % 3 === 1) client.socket.end();
  }
  await pause(50);
  for (const client of clients) if (client.socket.destroyed === false) client.socket.resetAndDestroy();
  await eventually(() => network.statistics().connections.tcp === 0, 'all connections gone');
  await eventually(() => closed.all.length === 200, 'each end is told');
  assert.equal(new Set(closed.all.map(({ flow }) => flow.id)).size, 200);
  assert.equal(messages.all.filter(({ text }) => !text.startsWith('GET')).length, 0);
  await network.shutdown();
  await eventually(() => openSockets() <= before, 'all handles gone');
});

test('shutdown() ends open, half-open and dialled connections, and no port stays open', async (t) => {
  const { network, closed, messages, listener } = await open(t, ['tcp:127.0.0.1:0', 'udp:127.0.0.1:0']);
  const client = await TcpClient.connect(t, listener.local);
  client.write(message());
  const { flow } = await messages.next();
  const there = await peer(t);
  network.connect(listener, there.address);
  const dialled = await there.accepted.next();
  network.send(flow, message('last words'));
  await Promise.all([network.shutdown(), network.shutdown()]);
  await client.expect(message('last words'));
  await Promise.all([client.closed(), dialled.closed()]);
  assert.equal(closed.all.length, 2);
  assert.equal(network.connect(listener, there.address), undefined);
  assert.equal(network.send({ ...flow, id: 'u1:127.0.0.1:9', transport: 'udp' }, message()), false);
  await assert.rejects(TcpClient.connect(t, listener.local), { code: 'ECONNREFUSED' });
});
