/** A node of RTPENGINE that is a name: what happens when it stands for another address. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connectSocket } from '../../../src/adapters/rtpengine/connected-socket.ts';
import type { Scope } from '../../support/process.ts';

/** What arrives at this address of loopback. */
async function openNode(scope: Scope, address: string, port = 0) {
  const heard: string[] = [];
  const socket = createSocket('udp4', (bytes) => heard.push(bytes.toString('latin1')));
  socket.bind(port, address);
  await once(socket, 'listening');
  scope.after(() => void socket.close());
  return { heard, port: socket.address().port };
}

async function sendUntilHeard(send: () => void, heard: readonly string[]): Promise<void> {
  for (let turn = 0; turn < 200 && heard.length === 0; turn++) {
    send();
    await delay(5);
  }
  assert.ok(heard.length > 0, 'nothing arrived');
}

test('a name whose peer is silent is looked up again, and its new address is used', async (t) => {
  const old = await openNode(t, '127.0.0.2');
  const anew = await openNode(t, '127.0.0.3', old.port);
  const names = { media: '127.0.0.2' };
  const socket = connectSocket({
    host: 'media.example.com',
    port: old.port,
    lookup: (_name, _options, callback) => callback(null, names.media, 4),
    onMessage: () => undefined,
    onConnected: () => undefined,
    onError: () => undefined,
  });
  t.after(() => socket.close());
  const send = (): void => socket.send(Buffer.from('ping'));
  await sendUntilHeard(send, old.heard);
  names.media = '127.0.0.3';
  send();
  await delay(20);
  assert.equal(anew.heard.length, 0, 'while it answers nobody asks again');
  socket.silent();
  await sendUntilHeard(send, anew.heard);
});

test('an address stays what it is, however silent', async (t) => {
  const node = await openNode(t, '127.0.0.2');
  const connected: string[] = [];
  const socket = connectSocket({
    host: '127.0.0.2',
    port: node.port,
    onMessage: () => undefined,
    onConnected: () => connected.push('connected'),
    onError: () => undefined,
  });
  t.after(() => socket.close());
  const send = (): void => socket.send(Buffer.from('ping'));
  await sendUntilHeard(send, node.heard);
  socket.silent();
  send();
  await delay(20);
  assert.deepEqual(connected, ['connected']);
});
