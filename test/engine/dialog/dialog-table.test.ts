import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DialogTable } from '../../../src/engine/dialog/dialog-table.ts';
import type { DialogRecord } from '../../../src/ports.ts';
import { recordOf } from '../records.ts';

const binding = { aor: 'sip:bob@example.com', key: '<urn:uuid:1>;reg-id=1' };

function tableOf(...records: readonly DialogRecord[]): DialogTable {
  const table = new DialogTable();
  for (const record of records) table.put(record);
  return table;
}

test('a record is found by Call-ID and both tags, in either order', () => {
  const record = recordOf();
  const table = tableOf(record);
  assert.equal(table.find('call-1', 'alice-tag', 'bob-tag', ''), record);
  assert.equal(table.find('call-1', 'bob-tag', 'alice-tag', ''), record);
  assert.equal(table.find('call-1', 'alice-tag', 'alice-tag', ''), undefined);
  assert.equal(table.find('call-1', 'alice-tag', 'other', ''), undefined);
  assert.equal(table.find('call-2', 'alice-tag', 'bob-tag', ''), undefined);
});

test('RFC 3261 §12: an INVITE that two devices answered is two dialogs of one call', () => {
  const [one, two] = [recordOf({ callee: { tag: 'desk' } }), recordOf({ callee: { tag: 'mobile' } })];
  const table = tableOf(one, two);
  assert.equal(table.size, 1);
  assert.deepEqual(table.all(), [one, two]);
  table.remove(one);
  assert.equal(table.find('call-1', 'alice-tag', 'desk', ''), undefined);
  assert.equal(table.find('call-1', 'alice-tag', 'mobile', ''), two);
  assert.equal(table.size, 1);
});

test('DESIGN §5: two passes of a call are told apart by their tokens; without one either is found', () => {
  const [one, two] = [recordOf({ token: 'one' }), recordOf({ token: 'two' })];
  const table = tableOf(one, two);
  assert.equal(table.find('call-1', 'alice-tag', 'bob-tag', 'two'), two);
  assert.equal(table.find('call-1', 'alice-tag', 'bob-tag', 'three'), undefined);
  assert.equal(table.find('call-1', 'alice-tag', 'bob-tag', undefined), one);
  table.remove(one);
  assert.deepEqual(table.all(), [two]);
});

test('a record takes the place of the one with its Call-ID and tags', () => {
  const newer = recordOf({ caller: { cseq: 7 } });
  const table = tableOf(recordOf(), newer);
  assert.deepEqual(table.all(), [newer]);
});

test('records are found by the flow and by the binding of either side', () => {
  const out = recordOf({ callId: 'out', caller: { flowId: 'f1', binding } });
  const in_ = recordOf({ callId: 'in', callee: { flowId: 'f1', binding } });
  const table = tableOf(out, in_, recordOf({ callId: 'other', caller: { flowId: 'f2' } }));
  assert.deepEqual(table.byFlow('f1'), [out, in_]);
  assert.deepEqual(table.byBinding({ ...binding }), [out, in_]);
  assert.deepEqual(table.byFlow('f3'), []);
  assert.deepEqual(table.byBinding({ ...binding, key: 'other' }), []);
});

test('a side that moved is found at its new flow only', () => {
  const moved = recordOf({ caller: { flowId: 'f2' } });
  const table = tableOf(recordOf({ caller: { flowId: 'f1' } }), moved);
  assert.deepEqual(table.byFlow('f1'), []);
  assert.deepEqual(table.byFlow('f2'), [moved]);
});

test('of two dialogs of one call, the one that stays is still found by the flow they share', () => {
  const [desk, mobile] = ['desk', 'mobile'].map((tag) => recordOf({ caller: { flowId: 'f1' }, callee: { tag } }));
  assert.ok(desk !== undefined && mobile !== undefined);
  const table = tableOf(desk, mobile);
  table.remove(desk);
  assert.deepEqual(table.byFlow('f1'), [mobile]);
});

test('of two dialogs of one call, each is found by its own flow only', () => {
  const desk = recordOf({ callee: { tag: 'desk', flowId: 'f1' } });
  const mobile = recordOf({ callee: { tag: 'mobile', flowId: 'f2' } });
  const table = tableOf(desk, mobile);
  assert.deepEqual(table.byFlow('f1'), [desk]);
  assert.deepEqual(table.byFlow('f2'), [mobile]);
});

test('law 9: after the last record went, nothing is left of it', () => {
  const record = recordOf({ caller: { flowId: 'f1', binding } });
  const table = tableOf(record);
  table.remove(record);
  table.remove(record);
  assert.equal(table.size, 0);
  assert.deepEqual([table.all(), table.byFlow('f1'), table.byBinding(binding)], [[], [], []]);
});
