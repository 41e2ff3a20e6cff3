import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idle, type Pace, type PaceEffect, type PaceEvent, stepPace } from '../../src/presence/pace.ts';

const change: PaceEvent = { on: 'wanted', want: 'change' };
const urgent: PaceEvent = { on: 'wanted', want: 'urgent' };
const answered: PaceEvent = { on: 'answered' };
const rested: PaceEvent = { on: 'rested' };

function run(...events: readonly PaceEvent[]): readonly (readonly PaceEffect[])[] {
  let pace: Pace = idle;
  return events.map((event) => {
    const [next, effects] = stepPace(pace, event);
    pace = next;
    return effects;
  });
}

test('RFC 6665 §4.2.2: the first NOTIFY at once; the next after its answer and the pace', () => {
  assert.deepEqual(run(change, answered, change, rested), [['send'], ['rest'], [], ['send']]);
});

test('RFC 3856 §6.10: what happens while one is on its way becomes one more', () => {
  assert.deepEqual(run(change, change, change, answered, rested, answered, rested, rested), [
    ['send'],
    [],
    [],
    ['rest'],
    ['send'],
    ['rest'],
    [],
    [],
  ]);
});

test('RFC 6665 §4.2.1.2: a SUBSCRIBE does not wait for the pace, only for the answer to the one before', () => {
  assert.deepEqual(run(change, answered, urgent), [['send'], ['rest'], ['stop-resting', 'send']]);
  assert.deepEqual(run(change, urgent, change, answered), [['send'], [], [], ['send']]);
});

test('any order of events: never two on their way, and nobody who wanted one is forgotten', () => {
  const events = fc.constantFrom(change, urgent, answered, rested);
  fc.assert(
    fc.property(fc.array(events, { maxLength: 40 }), (list) => {
      let pace: Pace = idle;
      let underway = 0;
      let owed = false;
      const settle = [answered, rested, answered, rested];
      for (const event of [...list, ...settle]) {
        if (event.on === 'answered' && underway === 0) continue;
        if (event.on === 'wanted') owed = true;
        if (event.on === 'answered') underway -= 1;
        const [next, effects] = stepPace(pace, event);
        pace = next;
        if (effects.includes('send')) {
          underway += 1;
          owed = false;
        }
        assert.ok(underway <= 1);
      }
      assert.deepEqual([pace.state, owed], ['idle', false]);
    }),
  );
});
