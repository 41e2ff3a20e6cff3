import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressBytes,
  canonicalAddress,
  hostText,
  plainAddress,
  sourceKey,
} from '../../../src/adapters/network/addresses.ts';
import { Admission } from '../../../src/adapters/network/admission.ts';
import { defaultLimits } from '../../../src/adapters/network/limits.ts';
import { Wheel } from '../../../src/adapters/network/wheel.ts';
import { eventually, pause } from './support.ts';

test('an address from a socket loses its zone, and IPv4 inside IPv6 becomes IPv4', () => {
  for (const [given, expected] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::1', '2001:db8::1'],
  ] as const) {
    assert.equal(plainAddress(given), expected);
  }
});

test('a numeric address has one spelling', () => {
  for (const [given, expected] of [
    ['[2001:DB8:0:0:0:0:0:1]', '2001:db8::1'],
    ['::ffff:7f00:1', '127.0.0.1'],
    ['::1%lo', '::1'],
    ['10.0.0.1', '10.0.0.1'],
    ['010.0.0.1', undefined],
    ['example.com', undefined],
    ['[::1', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(canonicalAddress(given), expected, given);
  }
  assert.equal(hostText('2001:DB8::1'), '[2001:db8::1]');
  assert.equal(hostText('[::1]'), '[::1]');
  assert.equal(hostText('sip.example.com'), 'sip.example.com');
});

test('an address as bytes', () => {
  for (const [address, hex] of [
    ['192.0.2.1', 'c0000201'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['2001:db8::a:1', '20010db80000000000000000000a0001'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['64:ff9b::192.0.2.1', '0064ff9b0000000000000000c0000201'],
  ] as const) {
    assert.equal(addressBytes(address).toString('hex'), hex, address);
  }
});

test('a source is an IPv4 address or an IPv6 /64', () => {
  assert.equal(sourceKey('192.0.2.1'), '192.0.2.1');
  assert.equal(sourceKey('2001:db8::1'), sourceKey('2001:db8::ffff:1'));
  assert.notEqual(sourceKey('2001:db8::1'), sourceKey('2001:db8:0:1::1'));
});

test('each source has its own bound, and what is released is free again', () => {
  const admission = new Admission({ ...defaultLimits, connectionsPerSource: 2, connectionsPerListener: 4 });
  assert.equal(admission.admit('192.0.2.1'), undefined);
  assert.equal(admission.admit('192.0.2.1'), undefined);
  assert.equal(admission.admit('192.0.2.1'), 'too-many-from-source');
  assert.equal(admission.admit('127.0.0.1'), undefined);
  assert.equal(admission.admit('127.0.0.1'), undefined);
  assert.equal(admission.admit('192.0.2.2'), 'too-many-connections');
  admission.release('192.0.2.1');
  assert.equal(admission.admit('192.0.2.1'), undefined);
});

test('the timer wheel: later than a round, in order, cancelled, and never early', async (t) => {
  const wheel = new Wheel(1);
  t.after(() => wheel.stop());
  const seen: string[] = [];
  const startMs = performance.now();
  wheel.after(150, () => seen.push('late'));
  wheel.after(20, () => seen.push('early'));
  const cancel = wheel.after(30, () => seen.push('cancelled'));
  wheel.after(25, () => cancel());
  await eventually(() => seen.includes('late'), 'the late action');
  assert.ok(performance.now() - startMs >= 149);
  assert.deepEqual(seen, ['early', 'late']);
});

test('the timer wheel: an action that cancels its neighbour in the same tick', async (t) => {
  const wheel = new Wheel(5);
  t.after(() => wheel.stop());
  const seen: string[] = [];
  const cancels: (() => void)[] = [];
  for (const [name, other] of [
    ['a', 1],
    ['b', 0],
  ] as const) {
    const action = () => {
      seen.push(name);
      cancels[other]?.();
    };
    cancels.push(wheel.after(10, action));
  }
  await eventually(() => seen.length > 0, 'one of them');
  await pause(60);
  assert.deepEqual(seen, ['a']);
});
