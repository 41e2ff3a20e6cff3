import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { certificateSource } from '../../../src/adapters/network/tls-source.ts';
import type { SocketAddress } from '../../../src/ports.ts';
import { certificateOf, testCertificates } from './certificates.ts';
import { eventually, Inbox, message, open, pause, probeInMs, TcpClient } from './support.ts';

const certificates = testCertificates({ ours: ['localhost', '127.0.0.1', '::1'], other: ['localhost', '127.0.0.1'] });

const ours = () => certificateOf(certificates, 'ours');
const source = () => certificateSource(ours());

async function client(t: TestContext, to: SocketAddress, options: ConnectionOptions = {}): Promise<TcpClient> {
  const socket = connect({ host: to.address, port: to.port, ca: ours().ca, ...options });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return new TcpClient(socket);
}

for (const address of ['127.0.0.1', '::1']) {
  test(`TLS ${address}: a client that trusts the CA accepts the address in the certificate; messages both ways`, async (t) => {
    const { network, messages, closed, listener } = await open(t, [`tls:${address}:0`], { tls: source() });
    const there = await client(t, listener.local);
    const text = message('\xe0\x00\xff');
    there.write(text.slice(0, 20));
    await pause(5);
    there.write(`${text.slice(20)}\r\n\r\n`);
    const { text: received, flow } = await messages.next();
    assert.equal(received, text);
    assert.equal(flow.transport, 'tls');
    assert.equal(flow.remote.address, address);
    await there.expect('\r\n');
    assert.equal(network.send(flow, text), true);
    await there.expect(text);
    assert.equal(network.statistics().connections.tls, 1);
    there.socket.end();
    assert.equal((await closed.next()).flow, flow);
    await pause(20);
    assert.equal(closed.all.length, 1);
  });
}

test('TLS: a client that does not trust us, one of TLS 1.1 and one without TLS are counted and gone', async (t) => {
  const { network, messages, listener } = await open(t, ['tls:127.0.0.1:0'], { tls: source() });
  await assert.rejects(client(t, listener.local, { ca: certificateOf(certificates, 'other').ca }));
  await assert.rejects(
    client(t, listener.local, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }),
  );
  const plain = await TcpClient.connect(t, listener.local);
  plain.write(message());
  await plain.closed();
  await eventually(() => (network.statistics().dropped['tls-handshake'] ?? 0) >= 2, 'handshakes counted');
  await eventually(() => network.statistics().connections.tls === 0, 'no connection left');
  assert.equal(messages.all.length, 0);
});

test('TLS: a handshake that does not go on is ended', async (t) => {
  const { network, listener } = await open(t, ['tls:127.0.0.1:0'], { tls: source(), limits: { handshakeMs: 100 } });
  const silent = await TcpClient.connect(t, listener.local);
  await silent.closed();
  assert.equal(network.statistics().dropped['tls-handshake'], 1);
});

test('TLS: shutdown() also ends sockets in the middle of a handshake', async (t) => {
  const { network, listener } = await open(t, ['tls:127.0.0.1:0'], { tls: source() });
  const silent = await TcpClient.connect(t, listener.local);
  await network.shutdown();
  await silent.closed();
});

test('TLS: who does not read what it is sent is cut off', async (t) => {
  const { network, messages, closed, listener } = await open(t, ['tls:127.0.0.1:0'], { tls: source() });
  const there = await client(t, listener.local);
  there.write(message());
  const { flow } = await messages.next();
  there.socket.pause();
  let sent = 0;
  while (network.send(flow, message('x'.repeat(60_000)))) {
    sent += 1;
    assert.ok(sent < 1_000, 'it never gets full');
    if (sent % 10 === 0) await pause(1);
  }
  assert.match((await closed.next()).reason, /^slow-reader: /);
});

for (const transport of ['tcp', 'tls', 'ws', 'wss']) {
  test(`${transport}: a connection that the client ends frees its place, at every stage`, async (t) => {
    const limits = { connectionsPerLoopback: 1 };
    const { network, listener } = await open(t, [`${transport}:127.0.0.1:0`], { tls: source(), limits });
    const enter = async (make: () => Promise<TcpClient>) => {
      const one = await make();
      one.socket.end();
      await one.closed();
      await pause(20);
    };
    await enter(() => TcpClient.connect(t, listener.local));
    await enter(async () => {
      const half = await TcpClient.connect(t, listener.local);
      half.write(transport === 'tls' || transport === 'wss' ? '\x16\x03\x01\x02' : 'GET / HTT');
      return half;
    });
    if (transport === 'tls' || transport === 'wss') await enter(() => client(t, listener.local));
    await enter(() => TcpClient.connect(t, listener.local));
    assert.equal(network.statistics().dropped['too-many-from-source'], undefined);
  });
}

