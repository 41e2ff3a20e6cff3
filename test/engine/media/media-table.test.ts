import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MediaTable } from '../../../src/engine/media/media-table.ts';

const caller = { kind: 'rtp', address: '192.0.2.1' } as const;

test('a call is found by Call-ID and caller tag, and opened once', () => {
  const table = new MediaTable();
  const call = table.open('call-1', 'alice', caller);
  assert.equal(table.open('call-1', 'alice', caller), call);
  assert.equal(table.find('call-1', 'alice'), call);
  assert.equal(table.find('call-1', 'mallory'), undefined);
  assert.deepEqual([call.name, table.size, table.hasName('call-1')], ['call-1', 1, true]);
});

test('law 10: in a dialog both tags must be known: a callee’s tag alone is text that another caller may use', () => {
  const table = new MediaTable();
  const call = table.open('call-1', 'alice', caller);
  const foreign = table.open('call-1', 'bob', caller);
  call.dialogs.add('bob');
  assert.equal(table.withTags('call-1', 'bob', 'alice'), call);
  assert.equal(table.withTags('call-1', 'alice', 'bob'), call);
  assert.equal(table.withTags('call-1', 'bob', 'carol'), undefined);
  foreign.branchOfTag.set('carol', 'branch');
  assert.equal(table.withTags('call-1', 'bob', 'carol'), foreign);
});

test('law 3: two callers with one Call-ID have a session each in rtpengine, and neither ends the other', () => {
  const table = new MediaTable();
  const first = table.open('call-1', 'alice', caller);
  const second = table.open('call-1', 'mallory', caller);
  assert.deepEqual([first.name, second.name], ['call-1', 'call-1~mallory']);
  table.remove(second);
  assert.equal(table.find('call-1', 'alice'), first);
  assert.deepEqual([table.hasName('call-1'), table.hasName('call-1~mallory')], [true, false]);
});

test('forks of a proxy before us with an offer each have a session each, found by the tag of who answered', () => {
  const table = new MediaTable();
  const forks = ['bob', 'carol', 'dave'].map((callee) => {
    const call = table.add('call-1', 'alice', caller);
    call.dialogs.add(callee);
    return call;
  });
  assert.deepEqual(
    forks.map(({ name }) => name),
    ['call-1', 'call-1~alice', 'call-1~alice~2'],
  );
  const [bob, carol, dave] = forks;
  assert.ok(bob !== undefined && carol !== undefined);
  assert.equal(table.withTags('call-1', 'carol', 'alice'), carol);
  table.remove(bob);
  assert.deepEqual([table.size, table.allOf('call-1', 'alice')], [2, [carol, dave]]);
  assert.equal(table.open('call-1', 'alice', caller, 'call-1~alice~2'), dave, 'its name of before a restart');
  assert.equal(table.open('call-1', 'alice', caller, 'call-1').name, 'call-1');
});

test('law 9: one fork too many is taken for a copy of the first', () => {
  const table = new MediaTable();
  for (let count = 0; count < 100; count++) table.openFork('call-1', 'alice', caller, () => true);
  assert.equal(table.size, 32);
  assert.equal(
    table.openFork('call-1', 'alice', caller, () => true),
    table.find('call-1', 'alice'),
  );
  assert.equal(
    table.openFork('call-1', 'alice', caller, ({ name }) => name !== 'call-1~alice~7').name,
    'call-1~alice~7',
  );
});

test('a Call-ID that is free again is the name again', () => {
  const table = new MediaTable();
  table.remove(table.open('call-1', 'alice', caller));
  assert.equal(table.open('call-1', 'bob', caller).name, 'call-1');
});
