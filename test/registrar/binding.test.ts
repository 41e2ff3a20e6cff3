import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Binding } from '../../src/ports.ts';
import { isSecured } from '../../src/registrar/binding.ts';
import { bobsBinding } from '../engine/records.ts';

const check = (parts: Partial<Binding>, expected: boolean): void =>
  assert.equal(isSecured({ ...bobsBinding, path: [], flowId: undefined, ...parts }), expected, JSON.stringify(parts));

test('RFC 3261 §26.2.2: a binding with a flow is as secure as its connection, whatever its Contact says', () => {
  for (const transport of ['tls', 'wss'] as const)
    check({ flowId: 'f', transport, contact: 'sip:bob@192.0.2.2' }, true);
  for (const transport of ['udp', 'tcp', 'ws'] as const)
    check({ flowId: 'f', transport, contact: 'sips:bob@192.0.2.2' }, false);
});

test('RFC 3261 §26.2.2: one without is as secure as what is dialled: its first Path, else its Contact', () => {
  check({ transport: 'udp', contact: 'sips:bob@192.0.2.2' }, true);
  check({ transport: 'udp', contact: 'sip:bob@192.0.2.2;transport=TLS' }, true);
  check({ transport: 'tls', contact: 'sip:bob@192.0.2.2' }, false);
  const contact = 'sips:bob@192.0.2.2';
  check({ transport: 'tls', contact, path: ['<sip:edge.example.com;lr>'] }, false);
  check({ transport: 'tls', contact, path: ['<sips:edge.example.com;lr>', '<sip:inner.example.com;lr>'] }, true);
  check({ transport: 'tls', contact, path: ['<sip:edge.example.com;transport=tls;lr>'] }, true);
});
