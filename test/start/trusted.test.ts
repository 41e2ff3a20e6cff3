import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trustedNetworks } from '../../src/start/trusted.ts';

function check(networks: readonly string[], expected: Readonly<Record<string, boolean>>): void {
  const isTrusted = trustedNetworks(networks);
  const asked = Object.keys(expected);
  assert.deepEqual(Object.fromEntries(asked.map((address) => [address, isTrusted(address)])), expected);
  // The second answer comes from memory.
  assert.deepEqual(Object.fromEntries(asked.map((address) => [address, isTrusted(address)])), expected);
}

test('law 10: nobody is trusted by default, loopback neither', () =>
  check([], { '127.0.0.1': false, '::1': false, '10.1.2.3': false }));

test('an IPv4 network is trusted from its first address to its last', () =>
  check(['10.1.0.0/16'], { '10.1.0.0': true, '10.1.255.255': true, '10.0.255.255': false, '10.2.0.0': false }));

test('a single address is itself only', () =>
  check(['192.0.2.1', '192.0.2.3/32'], { '192.0.2.1': true, '192.0.2.2': false, '192.0.2.3': true }));

test('an IPv6 network, in whatever spelling an address comes', () =>
  check(['2001:db8:1::/48', '::1'], {
    '2001:db8:1::': true,
    '2001:db8:1:ffff:ffff:ffff:ffff:ffff': true,
    '2001:DB8:1:0:0:0:0:1': true,
    '2001:db8:2::': false,
    '::1': true,
    '::2': false,
  }));

test('an IPv4 address that an IPv6 socket has mapped is the IPv4 address', () =>
  check(['10.1.0.0/16'], { '::ffff:10.1.2.3': true, '::ffff:10.2.2.3': false }));

test('/0 is everybody of that family', () => check(['0.0.0.0/0'], { '203.0.113.1': true, '2001:db8::1': false }));

test('several networks', () =>
  check(['10.0.0.0/8', '192.168.0.0/16'], { '10.9.9.9': true, '192.168.1.1': true, '172.16.0.1': false }));

test('a link-local address with its zone, or what is no address at all, is asked without harm', () => {
  check(['10.0.0.0/8'], { 'fe80::1%eth0': false, '': false, 'a name': false });
  check(['fe80::/10'], { 'fe80::1%eth0': true });
});

test('answers stay right when more addresses ask than are remembered', () => {
  const isTrusted = trustedNetworks(['10.0.0.0/8']);
  for (let index = 0; index < 25_000; index++) {
    const address = `${index % 2 === 0 ? 10 : 11}.0.${index >> 8}.${index & 255}`;
    assert.equal(isTrusted(address), index % 2 === 0);
  }
});
