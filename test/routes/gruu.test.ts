import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../routes/failure.ts';
import { gruu } from '../../routes/gruu.ts';
import {
  type Answers,
  alice,
  bob,
  createFakeProxy,
  inWords,
  type RequestParts,
  requestOf,
  responseOf,
} from '../support/fake-proxy.ts';

const desk = 'sip:bob@example.com;gr=urn:uuid:1';
const temporary = 'sip:VGVtcG9yYXJ5@example.com;gr';
const call: RequestParts = { uri: desk, user: alice };

async function check(parts: RequestParts, answers: Partial<Answers>, verdict: string): Promise<void> {
  assert.equal(inWords(await gruu(requestOf({ ...call, ...parts }), createFakeProxy(answers))), verdict);
}

const there: Partial<Answers> = { targets: [bob] };
const rings = `relay ${bob.uri}`;

describe('RFC 5627 §6.1: a request for one device', () => {
  test('goes to that device, whatever it is', async () => {
    for (const method of ['INVITE', 'MESSAGE', 'OPTIONS', 'SUBSCRIBE', 'REFER', 'INFO']) {
      await check({ method }, there, rings);
    }
  });

  test('an address of an account is not its matter, nor is what no device does', async () => {
    await check({ uri: 'sip:bob@example.com' }, there, 'not mine');
    await check({ method: 'REGISTER' }, there, 'not mine');
    await check({ method: 'PUBLISH' }, there, 'not mine');
  });

  test('a device that is not there: 480 where the account exists; 404 for a temporary GRUU, which ends with it', async () => {
    await check({}, { known: true }, 'reply 480 not-registered');
    await check({}, { known: false }, 'reply 404 not-found');
    await check({ uri: temporary }, { known: true }, 'reply 404 gruu-unknown');
  });

  test('DESIGN law 10: a stranger does not learn from it which accounts exist', async () => {
    const stranger = requestOf({ uri: desk });
    const verdict = await gruu(stranger, createFakeProxy({ known: false }));
    assert.equal(inWords(verdict), 'reply 480 not-registered');
  });
});

describe('what its account wants', () => {
  test('not to be disturbed: 480, but not for a call that takes the place of one (RFC 3891)', async () => {
    const quiet: Partial<Answers> = { ...there, calls: { [desk]: { doNotDisturb: true } } };
    await check({}, quiet, 'reply 480 do-not-disturb');
    await check({ headers: [['Replaces', 'c;to-tag=1;from-tag=2']] }, quiet, rings);
    await check({ method: 'MESSAGE' }, quiet, rings);
  });

  test('no more calls than it may have: 486', async () => {
    await check({}, { ...there, known: true, admitsCallee: false }, 'reply 486 callee-call-limit');
    await check({ method: 'OPTIONS' }, { ...there, known: true, admitsCallee: false }, rings);
  });

  test('no forwarding takes a call from its device, neither at once nor when it fails', async () => {
    const calls = { [desk]: { forwardAlways: 'sip:carol@example.com', voicemail: 'sip:vm@example.com' } };
    const proxy = createFakeProxy({ ...there, calls });
    const request = requestOf(call);
    assert.equal(inWords(await gruu(request, proxy)), rings);
    for (const status of [486, 480, 408]) assert.equal(await failure(request, responseOf(status), proxy), undefined);
  });

  test('it rings as long as the account says', async () => {
    const proxy = createFakeProxy({ ...there, calls: { [desk]: { ringSeconds: 7 } } });
    const verdict = await gruu(requestOf(call), proxy);
    assert.ok(verdict?.kind === 'relay');
    assert.equal(verdict.ringMs, 7_000);
  });

  test('a MESSAGE that its device could not take is not kept for another one', async () => {
    const proxy = createFakeProxy({ known: true });
    const request = requestOf({ ...call, method: 'MESSAGE' });
    assert.equal(await failure(request, responseOf(480), proxy), undefined);
    assert.ok(!proxy.asked.includes('store'));
  });
});
