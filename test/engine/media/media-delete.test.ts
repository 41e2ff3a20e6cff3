import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MediaDeletes } from '../../../src/engine/media/media-delete.ts';
import type { Log } from '../../../src/ports.ts';
import { createClock, settle, type VirtualClock } from '../../support/clock.ts';
import { createMediaRelayFake, type MediaRelayFake } from '../../support/media-relay-fake.ts';
import { createMemoryDatabase, type MemoryDatabase } from '../../support/memory-stores.ts';

interface Office {
  readonly clock: VirtualClock;
  readonly relay: MediaRelayFake;
  readonly database: MemoryDatabase;
  readonly warnings: string[];
  readonly deletes: MediaDeletes;
}

function create(clock = createClock(), database = createMemoryDatabase(clock)): Office {
  const relay = createMediaRelayFake(clock);
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  const log: Log = { debug: ignore, info: ignore, warn: (_, text) => void warnings.push(text), error: ignore };
  return { clock, relay, database, warnings, deletes: new MediaDeletes(relay, database.outbox, clock, log) };
}

const pending = ({ database }: Office): readonly string[] => database.rows.outbox().map(({ callId }) => callId);
const told = ({ relay }: Office): readonly object[] => relay.told.map(({ command }) => command);
const wholeCall = { command: 'delete', 'call-id': 'call-1', 'delete-delay': 0 };

test('DESIGN §4: a call is deleted by its Call-ID, without delay and without tags', async () => {
  const office = create();
  office.deletes.perform('m1', 'call-1', 'alice-tag', { delete: 'call' });
  await settle();
  assert.deepEqual(told(office), [wholeCall]);
  assert.deepEqual(pending(office), []);
});

test('DESIGN §4: a branch is deleted by the tag of its caller and its via-branch', async () => {
  const office = create();
  office.deletes.perform('m1', 'call-1', 'alice-tag', { delete: 'branch', branch: 'b1' });
  await settle();
  assert.deepEqual(told(office), [{ ...wholeCall, 'from-tag': 'alice-tag', 'via-branch': 'b1' }]);
});

test('law 3: whoever begins a call of the same name waits for a delete that is on its way', async () => {
  const office = create();
  office.relay.set({ latencyMs: 100 });
  office.deletes.call('m1', 'call-1');
  const order: string[] = [];
  const note = (name: string) => (): void => void order.push(name);
  const waiting = [
    office.deletes.settled('m1', 'call-1').then(note('same')),
    office.deletes.settled('m2', 'call-1').then(note('other')),
  ];
  await settle();
  assert.deepEqual(order, ['other']);
  await office.clock.advance(100);
  await Promise.all(waiting);
  assert.deepEqual(order, ['other', 'same']);
});

test('law 3: a delete that nobody answers waits in the outbox, and is done when the node is back', async () => {
  const office = create();
  office.relay.set({ nodes: { m1: 'silent' } });
  office.deletes.start();
  office.deletes.call('m1', 'call-1');
  await office.clock.advance(2000);
  assert.deepEqual(pending(office), ['call-1']);
  await office.clock.advance(20_000);
  assert.deepEqual(pending(office), ['call-1']);
  office.relay.set({ nodes: { m1: 'up' } });
  await office.clock.advance(12_000);
  assert.deepEqual(pending(office), []);
  const count = office.relay.told.length;
  await office.clock.advance(60_000);
  assert.equal(office.relay.told.length, count, 'and it is not sent again');
  office.deletes.stop();
});

test('law 3: what an earlier process left in the outbox is done by the next one', async () => {
  const before = create();
  before.relay.set({ nodes: { m1: 'silent' } });
  before.deletes.call('m1', 'call-1');
  await before.clock.advance(2000);
  const after = create(before.clock, before.database);
  after.deletes.start();
  await after.clock.advance(10_000);
  assert.deepEqual(told(after), [wholeCall]);
  assert.deepEqual(pending(after), []);
  after.deletes.stop();
});

test('DESIGN §4: after five minutes it is given up: the Call-ID may be in use again', async () => {
  const office = create();
  office.relay.set({ nodes: { m1: 'silent' } });
  office.deletes.call('m1', 'call-1');
  await office.clock.advance(300_000);
  office.relay.set({ nodes: { m1: 'up' } });
  const count = office.relay.told.length;
  office.deletes.start();
  await office.clock.advance(15_000);
  assert.deepEqual(pending(office), []);
  assert.equal(office.relay.told.length, count, 'and nothing is sent');
  office.deletes.stop();
});

test('DESIGN §4: a branch delete that fails is not kept: a second one would destroy the whole call', async () => {
  const office = create();
  office.relay.set({ nodes: { m1: 'silent' } });
  office.deletes.start();
  office.deletes.perform('m1', 'call-1', 'alice-tag', { delete: 'branch', branch: 'b1' });
  await office.clock.advance(30_000);
  assert.equal(office.relay.told.length, 1);
  assert.deepEqual(pending(office), []);
  office.deletes.stop();
});

test('an outbox that cannot be written is said in the log; one that cannot be read is tried again', async () => {
  const office = create();
  office.relay.set({ nodes: { m1: 'silent' } });
  office.database.set({ down: true });
  office.deletes.call('m1', 'call-1');
  await office.clock.advance(2000);
  assert.deepEqual(office.warnings, ['A media session could not be deleted']);
  office.deletes.start();
  await office.clock.advance(10_000);
  office.database.set({ down: false });
  office.deletes.call('m1', 'call-2');
  await office.clock.advance(2000);
  office.relay.set({ nodes: { m1: 'up' } });
  await office.clock.advance(20_000);
  assert.deepEqual(pending(office), []);
  office.deletes.stop();
});

test('one node that stays silent does not keep the deletes of another one from being done', async () => {
  const office = create();
  office.relay.set({ nodes: { m1: 'silent', m2: 'silent' } });
  for (let index = 0; index < 20; index++) office.deletes.call('m1', `lost-${index}`);
  office.deletes.call('m2', 'call-2');
  await office.clock.advance(2000);
  office.relay.set({ nodes: { m1: 'silent', m2: 'up' } });
  office.deletes.start();
  await office.clock.advance(13_000);
  assert.ok(!pending(office).includes('call-2'));
  office.deletes.stop();
});

test('once stopped it tries no more, also when it was just trying', async () => {
  const office = create();
  office.relay.set({ nodes: { m1: 'silent' } });
  office.deletes.call('m1', 'call-1');
  await office.clock.advance(2000);
  office.deletes.start();
  await office.clock.advance(11_000);
  office.deletes.stop();
  const count = office.relay.told.length;
  await office.clock.advance(60_000);
  assert.equal(office.relay.told.length, count);
  assert.equal(office.clock.pending(), 0);
});
