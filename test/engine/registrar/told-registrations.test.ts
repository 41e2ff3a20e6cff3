import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watched } from '../../../src/engine/presence/watched.ts';
import { ToldRegistrations } from '../../../src/engine/registrar/told-registrations.ts';
import type { Binding } from '../../../src/ports.ts';
import { createClock } from '../../support/clock.ts';

const aor = 'sip:bob@example.com';

function binding(key: string, expiresAtMs: number): Binding {
  return {
    aor,
    key,
    contact: `sip:${key}`,
    contactParams: '',
    q: 1,
    expiresAtMs,
    callId: 'call',
    cseq: 1,
    path: [],
    flowId: undefined,
    node: 'n1',
    boot: 'b1',
    transport: 'udp',
    source: '192.0.2.2:5060',
    userAgent: '',
    media: undefined,
    gruuCSeq: undefined,
  };
}

function create() {
  const clock = createClock();
  const ended: number[] = [];
  const startMs = clock.nowMs();
  const told = new ToldRegistrations(clock, () => ended.push(clock.nowMs() - startMs));
  return { clock, told, ended, at: (ms: number) => startMs + ms };
}

test('contacts that were never told are news; the same again are none, in any order', () => {
  const { told, at } = create();
  const [one, two] = [binding('one', at(1000)), binding('two', at(2000))];
  assert.equal(told.differs(aor, [one]), true);
  told.note(aor, [one, two]);
  assert.equal(told.differs(aor, [two, one]), false);
  assert.equal(told.differs(aor, [one]), true);
  assert.equal(told.differs(aor, []), true);
});

test('the first contact to end is noticed, and a refresh puts it off', async () => {
  const { clock, told, ended, at } = create();
  told.note(aor, [binding('one', at(1000)), binding('two', at(5000))]);
  told.differs(aor, [binding('one', at(3000)), binding('two', at(5000))]);
  await clock.advance(2_500);
  assert.deepEqual(ended, []);
  await clock.advance(1_000);
  assert.deepEqual(ended, [3050]);
});

test('what nobody watches asks nothing; somebody who came since is not forgotten', () => {
  const watched = new Watched();
  assert.equal(watched.hasAny, false);
  assert.equal(watched.ask(aor, 'dialog'), undefined);
  watched.add(aor, 'dialog');
  const since = watched.ask(aor, 'dialog');
  assert.ok(since !== undefined);
  watched.add(aor, 'dialog');
  watched.forget(aor, 'dialog', since);
  assert.equal(watched.has(aor, 'dialog'), true);
  assert.equal(watched.has(aor, 'presence'), false);
  watched.forget(aor, 'dialog', watched.ask(aor, 'dialog') ?? 0);
  assert.equal(watched.hasAny, false);
});
