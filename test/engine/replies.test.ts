import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuse, reply } from '../../src/engine/api.ts';
import { responseOf } from '../../src/engine/replies.ts';
import { type ErrorCode, errors } from '../../src/errors.ts';
import { get, values } from '../../src/message/header.ts';
import { To, tagOf } from '../../src/message/headers/from-to.ts';
import { RetryAfter } from '../../src/message/headers/numbers.ts';
import { Warning } from '../../src/message/headers/text.ts';
import { requestOf } from '../support/fake-proxy.ts';

const invite = requestOf().message;
const codes = Object.keys(errors).filter((code): code is ErrorCode => code in errors);

test('a verdict without a reason is its status and headers, and explains nothing', () => {
  const response = responseOf(invite, reply(200, [['Supported', 'path']]), 'our-tag');
  assert.equal(response.startLine, 'SIP/2.0 200 OK');
  assert.deepEqual(
    response.headers.map(({ raw }) => raw).filter((raw) => raw.startsWith('Supported')),
    ['Supported: path'],
  );
  assert.deepEqual(values(response, Warning), []);
});

test('law 8: a refusal says in Warning 399 what its row means, and what is particular', () => {
  const plain = responseOf(invite, refuse('media-none', 503), 'our-tag');
  assert.deepEqual(values(plain, Warning), ['399 viaduct "No rtpengine is configured or running."']);
  const special = responseOf(invite, refuse('media-refused', 488, 'No codec in common.'), 'our-tag');
  assert.deepEqual(values(special, Warning), ['399 viaduct "rtpengine cannot use this SDP. No codec in common."']);
});

test('law 8: every row can be said in a Warning', () => {
  for (const code of codes) {
    const [warning = ''] = values(responseOf(invite, refuse(code, errors[code].status || 500), 't'), Warning);
    // RFC 5630 §5.4 has a warn-code of its own for a sips: address that leads nowhere.
    assert.match(warning, code === 'not-secured' ? /^380 viaduct "[ -~]+"$/ : /^399 viaduct "[ -~]+"$/, code);
  }
});

test('what an exception or the database said is for the log, not for the caller', () => {
  for (const code of ['internal', 'database-down', 'media-timeout'] as const) {
    const [warning] = values(responseOf(invite, refuse(code, 500, 'connect ECONNREFUSED 10.0.0.5:5432'), 't'), Warning);
    assert.equal(warning, `399 viaduct "${errors[code].meaning}"`);
  }
});

test('RFC 3261 §20.43: what others wrote cannot break out of the quoted text', () => {
  const response = responseOf(invite, refuse('media-refused', 488, 'say "hi" \\ \r\nContact: <sip:evil>'), 't');
  assert.deepEqual(values(response, Warning), [
    '399 viaduct "rtpengine cannot use this SDP. say \\"hi\\" \\\\   Contact: <sip:evil>"',
  ]);
  assert.ok(!response.headers.some(({ name }) => name === 'contact'));
});

test('RFC 3261 §20.33: Retry-After only where trying again helps', () => {
  const waits = codes.flatMap((code) => {
    const seconds = get(responseOf(invite, refuse(code, 503), 't'), RetryAfter);
    return seconds === undefined ? [] : [[code, seconds] as const];
  });
  assert.deepEqual(Object.fromEntries(waits), {
    'database-down': 5,
    overloaded: 5,
    'shutting-down': 10,
    'foreign-rate': 60,
    'token-keys-missing': 30,
  });
});

test('RFC 3261 §8.2.6.2: To gets our tag, unless it has one', () => {
  assert.equal(tagOf(get(responseOf(invite, reply(404), 'our-tag'), To)), 'our-tag');
  const inDialog = requestOf({ method: 'BYE', toTag: 'bob-tag' }).message;
  assert.equal(tagOf(get(responseOf(inDialog, reply(481), 'our-tag'), To)), 'bob-tag');
});