// --- connections that we open ----------------------------------------------------------------------------------------

async function peer(t: TestContext, label: string): Promise<{ address: SocketAddress; accepted: Inbox<TcpClient> }> {
  const accepted = new Inbox<TcpClient>();
  const { cert, key } = certificateOf(certificates, label);
  const sockets: TLSSocket[] = [];
  const server = createServer({ cert, key }, (socket) => {
    sockets.push(socket);
    accepted.put(new TcpClient(socket));
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  return { address: { address: '127.0.0.1', port: bound.port }, accepted };
}

test('RFC 5922 §7: the peer proves the name that was asked for, or its address', async (t) => {
  const { network, messages, listener } = await open(t, ['tls:127.0.0.1:0'], { tls: source() });
  const there = await peer(t, 'ours');
  for (const [at, serverName] of ['localhost', undefined].entries()) {
    const flow = network.connect(listener, there.address, serverName);
    assert.ok(flow !== undefined);
    if (at === 0) {
      assert.equal(network.send(flow, message('hello')), true);
      const accepted = await there.accepted.next();
      await accepted.expect(message('hello'));
      accepted.write(message('back'));
      assert.deepEqual(await messages.next(), { text: message('back'), flow });
      await eventually(() => probeInMs(there.address.port) <= 60_000, 'the kernel looks after it');
    }
  }
  // The connection that proved a name serves for the address as well.
  assert.equal(network.statistics().connections.tls, 1);
});

test('RFC 5922 §7: nothing is sent to a peer of another name or of an unknown authority', async (t) => {
  const { network, closed, listener } = await open(t, ['tls:127.0.0.1:0'], { tls: source() });
  const known = await peer(t, 'ours');
  const unknown = await peer(t, 'other');
  for (const [there, serverName, reason] of [
    [known, 'sip.example.com', /^dial-tls: its certificate is for another name: .*does not match/],
    [unknown, 'localhost', /^dial-tls: its certificate is .*; put its authority into ca_list of a \[client/],
  ] as const) {
    const flow = network.connect(listener, there.address, serverName);
    assert.ok(flow !== undefined);
    assert.equal(network.send(flow, message('secret')), true);
    const end = await closed.next();
    assert.equal(end.flow, flow);
    assert.match(end.reason, reason);
    for (const accepted of there.accepted.all) assert.equal(accepted.received, '');
  }
});

test('RFC 5923 §4: a connection that was verified for one name is not used for another', async (t) => {
  const { network, listener } = await open(t, ['tls:127.0.0.1:0'], { tls: source() });
  const there = await peer(t, 'ours');
  const one = network.connect(listener, there.address, 'localhost');
  assert.equal(network.connect(listener, there.address, 'LOCALHOST')?.id, one?.id);
  assert.notEqual(network.connect(listener, there.address, '127.0.0.1')?.id, one?.id);
});

test('a connection that does not come about in time is told', async (t) => {
  const { network, closed, listener } = await open(t, ['tls:127.0.0.1:0'], {
    tls: source(),
    limits: { connectMs: 100 },
  });
  const mute = createTcpServer(() => undefined).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.after(() => mute.close());
  const bound = mute.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  const flow = network.connect(listener, { address: '127.0.0.1', port: bound.port });
  assert.ok(flow !== undefined);
  assert.match((await closed.next()).reason, /^connect-timeout: /);
  assert.equal(network.statistics().dropped['connect-timeout'], 1);
  assert.equal(network.find(flow.id), undefined);
  await pause(30);
  assert.equal(closed.all.length, 1);
});

test('a server that speaks no TLS, and one that speaks only an old one, are told in words', async (t) => {
  const { network, closed, listener } = await open(t, ['tls:127.0.0.1:0', 'tcp:127.0.0.1:0'], { tls: source() });
  const plain = createTcpServer((socket) => void socket.write('SIP/2.0 400 Bad Request\r\n\r\n'));
  const { cert, key } = ours();
  const older = createServer({ cert, key, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  older.on('tlsClientError', () => undefined);
  for (const [server, words] of [
    [plain, /^dial-tls: it does not speak TLS on this port/],
    [older, /^dial-tls: (it does not speak our TLS versions|unsupported protocol)/],
  ] as const) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const bound = server.address();
    assert.ok(typeof bound === 'object' && bound !== null);
    assert.ok(network.connect(listener, { address: '127.0.0.1', port: bound.port }) !== undefined);
    assert.match((await closed.next()).reason, words);
  }
  assert.equal(network.statistics().dropped['dial-tls'], 2);
});
