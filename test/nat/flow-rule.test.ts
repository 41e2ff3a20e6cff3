import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Contact } from '../../src/message/headers/contact.ts';
import { Via } from '../../src/message/headers/via.ts';
import { isBehindNat, mustUseFlow } from '../../src/nat/flow-rule.ts';
import type { Transport } from '../../src/ports.ts';

function check(via: string, contact: string | undefined, from: string, transport: Transport = 'udp'): boolean {
  const parsed = Via.parse(`SIP/2.0/UDP ${via}`);
  assert.ok(parsed !== undefined, via);
  const [, address = '', port = ''] = /^(.*):(\d+)$/.exec(from) ?? [];
  const nameAddr = contact === undefined ? undefined : Contact.parse(contact);
  return mustUseFlow({ transport, via: parsed, contact: nameAddr, source: { address, port: Number(port) } });
}

test('law 4: a client on a connection is reached over it, whatever its Via and Contact say', () => {
  for (const transport of ['tcp', 'tls', 'ws', 'wss'] as const) {
    assert.equal(check('192.0.2.1:5060', '<sip:a@192.0.2.1:5060>', '192.0.2.1:5060', transport), true, transport);
  }
});

test('law 4: a UDP client that shows its own address is reached at its Contact', () => {
  assert.equal(check('192.0.2.1:5060', '<sip:a@192.0.2.1:5060>', '192.0.2.1:5060'), false);
  assert.equal(check('192.0.2.1', undefined, '192.0.2.1:5060'), false, 'no port means 5060');
  assert.equal(check('[2001:DB8::1]:5062', undefined, '2001:db8::1:5062'), false);
});

test('law 4, RFC 3581: rport in the Via means its flow, also when it was filled already', () => {
  assert.equal(check('192.0.2.1:5060;rport', undefined, '192.0.2.1:5060'), true);
  assert.equal(check('192.0.2.1:5060;rport=5060;received=192.0.2.1', undefined, '192.0.2.1:5060'), true);
});

test('law 4, RFC 5626 §4: ob in the Contact URI or reg-id beside it mean its flow', () => {
  assert.equal(check('192.0.2.1', '<sip:a@192.0.2.1;ob>', '192.0.2.1:5060'), true);
  assert.equal(check('192.0.2.1', '<sip:a@192.0.2.1>;reg-id=1', '192.0.2.1:5060'), true);
});

test('law 4: a source that differs from sent-by in address or port, or a name there, means its flow', () => {
  assert.equal(check('10.0.0.1', undefined, '192.0.2.1:5060'), true);
  assert.equal(check('192.0.2.1:5070', undefined, '192.0.2.1:5060'), true);
  assert.equal(check('phone.local', undefined, '192.0.2.1:5060'), true);
});

test('RFC 3581: whose Contact is not where the REGISTER came from is behind NAT; a name in it may hide anything', () => {
  const source = { address: '192.0.2.1', port: 5060 };
  assert.equal(isBehindNat('sip:a@192.0.2.1', source), false);
  assert.equal(isBehindNat('sip:a@192.0.2.1:5062', source), true);
  assert.equal(isBehindNat('sip:a@10.0.0.1', source), true);
  assert.equal(isBehindNat('sip:a@phone.example.com', source), true);
});
