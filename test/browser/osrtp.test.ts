/**
 * OSRTP (RFC 8643) with real telephones: one that encrypts if it can, one that must, and one that cannot, which nothing of
 * it may put off. Each hears the other; whether a side is encrypted says rtpengine, by what its telephone has negotiated.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Value } from 'typebox/value';
import { CallsBody, ExplanationBody } from '../../routes/http/schemas.ts';
import type { Baresip, BaresipOptions } from '../support/baresip.ts';
import type { Scope } from '../support/process.ts';
import { createSuite } from '../support/suite.ts';
import { assertHear, PAGE_HZ, PHONE_HZ } from './hearing.ts';
import { type Office, openOffice } from './office.ts';

type Encryption = BaresipOptions['encryption'];
type Options = Partial<Pick<BaresipOptions, 'transport' | 'encryption'>>;

const suite = createSuite();
let office: Office;

before(async () => {
  office = await openOffice(suite);
});

after(() => suite.end());

afterEach(() => office.assertMediaReleased());

const alice = (scope: Scope, options: Options = {}): Promise<Baresip> =>
  office.softphone(scope, { ...options, user: 'alice', toneHz: PAGE_HZ });
const bob = (scope: Scope, options: Options = {}): Promise<Baresip> =>
  office.softphone(scope, { ...options, toneHz: PHONE_HZ });

/** SRTP of the caller and of the callee, as it is explained while they talk. */
async function encrypted(): Promise<readonly (string | undefined)[]> {
  const calls: unknown = await (await fetch(`${office.http}/api/v1/calls?state=answered`)).json();
  assert.ok(Value.Check(CallsBody, calls));
  const [call] = calls.items;
  const told: unknown = await (await fetch(`${office.http}/api/v1/calls/${call?.id}/explain`)).json();
  assert.ok(Value.Check(ExplanationBody, told), JSON.stringify(told));
  return told.legs.map(({ media }) => media?.srtp);
}

async function talk(caller: Baresip, callee: Baresip, to: 'alice' | 'bob'): Promise<readonly (string | undefined)[]> {
  const [saysPage, saysPhone] = to === 'bob' ? [caller, callee] : [callee, caller];
  await caller.dial(`sip:${to}@${office.domain}`);
  await callee.expect('CALL_INCOMING');
  await callee.answer();
  await caller.expect('CALL_ESTABLISHED');
  await assertHear(saysPage, saysPhone);
  const sides = await encrypted();
  await callee.hold();
  await callee.resume();
  await assertHear(saysPage, saysPhone);
  await caller.hangUp();
  await callee.expect('CALL_CLOSED');
  return sides;
}

describe('a telephone that encrypts if it can', () => {
  test('calls one that cannot, is called back over UDP by what it said, and encrypts its side both times', async (t) => {
    const [one, other] = [await alice(t, { encryption: 'srtp' }), await bob(t)];
    assert.deepEqual(await talk(one, other, 'bob'), ['SDES', 'off']);
    assert.deepEqual(await talk(other, one, 'alice'), ['off', 'SDES']);
  });

  test('calls another of its kind over UDP, of which nothing is known: only its own side is encrypted, then both', async (t) => {
    const [one, other] = [await alice(t, { encryption: 'srtp' }), await bob(t, { encryption: 'srtp' })];
    assert.deepEqual(await talk(one, other, 'bob'), ['SDES', 'off']);
    assert.deepEqual(await talk(other, one, 'alice'), ['SDES', 'SDES']);
  });
});

describe('a telephone over TLS, of which nothing is known', () => {
  for (const [encryption, is] of [
    ['srtp', 'SDES'],
    ['srtp-mand', 'SDES'],
    [undefined, 'off'],
  ] as const satisfies readonly (readonly [Encryption, string])[]) {
    test(`set to ${encryption ?? 'no encryption'}: it is called, twice, and each hears the other: ${is}`, async (t) => {
      const other = await bob(t, { transport: 'tls', ...(encryption === undefined ? {} : { encryption }) });
      const one = await alice(t);
      assert.deepEqual(await talk(one, other, 'bob'), ['off', is]);
      assert.deepEqual(await talk(one, other, 'bob'), ['off', is]);
    });
  }
});
