import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ClientOptions, WebSocket } from 'ws';
import { certificateSource } from '../../../src/adapters/network/tls-source.ts';
import type { Listener } from '../../../src/ports.ts';
import { certificateOf, testCertificates } from './certificates.ts';
import { eventually, Inbox, message, open, openSockets, pause, TcpClient } from './support.ts';

const certificates = testCertificates({ ours: ['localhost', '127.0.0.1', '::1'] });
const ours = () => certificateOf(certificates, 'ours');

interface Frame {
  readonly text: string;
  readonly binary: boolean;
}

interface Client {
  readonly socket: WebSocket;
  readonly frames: Inbox<Frame>;
  readonly closed: Inbox<number>;
}

function url(listener: Listener, path = '/'): string {
  const { address, port } = listener.local;
  return `${listener.transport}://${address.includes(':') ? `[${address}]` : address}:${port}${path}`;
}

async function client(t: TestContext, listener: Listener, options: ClientOptions = {}, path = '/'): Promise<Client> {
  const socket = new WebSocket(url(listener, path), ['sip'], { ca: ours().ca, ...options });
  const made = { socket, frames: new Inbox<Frame>(), closed: new Inbox<number>() };
  socket.on('message', (data, binary) => {
    assert.ok(Buffer.isBuffer(data));
    made.frames.put({ text: data.toString('latin1'), binary });
  });
  socket.on('close', (code) => made.closed.put(code));
  t.after(() => socket.terminate());
  await once(socket, 'open');
  socket.on('error', () => undefined);
  return made;
}

for (const [transport, address] of [
  ['ws', '127.0.0.1'],
  ['ws', '::1'],
  ['wss', '127.0.0.1'],
  ['wss', '::1'],
] as const) {
  test(`RFC 7118 §5: ${transport} ${address}: one frame is one message, both ways`, async (t) => {
    const tls = certificateSource(ours());
    const { network, messages, closed, listener } = await open(t, [`${transport}:${address}:0`], { tls });
    const { socket, frames } = await client(t, listener);
    assert.equal(socket.protocol, 'sip');
    assert.equal(socket.extensions, '');
    socket.send(message('h\u00e9'));
    const { text, flow } = await messages.next();
    assert.equal(text.slice(-3), 'h\xc3\xa9');
    assert.equal(flow.transport, transport);
    assert.equal(flow.remote.address, address);
    assert.equal(flow.listener, listener);
    assert.equal(network.send(flow, text), true);
    assert.deepEqual(await frames.next(), { text, binary: false });
    assert.equal(network.statistics().connections[transport], 1);
    assert.equal(network.connect(listener, { address, port: 5060 }), undefined);
    socket.close();
    assert.equal((await closed.next()).flow, flow);
    await pause(20);
    assert.equal(closed.all.length, 1);
    assert.equal(network.find(flow.id), undefined);
    assert.equal(network.statistics().connections[transport], 0);
  });
}

test('a message that is no UTF-8 reaches a WebSocket client as binary', async (t) => {
  const { network, messages, listener } = await open(t, ['ws:127.0.0.1:0']);
  const { socket, frames } = await client(t, listener);
  socket.send(message());
  const { flow } = await messages.next();
  const text = message('\xe0 \xff');
  network.send(flow, text);
  assert.deepEqual(await frames.next(), { text, binary: true });
  network.send(flow, message('\xc3\xa9'));
  assert.equal((await frames.next()).binary, false);
});

test('binary frames and text frames that are no UTF-8 arrive byte for byte', async (t) => {
  const { messages, listener } = await open(t, ['ws:127.0.0.1:0']);
  const { socket } = await client(t, listener);
  const text = message('\xe0\x00\xff');
  for (const binary of [true, false]) {
    socket.send(Buffer.from(text, 'latin1'), { binary });
    assert.equal((await messages.next()).text, text);
  }
});

test('RFC 7118 §6: a frame of CRLFCRLF is answered with CRLF, other empty frames are ignored', async (t) => {
  const { messages, listener } = await open(t, ['ws:127.0.0.1:0']);
  const { socket, frames } = await client(t, listener);
  for (const frame of ['\r\n', '', '\r\n\r\n']) socket.send(frame);
  assert.deepEqual(await frames.next(), { text: '\r\n', binary: false });
  socket.send(message());
  await messages.next();
  assert.equal(messages.all.length, 1);
  assert.equal(frames.all.length, 1);
});

test('a WebSocket on any path is served', async (t) => {
  const { messages, listener } = await open(t, ['ws:127.0.0.1:0']);
  const { socket } = await client(t, listener, {}, '/sip/ws?x=1');
  socket.send(message());
  await messages.next();
});

const upgradeLines = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

