import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listener } from '../../src/ports.ts';
import { phoneSettings } from '../../src/start/phone-settings.ts';
import { listenerOf } from '../support/fake-proxy.ts';

const ws = listenerOf('ws', 0, '127.0.0.1', 8080);
const wss = listenerOf('wss', 1, '127.0.0.1', 8443);

function settings(listeners: readonly Listener[], host: string, secure: boolean) {
  return phoneSettings(listeners, () => 'example.com', [])(host, secure);
}

test('a plain page uses ws, on the host that it was reached by', () => {
  assert.equal(settings([ws, wss], '127.0.0.1:8081', false).wsUrl, 'ws://127.0.0.1:8080');
  assert.equal(settings([ws, wss], 'localhost:8081', false).wsUrl, 'ws://localhost:8080');
  assert.equal(settings([ws, wss], '[::1]:8081', false).wsUrl, 'ws://[::1]:8080');
  assert.equal(settings([ws, wss], 'sip.example.com', false).wsUrl, 'ws://sip.example.com:8080');
});

test('DESIGN §6: a page from the wss port uses its own origin: one certificate for both', () => {
  assert.equal(settings([ws, wss], '192.0.2.1:8443', true).wsUrl, 'wss://192.0.2.1:8443');
  assert.equal(settings([ws, wss], 'sip.example.com', true).wsUrl, 'wss://sip.example.com');
});

test('without a ws listener a plain page uses wss', () => {
  assert.equal(settings([wss], '127.0.0.1:8081', false).wsUrl, 'wss://127.0.0.1:8443');
});

test('a page that was reached where a microphone is not allowed is told where it would be', () => {
  assert.equal(settings([ws, wss], '192.0.2.1:8081', false).secureUrl, 'https://192.0.2.1:8443/phone');
  assert.equal('secureUrl' in settings([ws], '192.0.2.1:8081', false), false);
});

test('domain and accounts to try; no accounts, no demonstration', () => {
  const accounts = phoneSettings([ws], () => 'example.com', [{ username: 'alice', password: 'secret' }]);
  assert.deepEqual(accounts('127.0.0.1:8081', false), {
    wsUrl: 'ws://127.0.0.1:8080',
    domain: 'example.com',
    demo: true,
    sip: [],
    accounts: [{ name: 'alice', password: 'secret' }],
  });
  assert.deepEqual(settings([ws], '127.0.0.1:8081', false), {
    wsUrl: 'ws://127.0.0.1:8080',
    domain: 'example.com',
    demo: false,
    sip: [],
  });
});

test('a reload that changes DOMAINS changes the domain of the page', () => {
  let domain = 'example.com';
  const settingsNow = phoneSettings([ws], () => domain, []);
  assert.equal(settingsNow('127.0.0.1:8081', false).domain, 'example.com');
  domain = 'example.org';
  assert.equal(settingsNow('127.0.0.1:8081', false).domain, 'example.org');
});

test('a softphone is told the public address of each transport that it can use, once', () => {
  const listeners = [
    listenerOf('udp', 0, '192.0.2.1', 5060),
    listenerOf('udp', 1, '192.0.2.2', 5060),
    listenerOf('tls', 2, '192.0.2.1', 5061),
    wss,
  ];
  assert.deepEqual(settings(listeners, '192.0.2.1:8443', true).sip, [
    { transport: 'udp', address: '192.0.2.1:5060' },
    { transport: 'tls', address: '192.0.2.1:5061' },
  ]);
});
