import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { findUdpFlow } from '../../../src/adapters/network/udp.ts';
import { eventually, Inbox, message, open } from './support.ts';

async function client(t: TestContext, address = '127.0.0.1'): Promise<{ socket: Socket; inbox: Inbox<Buffer> }> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const inbox = new Inbox<Buffer>();
  socket.on('message', (packet) => inbox.put(packet));
  t.after(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  socket.bind(0, address);
  await once(socket, 'listening');
  return { socket, inbox };
}

for (const address of ['127.0.0.1', '::1']) {
  test(`UDP ${address}: a datagram arrives byte for byte, and the answer leaves from the listener`, async (t) => {
    const { network, messages, listener } = await open(t, [`udp:${address}:0`]);
    const { socket, inbox } = await client(t, address);
    const text = message('\xe0\x00\xff\x80 caf\xc3\xa9');
    socket.send(Buffer.from(text, 'latin1'), listener.local.port, address);
    const received = await messages.next();
    assert.equal(received.text, text);
    assert.deepEqual(received.flow.remote, { address, port: socket.address().port });
    assert.equal(received.flow.id, `u0:${address}:${socket.address().port}`);
    assert.equal(received.flow.inbound, true);
    const source = once(socket, 'message');
    assert.equal(network.send(received.flow, text), true);
    assert.equal((await inbox.next()).toString('latin1'), text);
    const [, info] = await source;
    assert.equal(info.port, listener.local.port);
    assert.equal(info.address, address);
  });
}

test('UDP: a flow is found again from its id alone, and connect() makes the same one', async (t) => {
  const { network, listener } = await open(t, ['udp:127.0.0.1:0']);
  const { socket, inbox } = await client(t);
  const id = `u0:127.0.0.1:${socket.address().port}`;
  const found = network.find(id);
  assert.ok(found !== undefined);
  assert.equal(network.send(found, message()), true);
  assert.equal((await inbox.next()).toString('latin1'), message());
  assert.equal(network.connect(listener, found.remote)?.id, id);
});

test('UDP: an id of an absent listener, another family or no address is no flow', async (t) => {
  const { network } = await open(t, ['udp:127.0.0.1:0', 'udp:[::1]:0', 'tcp:127.0.0.1:0']);
  assert.equal(network.find('u1:::1:5060')?.remote.address, '::1');
  assert.equal(network.find('u1:2001:DB8:0:0::1:5060')?.id, 'u1:2001:db8::1:5060');
  const bad = ['u0:::1:5060', 'u1:127.0.0.1:5060', 'u2:127.0.0.1:5060', 'u3:127.0.0.1:5060', 'u0:127.0.0.1:0'];
  const worse = ['u0:127.0.0.1:65536', 'u0:example.com:5060', 'u', 'u0', 'u:1:1', 'u00000000:127.0.0.1:1', 'x', ''];
  for (const id of [...bad, ...worse]) assert.equal(network.find(id), undefined, id);
  assert.equal(findUdpFlow('u-1:127.0.0.1:5060', network.listeners), undefined);
});

test('UDP: connect() refuses what no datagram can be sent to', async (t) => {
  const { network, listener } = await open(t, ['udp:127.0.0.1:0']);
  for (const remote of [
    { address: '::1', port: 5060 },
    { address: 'example.com', port: 5060 },
    { address: '127.0.0.1', port: 0 },
    { address: '127.0.0.1', port: 70_000 },
  ]) {
    assert.equal(network.connect(listener, remote), undefined, JSON.stringify(remote));
  }
});

test('UDP: a message that fits no datagram is refused and counted', async (t) => {
  const { network, listener } = await open(t, ['udp:127.0.0.1:0']);
  const { socket, inbox } = await client(t);
  const flow = network.connect(listener, { address: '127.0.0.1', port: socket.address().port });
  assert.ok(flow !== undefined);
  assert.equal(network.send(flow, 'x'.repeat(65_508)), false);
  assert.equal(network.statistics().dropped['too-large'], 1);
  assert.equal(network.send(flow, 'x'.repeat(65_507)), true);
  assert.equal((await inbox.next()).length, 65_507);
});

