import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from '../../src/message/edit.ts';
import { Via } from '../../src/message/headers/via.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { reopenedAt, responseDestination, stampReceived } from '../../src/nat/received.ts';

const rest = [
  'v: SIP/2.0/TCP  10.0.0.9 ; branch=z9hG4bKold',
  'From:   <sip:a@example.com>;tag=1',
  'To: <sip:b@example.com>',
  'i: c1',
  'CSeq: 1 OPTIONS',
  'X-Odd:  kept\t as it is',
].join('\r\n');

function stamped(via: string, address: string, port: number): string {
  const text = `OPTIONS sip:b@example.com SIP/2.0\r\nVia: ${via}\r\n${rest}\r\n\r\n`;
  const request = parseMessage(text);
  assert.ok(request.kind === 'request', 'a request');
  const out = serialize(stampReceived(request, { address, port }));
  const [startLine, top, ...others] = out.split('\r\n');
  assert.equal([startLine, `Via: ${via}`, ...others].join('\r\n'), text, 'nothing else changed');
  return top?.slice('Via: '.length) ?? '';
}

function destination(via: string): string | undefined {
  const parsed = Via.parse(via);
  assert.ok(parsed !== undefined, via);
  const to = responseDestination(parsed);
  return to === undefined ? undefined : `${to.address} ${to.port}`;
}

test('RFC 3261 §18.2.1: received is added when sent-by is another address or a name', () => {
  const branch = 'branch=z9hG4bK1';
  const received = 'received=203.0.113.1';
  assert.equal(
    stamped(`SIP/2.0/UDP 10.0.0.1:5060;${branch}`, '203.0.113.1', 40000),
    `SIP/2.0/UDP 10.0.0.1:5060;${branch};${received}`,
  );
  assert.equal(
    stamped(`SIP/2.0/WSS ab.invalid;${branch}`, '203.0.113.1', 40000),
    `SIP/2.0/WSS ab.invalid;${branch};${received}`,
  );
});

test('RFC 3261 §18.2.1: a sent-by that equals the source leaves the Via byte for byte', () => {
  for (const [via, address] of [
    ['SIP/2.0/UDP  203.0.113.1 ;branch=z9hG4bK1', '203.0.113.1'],
    ['SIP/2.0/UDP [2001:DB8:0::1]:5070;branch=z9hG4bK1', '2001:db8::1'],
    ['SIP/2.0/UDP [::ffff:203.0.113.1];branch=z9hG4bK1', '203.0.113.1'],
  ] as const) {
    assert.equal(stamped(via, address, 40000), via);
  }
});

test('RFC 3581 §4: rport is filled, and received is then always added', () => {
  const via = 'SIP/2.0/UDP 203.0.113.1:5060;rport;branch=z9hG4bK1';
  const expected = 'SIP/2.0/UDP 203.0.113.1:5060;rport=40000;branch=z9hG4bK1;received=203.0.113.1';
  assert.equal(stamped(via, '203.0.113.1', 40000), expected);
  assert.match(stamped('SIP/2.0/UDP [2001:db8::2];rport', '2001:db8::1', 7), /;rport=7;received=2001:db8::1$/);
});

test('RFC 3261 §18.2.1: received and rport that the sender wrote itself do not stay', () => {
  assert.equal(stamped('SIP/2.0/UDP 10.0.0.1;received=198.51.100.1', '10.0.0.1', 5060), 'SIP/2.0/UDP 10.0.0.1');
  const forged = 'SIP/2.0/UDP 10.0.0.1;received=198.51.100.1;rport=53';
  assert.equal(stamped(forged, '10.0.0.2', 5061), 'SIP/2.0/UDP 10.0.0.1;received=10.0.0.2;rport=5061');
});

test('RFC 3261 §7.3.1: only the first of several Vias in one line is stamped', () => {
  const others = 'SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb';
  const out = stamped(`SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa, ${others}`, '10.0.0.3', 5060);
  assert.equal(out, `SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;received=10.0.0.3, ${others}`);
});

test('RFC 3581 §4: a response goes to received and rport', () => {
  assert.equal(destination('SIP/2.0/UDP 10.0.0.1:5060;received=203.0.113.1;rport=40000'), '203.0.113.1 40000');
});

test('RFC 3261 §18.2.2: without rport it goes to the port of sent-by, or 5060', () => {
  assert.equal(destination('SIP/2.0/UDP 10.0.0.1:5070;received=203.0.113.1'), '203.0.113.1 5070');
  assert.equal(destination('SIP/2.0/UDP 10.0.0.1;received=203.0.113.1;rport'), '203.0.113.1 5060');
  assert.equal(destination('SIP/2.0/UDP 10.0.0.1:5070;rport=99'), '10.0.0.1 5070');
  assert.equal(destination('SIP/2.0/UDP [2001:db8::1]'), '2001:db8::1 5060');
  assert.equal(destination('SIP/2.0/UDP 10.0.0.1;received=203.0.113.1;rport=70000'), '203.0.113.1 5060');
});

test('RFC 3261 §18.2.2: maddr comes first, but a multicast group or a name in it is passed over', () => {
  const via = (maddr: string): string => `SIP/2.0/UDP 10.0.0.1:5070;maddr=${maddr};received=203.0.113.1;rport=40000`;
  assert.equal(destination(via('192.0.2.9')), '192.0.2.9 5070');
  for (const odd of ['224.0.1.75', '255.255.255.255', '0.0.0.0', '[ff02::1]', 'host.example.com']) {
    assert.equal(destination(via(odd)), '203.0.113.1 40000', odd);
  }
});

test('RFC 3261 §18.2.2: a Via that names no numeric address has no destination', () => {
  assert.equal(destination('SIP/2.0/UDP host.example.com'), undefined);
  assert.equal(destination('SIP/2.0/UDP 300.1.1.1'), undefined);
});

test('RFC 3261 §18.2.2: a server whose connection has closed is dialled at the port of sent-by, not of rport', () => {
  const at = (text: string) => {
    const via = Via.parse(text);
    assert.ok(via !== undefined);
    return reopenedAt(via);
  };
  const told = 'SIP/2.0/TCP 10.0.0.1:5070;received=203.0.113.1;rport=40000';
  assert.deepEqual(at(told), { address: '203.0.113.1', port: 5070 });
  assert.deepEqual(at('SIP/2.0/TLS [2001:db8::1]'), { address: '2001:db8::1', port: 5061 });
  assert.equal(at('SIP/2.0/TCP host.example.com'), undefined);
});
