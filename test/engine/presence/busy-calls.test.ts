/** Calls of other nodes in busy lamps, where what is told and what stands in rows come in either order. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BusyCalls } from '../../../src/engine/presence/busy-calls.ts';
import type { PartyCall } from '../../../src/ports.ts';
import { createClock, type VirtualClock } from '../../support/clock.ts';
import { recordOf } from '../records.ts';

const alice = 'sip:alice@example.com';
const row = { ...recordOf(), node: 'other' };
const told = (phase: PartyCall['phase']): PartyCall => ({
  id: `i-${row.callId}\n${row.caller.tag}`,
  direction: 'initiator',
  phase,
  remote: 'sip:bob@example.com',
});

function lamps(): { readonly clock: VirtualClock; readonly calls: BusyCalls } {
  const clock = createClock();
  const calls = new BusyCalls(clock, (uri) => uri, { shown: () => undefined, changed: () => undefined });
  return { clock, calls };
}

describe('RFC 4235: a call of another node', () => {
  test('that has ended is not lit again by its row, which goes a moment later', () => {
    const { calls } = lamps();
    calls.known(row);
    assert.equal(calls.elsewhere(alice), 1);
    calls.heard('other', alice, told('terminated'));
    calls.known(row);
    assert.equal(calls.elsewhere(alice), 0);
  });

  test('begins again with the same tag, as one that was challenged does', () => {
    const { calls } = lamps();
    for (const phase of ['trying', 'terminated', 'trying'] as const) calls.heard('other', alice, told(phase));
    assert.equal(calls.elsewhere(alice), 1);
  });

  test('that had ended when its node went away is forgotten after its time, so that there is room for others', async () => {
    const { clock, calls } = lamps();
    calls.heard('other', alice, told('confirmed'));
    calls.heard('other', alice, told('terminated'));
    calls.nodeGone('other');
    await clock.advance(30_000);
    assert.deepEqual(calls.of(alice), []);
  });

  test('that nobody tells of again when its node has gone away is over', async () => {
    const { clock, calls } = lamps();
    calls.heard('other', alice, told('confirmed'));
    calls.nodeGone('other');
    await clock.advance(30_000);
    assert.deepEqual(calls.of(alice), []);
  });
});
