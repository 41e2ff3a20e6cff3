import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { openNetwork } from '../../../src/adapters/network/network.ts';
import { Failure } from '../../../src/errors.ts';
import { entry, eventually, listenerAt, message, open, openSockets, quick, silentLog, TcpClient } from './support.ts';

function localAddresses(family: 'IPv4' | 'IPv6'): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((infos) => infos ?? []);
  return all
    .filter((info) => info.family === family && !info.address.startsWith('fe80'))
    .map((info) => info.address)
    .sort();
}

function tryToOpen(listen: readonly string[]) {
  return openNetwork(
    { listen: listen.map(entry), boot: 'ab12cd', log: silentLog, limits: quick },
    { message: () => undefined, closed: () => undefined },
  );
}

async function takenPort(t: TestContext, kind: 'udp' | 'tcp'): Promise<number> {
  if (kind === 'udp') {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => new Promise<void>((resolve) => socket.close(() => resolve())));
    return socket.address().port;
  }
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a port in use: the failure names the LISTEN entry, and what was opened before is closed again', async (t) => {
  for (const transport of ['udp', 'tcp', 'ws'] as const) {
    const port = await takenPort(t, transport === 'udp' ? 'udp' : 'tcp');
    const before = openSockets();
    const text = `${transport}:127.0.0.1:${port}`;
    await assert.rejects(tryToOpen(['udp:127.0.0.1:0', 'tcp:127.0.0.1:0', text]), (thrown) => {
      assert.ok(thrown instanceof Failure);
      assert.equal(thrown.code, 'listen-in-use');
      assert.ok(thrown.message.includes(text), thrown.message);
      return true;
    });
    await eventually(() => openSockets() <= before, 'everything is closed again');
  }
});

test('two entries with one port: the second is in use', async () => {
  const { listener, network } = await openOnce('tcp:127.0.0.1:0');
  await assert.rejects(tryToOpen([`ws:127.0.0.1:${listener.local.port}`]), { code: 'listen-in-use' });
  await network.shutdown();
});

async function openOnce(text: string) {
  const network = await tryToOpen([text]);
  return { network, listener: listenerAt(network, 0) };
}

test('an address that this host does not have: the failure names the LISTEN entry', async () => {
  for (const text of ['udp:198.51.100.77:0', 'tcp:198.51.100.77:0', 'ws:[2001:db8::77]:0', 'udp:nowhere.invalid:0']) {
    await assert.rejects(tryToOpen([text]), (thrown) => {
      assert.ok(thrown instanceof Failure);
      assert.equal(thrown.code, 'listen-address', thrown.message);
      assert.ok(thrown.message.includes(text), thrown.message);
      return true;
    });
  }
});

test('tls and wss without a certificate are refused at the start', async () => {
  for (const text of ['tls:127.0.0.1:0', 'wss:127.0.0.1:0']) {
    await assert.rejects(tryToOpen([text]), { code: 'certificate-unreadable' });
  }
});

test('a name is bound to its address', async (t) => {
  const { listener } = await open(t, ['tcp:localhost:0']);
  assert.match(listener.local.address, /^(127\.0\.0\.1|::1)$/);
});

test('port 0 becomes the real port, in what is advertised too', async (t) => {
  const { network } = await open(t, ['udp:127.0.0.1:0', 'tcp:[::1]:0']);
  for (const listener of network.listeners) {
    assert.ok(listener.local.port > 0);
    assert.equal(listener.advertised.port, listener.local.port);
  }
  assert.deepEqual(
    network.listeners.map(({ index, entry, transport, advertised }) => [index, entry, transport, advertised.host]),
    [
      [0, 'udp:127.0.0.1:0', 'udp', '127.0.0.1'],
      [1, 'tcp:[::1]:0', 'tcp', '[::1]'],
    ],
  );
});

test('what an entry advertises comes before ADVERTISE, which holds for its own family only', async (t) => {
  const listen = ['udp:127.0.0.1:0', 'udp:127.0.0.1:0', 'udp:[::1]:0'].map(entry);
  const [first, ...others] = listen;
  assert.ok(first !== undefined);
  const withOwn = { ...first, advertise: { host: '2001:db8::5', port: 5070 } };
  const { network } = await open(t, [], { listen: [withOwn, ...others], advertise: '203.0.113.7' });
  assert.deepEqual(listenerAt(network, 0).advertised, { host: '[2001:db8::5]', port: 5070 });
  assert.deepEqual(listenerAt(network, 1).advertised, { host: '203.0.113.7', port: listenerAt(network, 1).local.port });
  assert.equal(listenerAt(network, 2).advertised.host, '[::1]');
  const named = await open(t, ['udp:[::1]:0'], { advertise: 'sip.example.com' });
  assert.equal(named.listener.advertised.host, 'sip.example.com');
});

for (const [wildcard, family] of [
  ['0.0.0.0', 'IPv4'],
  ['[::]', 'IPv6'],
] as const) {
  test(`RFC 3581 §4: ${wildcard} over UDP is one socket per local address, in a fixed order, on one port`, async (t) => {
    const { network } = await open(t, [`udp:${wildcard}:0`, 'udp:127.0.0.1:0']);
    const wild = network.listeners.slice(0, -1);
    assert.deepEqual(
      wild.map(({ local }) => local.address),
      localAddresses(family),
    );
    assert.equal(new Set(wild.map(({ local }) => local.port)).size, 1);
    assert.deepEqual(
      network.listeners.map(({ index }) => index),
      network.listeners.map((_, at) => at),
    );
  });

  test(`${wildcard} over TCP is one socket; a connection has the listener of its local address`, async (t) => {
    const { network, messages } = await open(t, [`tcp:${wildcard}:0`]);
    assert.deepEqual(
      network.listeners.map(({ local }) => local.address),
      localAddresses(family),
    );
    const address = family === 'IPv4' ? '127.0.0.1' : '::1';
    const client = await TcpClient.connect(t, { address, port: listenerAt(network, 0).local.port });
    client.write(message());
    const { flow } = await messages.next();
    assert.equal(flow.listener.local.address, address);
    assert.equal(network.listeners[flow.listener.index], flow.listener);
  });
}

test('0.0.0.0 and [::] stand beside each other on one port', async (t) => {
  const first = await open(t, ['tcp:0.0.0.0:0']);
  const { port } = first.listener.local;
  const second = await open(t, [`tcp:[::]:${port}`, `udp:[::]:${port}`]);
  assert.equal(second.listener.local.port, port);
});
