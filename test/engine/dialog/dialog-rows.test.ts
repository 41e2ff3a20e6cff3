import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DialogRows } from '../../../src/engine/dialog/dialog-rows.ts';
import { Failure } from '../../../src/errors.ts';
import type { DialogRecord, DialogStore, Log } from '../../../src/ports.ts';
import { createClock, settle } from '../../support/clock.ts';
import { recordOf } from '../records.ts';

/** A store that takes what it is told to take, when it is told to; `written` is what it has taken. */
function create() {
  const clock = createClock();
  const written: string[] = [];
  const warnings: string[] = [];
  let refuse: Failure | undefined;
  const take =
    (to: 'save' | 'remove') =>
    async ({ callId }: DialogRecord): Promise<void> => {
      await settle();
      if (refuse !== undefined) throw refuse;
      written.push(`${to} ${callId}`);
    };
  const nothing = {
    load: async () => [],
    find: async () => undefined,
    adopt: async () => [],
    up: async () => [],
    hasMedia: async () => false,
  };
  const store: DialogStore = { ...nothing, save: take('save'), remove: take('remove') };
  const ignore = (): void => undefined;
  const log: Log = { debug: ignore, info: ignore, warn: (_, text) => void warnings.push(text), error: ignore };
  const down = (failure: Failure | undefined): void => {
    refuse = failure;
  };
  return { clock, written, warnings, down, rows: new DialogRows(store, clock, log) };
}

const away = new Failure('database-down');
const one = recordOf({ callId: 'one' });
const two = recordOf({ callId: 'two' });

test('DESIGN §5: a row that the database was not there for is written when it is back, and not again', async () => {
  const { clock, written, warnings, down, rows } = create();
  down(away);
  rows.save(one);
  rows.save(two);
  await clock.advance(10_000);
  assert.deepEqual(written, []);
  down(undefined);
  await clock.advance(2_000);
  assert.deepEqual(written, ['save one', 'save two']);
  await clock.advance(60_000);
  assert.equal(written.length, 2);
  assert.equal(clock.pending(), 0);
  // An hour without a database is one line, not two thousand.
  assert.deepEqual(warnings, ['Dialog records wait for the database']);
  down(away);
  rows.save(one);
  await clock.advance(1);
  assert.equal(warnings.length, 2, 'the next time is told again');
});

test('DESIGN §5: a call that ended while the database was away is none after a restart', async () => {
  const { clock, written, down, rows } = create();
  rows.save(one);
  await settle();
  down(away);
  rows.remove(one);
  await clock.advance(1);
  down(undefined);
  await clock.advance(2_000);
  assert.deepEqual(written, ['save one', 'remove one']);
});

test('only the last change of a record counts: an old one never overwrites it', async () => {
  const { clock, written, down, rows } = create();
  down(away);
  rows.save(one);
  await clock.advance(1);
  down(undefined);
  rows.remove(one);
  await clock.advance(60_000);
  assert.deepEqual(written, ['remove one']);
});

test('a row that the database refuses for what is in it is given up, with a warning', async () => {
  const { clock, written, warnings, down, rows } = create();
  down(new Failure('internal', 'bad row'));
  rows.save(one);
  await clock.advance(1);
  down(undefined);
  await clock.advance(60_000);
  assert.deepEqual(written, []);
  assert.deepEqual(warnings, ['A restart would lose this call']);
});

test('law 9: what waits is bounded; the oldest is given up', async () => {
  const { clock, written, warnings, down, rows } = create();
  down(away);
  for (let call = 0; call <= 20_000; call++) rows.save(recordOf({ callId: String(call) }));
  await clock.advance(1);
  assert.equal(warnings.filter((text) => text === 'A restart would lose this call').length, 1);
  down(undefined);
  await clock.advance(60_000);
  assert.equal(written.length, 20_000);
  assert.ok(!written.includes('save 0'));
});
