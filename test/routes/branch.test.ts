import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branch } from '../../routes/branch.ts';
import { failure } from '../../routes/failure.ts';
import { natdetect } from '../../routes/natdetect.ts';
import { reply } from '../../routes/reply.ts';
import { routes } from '../../routes/routes.ts';
import { Failure } from '../../src/errors.ts';
import { branchOf, createFakeProxy, requestOf, responseOf } from '../support/fake-proxy.ts';

test('BRANCH: what leaves is what media has made of it', async () => {
  const forwarded = requestOf({ callId: 'rewritten' }).message;
  assert.equal(await branch(branchOf(), createFakeProxy({ forwarded })), forwarded);
});

test('law 1: BRANCH fails with its media: nothing leaves with the raw SDP', async () => {
  const proxy = createFakeProxy({ forwarded: new Failure('media-none') });
  await assert.rejects(branch(branchOf(), proxy), { code: 'media-none' });
});

test('REPLY: what goes upstream is what media has made of it', async () => {
  const backward = responseOf(200);
  const answer = { branch: branchOf(), response: responseOf(183) };
  assert.equal(await reply(answer, createFakeProxy({ backward })), backward);
});

test('REPLY: with RECORD_CALLS=all the answer to a call has it recorded, and nothing else has', async () => {
  const recorded = async (status: number, request = requestOf(), recordsAll = true): Promise<boolean> => {
    const proxy = createFakeProxy({ recordsAll });
    await reply({ branch: branchOf(request), response: responseOf(status) }, proxy);
    return proxy.asked.includes('record');
  };
  assert.equal(await recorded(200), true);
  assert.equal(await recorded(183), false);
  assert.equal(await recorded(486), false);
  assert.equal(await recorded(200, requestOf({ toTag: 'bob-tag' })), false);
  assert.equal(await recorded(200, requestOf(), false), false);
});

test('law 1: REPLY fails with its media', async () => {
  const answer = { branch: branchOf(), response: responseOf(200) };
  const proxy = createFakeProxy({ backward: new Failure('media-lost') });
  await assert.rejects(reply(answer, proxy), { code: 'media-lost' });
});

test('FAILURE: no other targets are tried; the best response goes upstream', async () => {
  const proxy = createFakeProxy();
  assert.equal(await failure(requestOf(), responseOf(486), proxy), undefined);
  assert.deepEqual(proxy.asked, []);
});

test('NATDETECT notes law 4 and has no verdict', () => {
  const request = requestOf();
  assert.equal(natdetect(request, createFakeProxy({ mustUseFlow: true })), undefined);
  assert.equal(request.notes.reachByFlow, true);
});

test('the engine gets the four routes that it calls', () => {
  assert.deepEqual(Object.keys(routes).sort(), ['branch', 'failure', 'reply', 'request']);
  assert.deepEqual([routes.branch, routes.reply, routes.failure], [branch, reply, failure]);
});
