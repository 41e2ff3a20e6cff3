import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuse, reply } from '../../../src/engine/api.ts';
import { RefusalLog } from '../../../src/engine/statistics/refusal-log.ts';
import { errors } from '../../../src/errors.ts';
import { createClock } from '../../support/clock.ts';
import { requestOf } from '../../support/fake-proxy.ts';

interface Line {
  readonly level: string;
  readonly fields: object;
  readonly text: string;
}

function create() {
  const clock = createClock();
  const lines: Line[] = [];
  const write =
    (level: string) =>
    (fields: object, text: string): void => {
      lines.push({ level, fields, text });
    };
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  return { clock, lines, refusals: new RefusalLog(clock, log) };
}

test('DESIGN law 8: a refusal is one line with Call-ID, code and what the operator does next', () => {
  const { lines, refusals } = create();
  refusals.note(requestOf({ callId: 'c1' }), refuse('no-relay', 403, 'sip:x@example.net'));
  const { meaning, nextStep } = errors['no-relay'];
  assert.deepEqual(lines, [
    {
      level: 'info',
      fields: {
        callId: 'c1',
        method: 'INVITE',
        from: '192.0.2.1',
        status: 403,
        code: 'no-relay',
        nextStep,
        detail: 'sip:x@example.net',
      },
      text: meaning,
    },
  ]);
});

test('a fault of ours or of a neighbour is a warning; a challenge and a bug, which was logged before, are no lines', () => {
  const { lines, refusals } = create();
  for (const answer of [refuse('database-down', 503), reply(407), refuse('internal', 500)]) {
    refusals.note(requestOf(), answer);
  }
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn'],
  );
});

test('law 9: a scanner fills no log and hides no other refusal; what was left out is counted', async () => {
  const { clock, lines, refusals } = create();
  for (let count = 0; count < 1000; count++) refusals.note(requestOf(), refuse('foreign-caller', 403));
  assert.equal(lines.length, 10);
  refusals.note(requestOf(), refuse('no-dialog', 481));
  assert.equal(lines.length, 11);
  await clock.advance(1000);
  refusals.note(requestOf(), refuse('foreign-caller', 403));
  assert.equal(Reflect.get(lines.at(-1)?.fields ?? {}, 'leftOut'), 990);
});
