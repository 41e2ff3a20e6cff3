/** ng over TCP and WebSocket: against a server that misbehaves, and against the real rtpengine. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { type NgClient, openNgClient } from '../../../src/adapters/rtpengine/ng-client.ts';
import { replyEnd } from '../../../src/adapters/rtpengine/ng-stream.ts';
import type { NgTransport } from '../../../src/adapters/rtpengine/node-address.ts';
import { offerProfile } from '../../../src/media/profiles.ts';
import { reply } from '../../support/ng-fake.ts';
import { freePort, type Scope, startProcess } from '../../support/process.ts';
import { realClock, realRandom, silentLog } from '../../support/rtpengine.ts';

const sdp = readFileSync(new URL('../../media/golden/004-phone-phone-offer.sdp', import.meta.url), 'latin1');
const services = { clock: realClock, random: realRandom, log: silentLog };

function client(scope: Scope, transport: NgTransport, port: number): NgClient {
  const ng = openNgClient({ transport, host: '127.0.0.1', port, ...services });
  scope.after(() => ng.close());
  return ng;
}

describe('where a reply on a stream ends', () => {
  const whole = reply('abc', { result: 'ok', list: [1, -20, 'e:i', { deep: [] }], sdp: 'v=0\r\n' });

  test('one that is whole, whatever follows; none before its last byte', () => {
    assert.equal(replyEnd(whole), whole.length);
    assert.equal(replyEnd(`${whole}next d`), whole.length);
    for (let length = 0; length < whole.length; length += 1) assert.equal(replyEnd(whole.slice(0, length)), undefined);
  });

  test('what can never become one is garbled', () => {
    for (const text of [
      'x'.repeat(65),
      'abc e',
      'abc x',
      'abc d-1:',
      `abc d${'9'.repeat(21)}`,
      'abc i1x',
      'abc :',
      'abc d99999999:',
    ]) {
      assert.equal(replyEnd(text), 'garbled', text);
    }
    assert.equal(replyEnd(`abc d1000000:${'x'.repeat(1_050_000)}`), 'garbled', 'too long');
  });
});

interface Fake {
  readonly port: number;
  /** The connection that is there now, and what came over it. */
  connection(): Socket;
  readonly cookies: string[];
  answer: (cookie: string, socket: Socket) => void;
}

async function fake(scope: Scope): Promise<Fake> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.setEncoding('latin1');
    let rest = '';
    socket.on('data', (text: string) => {
      rest += text;
      for (let end = replyEnd(rest); typeof end === 'number'; end = replyEnd(rest)) {
        const [cookie = ''] = rest.split(' ');
        rest = rest.slice(end);
        it.cookies.push(cookie);
        it.answer(cookie, socket);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  const it: Fake = {
    port: address.port,
    cookies: [],
    answer: (cookie, socket) => socket.write(reply(cookie, { result: 'pong' }), 'latin1'),
    connection: () => {
      const last = sockets.at(-1);
      assert.ok(last !== undefined);
      return last;
    },
  };
  return it;
}

describe('a connection over TCP', () => {
  test('replies in pieces, and several in one piece, each reach who asked', async (t) => {
    const node = await fake(t);
    const ng = client(t, 'tcp', node.port);
    node.answer = (cookie, socket) => {
      for (const byte of reply(cookie, { result: 'pong' })) socket.write(byte, 'latin1');
    };
    assert.equal((await ng.send({ command: 'ping' })).result, 'pong');
    const held: string[] = [];
    node.answer = (cookie, socket) => {
      held.push(reply(cookie, { result: 'pong' }));
      if (held.length === 3) socket.write(held.join(''), 'latin1');
    };
    const all = await Promise.all([1, 2, 3].map(() => ng.send({ command: 'ping' })));
    assert.deepEqual(
      all.map(({ result }) => result),
      ['pong', 'pong', 'pong'],
    );
  });

  test('it breaks while an answer is awaited: the same command goes over the next one', async (t) => {
    const node = await fake(t);
    const ng = client(t, 'tcp', node.port);
    let isFirst = true;
    node.answer = (cookie, socket) => {
      if (isFirst) socket.destroy();
      else socket.write(reply(cookie, { result: 'pong' }), 'latin1');
      isFirst = false;
    };
    assert.equal((await ng.send({ command: 'ping' })).result, 'pong');
    assert.equal(new Set(node.cookies).size, 1);
  });

  test('what is no ng ends the connection, and the next command has another', async (t) => {
    const node = await fake(t);
    const ng = client(t, 'tcp', node.port);
    await ng.send({ command: 'ping' });
    const first = node.connection();
    first.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    await once(first, 'close');
    assert.equal((await ng.send({ command: 'ping' })).result, 'pong');
    assert.notEqual(node.connection(), first);
  });

  test('nobody listens: the command fails by its deadline, and nothing is thrown', async (t) => {
    const ng = client(t, 'tcp', await freePort('tcp'));
    await assert.rejects(ng.send({ command: 'ping' }, { repeatAtMs: [50], deadlineMs: 200 }), {
      code: 'media-timeout',
    });
  });
});

for (const transport of ['tcp', 'ws'] as const) {
  test(`the real rtpengine over ${transport}: a call, and another one when it was killed and is back`, async (t) => {
    const [udp, tcp, ws] = [await freePort('udp'), await freePort('tcp'), await freePort('tcp')];
    const first = await freePort('udp', 40);
    const listens = [
      `--listen-ng=127.0.0.1:${udp}`,
      `--listen-tcp-ng=127.0.0.1:${tcp}`,
      `--listen-http=127.0.0.1:${ws}`,
    ];
    const media = ['--interface=127.0.0.1', `--port-min=${first}`, `--port-max=${first + 39}`];
    const args = ['--config-file=none', '--table=-1', '--foreground', ...listens, ...media];
    const start = () => startProcess(t, 'rtpengine', args);
    const ng = client(t, transport, transport === 'tcp' ? tcp : ws);
    for (const callId of ['first', 'second']) {
      const rtpengine = start();
      await untilAnswered(ng);
      const offer = {
        command: 'offer',
        'call-id': callId,
        'from-tag': 'a',
        sdp,
        ...offerProfile('rtp', 'rtp'),
      } as const;
      const offered = await ng.send(offer);
      assert.match(String(offered.sdp), /^c=IN IP4 127\.0\.0\.1/m);
      assert.deepEqual((await ng.send({ command: 'list', limit: 10 })).calls, [callId]);
      rtpengine.signal('SIGKILL');
      await rtpengine.ended(5_000);
    }
  });
}

async function untilAnswered(ng: NgClient): Promise<void> {
  for (const endMs = Date.now() + 15_000; Date.now() < endMs; ) {
    const outcome = await ng.send({ command: 'ping' }, { repeatAtMs: [], deadlineMs: 300 }).catch(() => undefined);
    if (outcome !== undefined) return;
  }
  assert.fail('it never answered');
}
