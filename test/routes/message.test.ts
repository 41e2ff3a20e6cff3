import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../../routes/failure.ts';
import { message } from '../../routes/message.ts';
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

const text: RequestParts = { method: 'MESSAGE', user: alice };

async function check(parts: RequestParts, answers: Partial<Answers>, verdict: string): Promise<void> {
  assert.equal(inWords(await message(requestOf(parts), createFakeProxy(answers))), verdict);
}

test('RFC 3428 §6: a MESSAGE goes to every contact of its recipient', async () => {
  await check(text, { targets: [bob, { uri: 'sip:bob@192.0.2.3' }] }, 'relay sip:bob@192.0.2.2:5060 sip:bob@192.0.2.3');
});

test('RFC 3428 §7: without a contact it is kept for an account of ours, and for nobody else', async () => {
  await check(text, { known: true }, 'reply 202');
  await check(text, { known: false }, 'not mine');
  await check({ ...text, uri: 'sip:dave@example.org' }, { known: true }, 'not mine');
});

test('law 10: a stranger leaves nothing in a mailbox; a trusted network may', async () => {
  await check({ method: 'MESSAGE' }, { known: true }, 'not mine');
  await check({ method: 'MESSAGE', trusted: true }, { known: true }, 'reply 202');
});

test('other methods are not kept', async () => {
  await check({ method: 'INVITE', user: alice }, { known: true }, 'not mine');
});

test('RFC 3428 §7: a MESSAGE that no device could be reached for is kept; one that a device refused is not', async () => {
  const proxy = createFakeProxy({ known: true });
  const request = requestOf(text);
  const outcome = async (status: number) => (await failure(request, responseOf(status), proxy))?.kind;
  assert.equal(await outcome(480), 'reply');
  assert.equal(await outcome(408), undefined);
  assert.equal(await outcome(603), undefined);
  assert.equal(await outcome(415), undefined);
});

test('a full mailbox does not hide why the MESSAGE failed', async () => {
  const proxy = createFakeProxy({ known: true, stored: { kind: 'reply', status: 480, code: 'mailbox-full' } });
  assert.equal(await failure(requestOf(text), responseOf(480), proxy), undefined);
});
