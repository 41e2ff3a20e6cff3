import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withindlg } from '../../routes/withindlg.ts';
import { refuse } from '../../src/engine/api.ts';
import { type Answers, bob, createFakeProxy, inWords, type RequestParts, requestOf } from '../support/fake-proxy.ts';

async function check(parts: RequestParts, answers: Partial<Answers>, verdict: string): Promise<void> {
  assert.equal(inWords(await withindlg(requestOf(parts), createFakeProxy(answers))), verdict);
}

const bye: RequestParts = { method: 'BYE', toTag: 'bob-tag' };
const ack: RequestParts = { method: 'ACK', toTag: 'bob-tag' };

test('a request without To tag is not of a dialog, and its token is not looked at', async () => {
  const proxy = createFakeProxy({ follow: bob });
  assert.equal(await withindlg(requestOf({ token: 'any' }), proxy), undefined);
  assert.deepEqual(proxy.asked, []);
});

test('RFC 3261 §16.12: a request of a dialog goes where its token and record say', async () => {
  await check(bye, { follow: bob }, `relay ${bob.uri}`);
  await check(ack, { follow: bob }, `relay ${bob.uri}`);
});

test('DESIGN law 10: without a valid token a To tag gains nothing: 481', async () => {
  for (const method of ['BYE', 'INVITE', 'MESSAGE', 'REGISTER', 'OPTIONS']) {
    await check({ ...bye, method }, {}, 'reply 481 no-dialog');
  }
});

test('DESIGN law 4: the other side has lost its connection: what the dialog says, 480 or 481, is the answer', async () => {
  await check(bye, { follow: refuse('flow-gone', 480) }, 'reply 480 flow-gone');
  await check(bye, { follow: refuse('no-dialog', 481) }, 'reply 481 no-dialog');
});

test('RFC 3261 §17: an ACK is never answered: it is dropped where another request would get 480 or 481', async () => {
  await check(ack, {}, 'drop no-dialog');
  await check(ack, { follow: refuse('flow-gone', 480) }, 'drop no-dialog');
});

test('an ACK without To tag belongs to nothing: dropped', async () => {
  await check({ method: 'ACK' }, { follow: bob }, 'drop no-dialog');
});

test('RFC 8840: candidates over INFO end here where rtpengine has the media; other INFO passes', async () => {
  const info: RequestParts = { method: 'INFO', toTag: 'bob-tag' };
  await check(info, { follow: bob, isTrickle: true }, 'reply 200');
  await check(info, { follow: bob }, `relay ${bob.uri}`);
  await check(info, { isTrickle: true }, 'reply 481 no-dialog');
});