test('UDP: keep-alives are ignored, short noise is counted, and neither reaches the engine', async (t) => {
  const { network, messages, listener } = await open(t, ['udp:127.0.0.1:0']);
  const { socket } = await client(t);
  for (const text of ['', '\r\n', '\r\n\r\n', '\0\0\0\0', 'hello', 'jaK'])
    socket.send(text, listener.local.port, '127.0.0.1');
  socket.send(message(), listener.local.port, '127.0.0.1');
  assert.equal((await messages.next()).text, message());
  assert.equal(messages.all.length, 1);
  assert.deepEqual(network.statistics().dropped, { 'too-short': 2 });
});

test('RFC 5389 §15.2: a STUN Binding request is answered with the XORed source address', async (t) => {
  for (const address of ['127.0.0.1', '::1']) {
    const { listener, messages } = await open(t, [`udp:${address}:0`]);
    const { socket, inbox } = await client(t, address);
    const request = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
    socket.send(request, listener.local.port, address);
    const answer = await inbox.next('a Binding response');
    assert.equal(answer.readUInt16BE(0), 0x0101);
    assert.equal(answer.readUInt16BE(2), answer.length - 20);
    assert.deepEqual(answer.subarray(4, 20), request.subarray(4));
    assert.equal(answer.readUInt16BE(20), 0x0020);
    assert.equal(answer.readUInt16BE(26) ^ 0x2112, socket.address().port);
    const bytes = answer.subarray(28).map((byte, at) => byte ^ request.readUInt8(4 + at));
    const expected = address === '::1' ? `${'00'.repeat(15)}01` : '7f000001';
    assert.equal(Buffer.from(bytes).toString('hex'), expected);
    assert.equal(messages.all.length, 0);
  }
});

test('UDP: any other STUN message is counted and not answered', async (t) => {
  const { network, listener } = await open(t, ['udp:127.0.0.1:0']);
  const { socket, inbox } = await client(t);
  for (const hex of ['010100002112a442000102030405060708090a0b', '000100082112a442000102030405060708090a0b']) {
    socket.send(Buffer.from(hex, 'hex'), listener.local.port, '127.0.0.1');
  }
  await eventually(() => network.statistics().dropped.stun === 2, 'two STUN messages counted');
  assert.equal(inbox.all.length, 0);
});

test('UDP: a peer that is not there causes neither an exception nor a closed flow', async (t) => {
  const { network, messages, closed, listener } = await open(t, ['udp:127.0.0.1:0']);
  const gone = createSocket('udp4');
  gone.bind(0, '127.0.0.1');
  await once(gone, 'listening');
  const port = gone.address().port;
  await new Promise<void>((resolve) => gone.close(() => resolve()));
  const flow = network.connect(listener, { address: '127.0.0.1', port });
  assert.ok(flow !== undefined);
  for (let count = 0; count < 20; count++) network.send(flow, message());
  network.close(flow);
  const { socket } = await client(t);
  socket.send(message('still there'), listener.local.port, '127.0.0.1');
  assert.equal((await messages.next()).text, message('still there'));
  assert.equal(closed.all.length, 0);
});

test('UDP: what the receiver throws is counted, and the next message arrives', async (t) => {
  const { openNetwork } = await import('../../../src/adapters/network/network.ts');
  const { entry, silentLog, quick } = await import('./support.ts');
  const texts = new Inbox<string>();
  const logged: object[] = [];
  const log = { ...silentLog, error: (fields: object) => logged.push(fields) };
  const network = await openNetwork(
    { listen: [entry('udp:127.0.0.1:0')], boot: 'ab12cd', log, limits: quick },
    {
      message: (text) => {
        texts.put(text);
        throw new Error('a bug');
      },
      closed: () => undefined,
    },
  );
  t.after(() => network.shutdown());
  const { socket } = await client(t);
  for (const body of ['1', '2']) {
    socket.send(message(body), network.listeners[0]?.local.port ?? 0, '127.0.0.1');
    assert.equal(await texts.next(), message(body));
  }
  assert.equal(network.statistics().dropped['receiver-error'], 2);
  assert.equal(logged.length, 2);
});