async function rawRequest(t: TestContext, listener: Listener, lines: readonly string[]): Promise<string> {
  const socket = connect(listener.local.port, listener.local.address);
  t.after(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await eventually(() => socket.closed || text.includes('\r\n\r\n'), 'an answer');
  if (!text.startsWith('HTTP/1.1 101')) await eventually(() => socket.closed, 'the connection is closed');
  return text;
}

test('an upgrade as Firefox sends it (Connection: keep-alive, Upgrade), among other protocols', async (t) => {
  const { listener } = await open(t, ['ws:127.0.0.1:0']);
  const lines = [...upgradeLines, 'Connection: keep-alive, Upgrade', 'Sec-WebSocket-Protocol: xmpp, sip'];
  const answer = await rawRequest(t, listener, lines);
  assert.match(answer, /^HTTP\/1\.1 101 /);
  assert.match(answer, /\r\nSec-WebSocket-Protocol: sip\r\n/i);
});

test('RFC 7118 §4: an upgrade that does not offer sip is refused in words', async (t) => {
  const { network, listener } = await open(t, ['ws:127.0.0.1:0']);
  const refused = [[], ['Sec-WebSocket-Protocol: xmpp'], ['Sec-WebSocket-Protocol: sip2, SIPS']];
  for (const lines of refused) {
    const answer = await rawRequest(t, listener, [...upgradeLines, 'Connection: Upgrade', ...lines]);
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.match(answer, /offer the sub-protocol "sip"/);
  }
  assert.equal(network.statistics().dropped['websocket-protocol'], refused.length);
});

test('other upgrades and broken ones are refused', async (t) => {
  const { network, listener } = await open(t, ['ws:127.0.0.1:0']);
  const sip = ['Connection: Upgrade', 'Sec-WebSocket-Protocol: sip'];
  const h2c = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: h2c'];
  const noKey = upgradeLines.filter((line) => !line.startsWith('Sec-WebSocket-Key')).concat(sip);
  const oldVersion = upgradeLines.map((line) => line.replace(/13$/, '7')).concat(sip);
  for (const lines of [h2c, noKey, oldVersion]) {
    assert.match(await rawRequest(t, listener, lines), /^HTTP\/1\.1 4\d\d /, lines.join(' | '));
  }
  assert.match(await rawRequest(t, listener, ['INVITE sip:bob@example.com SIP/2.0']), /^HTTP\/1\.1 400 /);
  assert.equal(network.statistics().connections.ws, 0);
});

test('a frame over 64 KiB ends the connection with code 1009', async (t) => {
  const { network, closed, messages, listener } = await open(t, ['ws:127.0.0.1:0']);
  const { socket, closed: ended } = await client(t, listener);
  socket.send(message('x'.repeat(65_000)));
  await messages.next();
  socket.send('x'.repeat(65_537));
  assert.match((await closed.next()).reason, /^too-large: /);
  assert.equal(await ended.next(), 1009);
  assert.equal(network.statistics().dropped['too-large'], 1);
  await pause(30);
  assert.equal(closed.all.length, 1);
});

test('who answers pings stays, who does not is ended after the second', async (t) => {
  const { network, closed, listener } = await open(t, ['ws:127.0.0.1:0'], { limits: { pingMs: 100 } });
  const { socket } = await client(t, listener);
  await client(t, listener, { autoPong: false });
  let pings = 0;
  socket.on('ping', () => {
    pings += 1;
  });
  assert.match((await closed.next()).reason, /^no-pong: /);
  await eventually(() => pings >= 4, 'more pings');
  assert.equal(network.statistics().connections.ws, 1);
  assert.equal(network.statistics().dropped['no-pong'], 1);
});

for (const transport of ['ws', 'wss']) {
  test(`${transport}: who does not read is cut off`, async (t) => {
    const tls = certificateSource(ours());
    const { network, closed, messages, listener } = await open(t, [`${transport}:127.0.0.1:0`], { tls });
    const { socket } = await client(t, listener);
    socket.send(message());
    const { flow } = await messages.next();
    socket.pause();
    let sent = 0;
    while (network.send(flow, message('x'.repeat(60_000)))) {
      sent += 1;
      assert.ok(sent < 1_000, 'it never gets full');
      if (sent % 10 === 0) await pause(1);
    }
    assert.match((await closed.next()).reason, /^slow-reader: /);
    assert.equal(network.send(flow, message()), false);
  });
}

test('close() tells the client, and the engine once', async (t) => {
  const { network, closed, messages, listener } = await open(t, ['ws:127.0.0.1:0']);
  const { socket, closed: ended } = await client(t, listener);
  socket.send(message());
  const { flow } = await messages.next();
  network.close(flow);
  assert.equal(await ended.next(), 1001);
  assert.equal((await closed.next()).reason, 'closed here');
  await pause(30);
  assert.equal(closed.all.length, 1);
});

test('a client that vanishes is told once', async (t) => {
  const { closed, messages, listener } = await open(t, ['ws:127.0.0.1:0']);
  const { socket } = await client(t, listener);
  socket.send(message());
  const { flow } = await messages.next();
  socket.terminate();
  assert.equal((await closed.next()).flow, flow);
  await pause(30);
  assert.equal(closed.all.length, 1);
});

// --- pages beside it -------------------------------------------------------------------------------------------------

interface Page {
  readonly status: number | undefined;
  readonly body: string;
}

function page(listener: Listener, path: string): Promise<Page> {
  const { address: host, port } = listener.local;
  return new Promise((resolve, reject) => {
    const sent = httpsRequest({ host, port, path, ca: ours().ca, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('a page over https on the wss port reaches the page handler, and a WebSocket beside it works', async (t) => {
  const { messages, listener } = await open(t, ['wss:127.0.0.1:0'], {
    tls: certificateSource(ours()),
    httpHandler: (request, response) => {
      response.end(`page ${request.url}`);
    },
  });
  assert.deepEqual(await page(listener, '/phone'), { status: 200, body: 'page /phone' });
  const { socket } = await client(t, listener);
  socket.send(message());
  await messages.next();
});

test('without pages a plain request is told to upgrade', async (t) => {
  const { listener } = await open(t, ['wss:127.0.0.1:0'], { tls: certificateSource(ours()) });
  const { status, body } = await page(listener, '/');
  assert.equal(status, 426);
  assert.match(body, /RFC 7118/);
});

test('a page handler that throws ends its request and nothing else', async (t) => {
  const { network, listener } = await open(t, ['wss:127.0.0.1:0'], {
    tls: certificateSource(ours()),
    httpHandler: () => {
      throw new Error('a bug');
    },
  });
  await assert.rejects(page(listener, '/'));
  assert.equal(network.statistics().dropped['receiver-error'], 1);
  await client(t, listener);
});

test('an HTTP client that sends nothing, half a head or half a body is ended', async (t) => {
  const { network, listener } = await open(t, ['ws:127.0.0.1:0'], {
    limits: { handshakeMs: 100 },
    httpHandler: () => undefined,
  });
  for (const text of ['', 'GET / HTTP/1.1\r\nHost:', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nxx']) {
    const slow = await TcpClient.connect(t, listener.local);
    slow.write(text);
    await slow.closed();
  }
  assert.equal(network.statistics().dropped['http-timeout'], 3);
});

test('a page whose answer takes its time is not cut off', async (t) => {
  const { listener } = await open(t, ['wss:127.0.0.1:0'], {
    tls: certificateSource(ours()),
    // Enough for TLS on a busy machine, and less than the page takes.
    limits: { handshakeMs: 1_500 },
    httpHandler: (_request, response) => {
      setTimeout(() => response.end('at last'), 2_000);
    },
  });
  assert.equal((await page(listener, '/')).body, 'at last');
});

for (const transport of ['ws', 'wss'] as const) {
  test(`200 connections of garbage on ${transport} leave nothing behind`, async (t) => {
    const before = openSockets();
    const limits = { handshakeMs: 200 };
    const { network, listener } = await open(t, [`${transport}:127.0.0.1:0`], {
      tls: certificateSource(ours()),
      limits,
    });
    const upgrade = `${[...upgradeLines, 'Connection: Upgrade', 'Sec-WebSocket-Protocol: sip'].join('\r\n')}\r\n\r\n`;
    const kinds = [
      '',
      '\0\xff',
      'GET / HTTP/1.1\r\n\r\n',
      'POST / HTTP/1.1\r\n',
      upgrade,
      `${upgrade}\xff\xff\xff`,
      '\x16\x03\x01',
    ];
    const clients = await Promise.all(Array.from({ length: 200 }, () => TcpClient.connect(t, listener.local)));
    for (const [at, { socket }] of clients.entries()) {
      socket.write(kinds[at % kinds.length] ?? '', 'latin1');
      if (at % 3 === 0) socket.destroy();
      else if (at % 3 === 1) socket.end();
    }
    await pause(300);
    for (const { socket } of clients) socket.destroy();
    await eventually(() => network.statistics().connections[transport] === 0, 'no flow left');
    await network.shutdown();
    await eventually(() => openSockets() <= before, 'all handles gone');
  });
}

test('RFC 6455 §10.2: with ORIGINS only their pages connect, and those of the host itself; telephones send none', async (t) => {
  const origins = ['https://phone.example.com'];
  const { network, listener } = await open(t, ['ws:127.0.0.1:0'], { origins });
  const host = `127.0.0.1:${listener.local.port}`;
  for (const origin of [undefined, 'https://phone.example.com', 'https://PHONE.example.com', `http://${host}`]) {
    await client(t, listener, origin === undefined ? {} : { origin });
  }
  for (const origin of ['https://evil.example', 'null', 'https://phone.example.com.evil.example', 'http://127.0.0.1']) {
    await assert.rejects(client(t, listener, { origin }), /403/, origin);
  }
  assert.equal(network.statistics().dropped['websocket-origin'], 4);
  assert.equal(network.statistics().connections.ws, 4);
});

for (const transport of ['tcp', 'tls', 'ws', 'wss']) {
  test(`${transport}: a connection from a source that is refused is reset before any handshake`, async (t) => {
    const asked: string[] = [];
    const admits = (address: string): boolean => {
      asked.push(address);
      return false;
    };
    const tls = certificateSource(ours());
    const { network, listener } = await open(t, [`${transport}:127.0.0.1:0`], { admits, tls });
    const refused = TcpClient.dial(t, listener.local);
    await refused.closed();
    assert.deepEqual(asked, ['127.0.0.1']);
    assert.equal(network.statistics().dropped['refused-source'], 1);
  });
}
