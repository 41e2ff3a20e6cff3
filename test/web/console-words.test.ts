/** The console's words and numbers: `web/console/words.ts`, `history.ts` and `refusals.ts`, which need no browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from '../../src/errors.ts';
import { packages } from '../../src/presence/packages.ts';
import { doorsOf } from '../../web/console/doors.ts';
import { perSecond, recentRate, remember, type Sample } from '../../web/console/history.ts';
import { refusalsOf } from '../../web/console/refusals.ts';
import {
  count,
  counted,
  duration,
  eventWord,
  rate,
  relative,
  sentenceParts,
  share,
  sipName,
  span,
} from '../../web/console/words.ts';

test('numbers with their units, thousands apart', () => {
  assert.equal(count(12_345), '12,345');
  assert.deepEqual(
    [counted(1, 'call'), counted(2, 'call'), counted(0, 'entry', 'entries')],
    ['1 call', '2 calls', '0 entries'],
  );
  assert.deepEqual([0, 0.44, 9.96, 12.4].map(rate), ['0', '0.4', '10', '12']);
});

test('a share is never rounded to all or to none', () => {
  assert.deepEqual(
    [share(0, 0), share(0, 9), share(1, 1000), share(1, 3), share(999, 1000), share(4, 4)],
    [undefined, '0 %', '< 1 %', '33 %', '> 99 %', '100 %'],
  );
});

test('an event package says what it is for; one that is not ours has its name alone', () => {
  const served: readonly string[] = Object.keys(packages);
  assert.deepEqual(
    served.filter((event) => eventWord(event) === undefined),
    [],
  );
  assert.deepEqual(
    [eventWord('dialog'), eventWord('refer'), eventWord('toString')],
    ['busy lamp', undefined, undefined],
  );
});

test('advice: what is to be typed, and an address of REST that is a view here', () => {
  assert.deepEqual(sentenceParts('See /api/v1/registrations; or run `npx viaduct doctor`.'), [
    { kind: 'text', text: 'See ' },
    { kind: 'view', text: 'Registrations', view: 'registrations' },
    { kind: 'text', text: '; or run ' },
    { kind: 'code', text: 'npx viaduct doctor' },
    { kind: 'text', text: '.' },
  ]);
  assert.deepEqual(sentenceParts('/api/v1/presence/rules'), [{ kind: 'code', text: '/api/v1/presence/rules' }]);
});

test('durations run as a clock, spans read in two units at most', () => {
  assert.deepEqual([0, 7.9, 754, 3723, -3].map(duration), ['0:00', '0:07', '12:34', '1:02:03', '0:00']);
  assert.deepEqual([40, 240, 3600, 11_520, 442_800].map(span), ['40 s', '4 min', '1 h', '3 h 12 min', '5 d 3 h']);
});

test('times are relative within a day, and dates beyond', () => {
  const nowMs = Date.parse('2030-01-02T12:00:00Z');
  const at = (seconds: number) => relative(new Date(nowMs + seconds * 1000).toISOString(), nowMs);
  assert.deepEqual([-1, -12, -600, 540].map(at), ['just now', '12 s ago', '10 min ago', 'in 9 min']);
  assert.match(at(-200_000), /31 Dec/);
  assert.match(at(-100_000_000), /Oct 2026|Nov 2026/);
});

test('a SIP name: user and host, without scheme, parameters and escapes; nothing breaks it', () => {
  assert.deepEqual(sipName('sip:alice@example.com;transport=ws'), { user: 'alice', host: 'example.com' });
  assert.deepEqual(sipName('<sips:a%20b@example.com>'), { user: 'a b', host: 'example.com' });
  assert.deepEqual(sipName('sip:%ff@x'), { user: '%ff', host: 'x' });
  assert.deepEqual(sipName('sip:10.0.0.1:5060'), { user: '10.0.0.1:5060', host: '' });
  assert.deepEqual(sipName(''), { user: '', host: '' });
});

const sample = (atMs: number, requests: number): Sample => ({
  atMs,
  requests,
  calls: 0,
  bindings: 0,
  connections: 0,
  portsUsed: 0,
  answered: 0,
  failed: 0,
});

test('a counter becomes a rate; a server that was started again leaves a gap and no negative number', () => {
  const samples = [sample(0, 10), sample(2000, 14), sample(4000, 1), sample(6000, 3)];
  assert.deepEqual(perSecond(samples, 'requests'), [
    { atMs: 2000, value: 2 },
    { atMs: 6000, value: 1 },
  ]);
  assert.equal(recentRate(samples.slice(2), 'requests'), 1);
  assert.equal(recentRate(samples, 'requests'), 0);
  assert.equal(recentRate([], 'requests'), 0);
});

test('the history is bounded, and a clock that is set back does not confuse it', () => {
  let samples: readonly Sample[] = [];
  for (let second = 0; second < 3600; second += 2) samples = remember(samples, sample(second * 1000, second));
  assert.equal(samples.length, 150);
  assert.deepEqual(remember(samples, sample(1000, 0)), [sample(1000, 0)]);
});

test('refusals in words, the most frequent first; a code that this page does not know is shown as it is', () => {
  const [first, second] = refusalsOf({ 'from-the-future': 1, 'not-registered': 4 });
  assert.equal(first?.meaning, errors['not-registered'].meaning);
  assert.deepEqual(second, { code: 'from-the-future', times: 1, meaning: 'from-the-future', nextStep: '', status: 0 });
});

test('what never became a request has words and what to do, the most frequent first', () => {
  const rows = doorsOf({ 'certificate-refused': 1, 'tls-handshake': 4, 'from-the-future': 2 });
  assert.deepEqual(
    rows.map(({ reason, times }) => [reason, times]),
    [
      ['tls-handshake', 4],
      ['from-the-future', 2],
      ['certificate-refused', 1],
    ],
  );
  for (const { meaning, nextStep } of rows) assert.ok(meaning.length > 10 && nextStep.length > 10);
});
