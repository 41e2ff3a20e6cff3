import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reply } from '../../src/engine/api.ts';
import { get, values } from '../../src/message/header.ts';
import { Route } from '../../src/message/headers/route.ts';
import { Via } from '../../src/message/headers/via.ts';
import { param } from '../../src/message/params.ts';
import { loopHash } from '../../src/proxy/loop.ts';
import { settle } from '../support/clock.ts';
import { phoneOffer } from '../support/sdp.ts';
import { asRoute, createStage, flow, textOf } from './stage.ts';

const firstLine = (text: string): string => text.split('\r\n')[0] ?? '';

test('law 9: with 20,000 transactions in progress the next request is told to try again: 503 with Retry-After', async () => {
  const { engine, sent } = await createStage(() => new Promise(() => undefined));
  for (let index = 0; index < 20_000; index++) engine.message(textOf({ method: 'MESSAGE' }, `z9hG4bK${index}`), flow);
  assert.deepEqual(sent, []);
  for (const method of ['OPTIONS', 'INVITE']) {
    engine.message(textOf({ method }, `z9hG4bK${method}`), flow);
    const response = sent.pop() ?? '';
    assert.match(response, /^SIP\/2\.0 503 .*\r\nWarning: 399 .*\r\nRetry-After: 5\r\n/s, method);
    assert.match(response, new RegExp(`\r\nCSeq: 1 ${method}\r\n`));
  }
  engine.message(textOf({ method: 'CANCEL' }, 'z9hG4bKcancel'), flow);
  assert.match(sent.pop() ?? '', /^SIP\/2\.0 481 /, 'a CANCEL makes room, and is not refused for want of it');
  engine.message(textOf({ method: 'ACK' }, 'z9hG4bKack'), flow);
  assert.deepEqual(sent, [], 'an ACK is not answered');
});

test('law 8: a route that throws is a 500 for its request, and the next request is served', async () => {
  let calls = 0;
  const { engine, sent } = await createStage(async () => {
    if (++calls === 1) throw new TypeError('a bug');
    return reply(200);
  });
  engine.message(textOf({ method: 'MESSAGE' }, 'z9hG4bKone'), flow);
  engine.message(textOf({ method: 'MESSAGE' }, 'z9hG4bKtwo'), flow);
  await settle();
  assert.deepEqual(sent.map(firstLine).sort(), ['SIP/2.0 200 OK', 'SIP/2.0 500 Server Internal Error']);
});

test('a bug does not tell the caller about our inside', async () => {
  const { engine, sent } = await createStage(async () => {
    throw new TypeError("Cannot read properties of undefined (reading 'secretField')");
  });
  engine.message(textOf({ method: 'MESSAGE' }), flow);
  await settle();
  assert.doesNotMatch(sent.join(), /secretField/);
});

test('a proxy that stops refuses what begins something new, and lets dialogs go on', async () => {
  const { engine, sent } = await createStage(async () => reply(200));
  engine.stop();
  engine.message(textOf({ method: 'MESSAGE' }, 'z9hG4bKone'), flow);
  engine.message(textOf({ method: 'BYE', toTag: 'bob-tag' }, 'z9hG4bKtwo'), flow);
  await settle();
  assert.deepEqual(sent.map(firstLine).sort(), ['SIP/2.0 200 OK', 'SIP/2.0 503 Service Unavailable']);
});

describe('what a route sees of a request', () => {
  test('RFC 3261 §18.2.1: received stands on its top Via', async () => {
    const { request } = await asRoute(textOf({}).replace('TCP 192.0.2.1', 'TCP phone.local'));
    assert.equal(param(get(request.message, Via)?.params ?? [], 'received'), '192.0.2.1');
  });

  test('RFC 3261 §16.4: our own Route is taken off; its user part is the token', async () => {
    const route = ['<sip:TOKEN@192.0.2.100:5060;lr>', '<sip:later;lr>'];
    const { request } = await asRoute(textOf({ route }));
    assert.deepEqual([request.token, values(request.message, Route)], ['TOKEN', ['<sip:later;lr>']]);
  });

  test('RFC 5393 §4.2: the loop hash is that of the request as it was received', async () => {
    const { request } = await asRoute(textOf({ route: ['<sip:192.0.2.100:5060;lr>'] }));
    assert.notEqual(request.loopHash, loopHash(request.message));
  });

  test('RFC 3261 §12.2: a To tag makes it one of a dialog', async () => {
    assert.equal((await asRoute(textOf({}))).request.inDialog, false);
    assert.equal((await asRoute(textOf({ toTag: 'bob-tag' }))).request.inDialog, true);
  });

  test('law 2: its sender’s media is what his SDP says, else what his transport suggests', async () => {
    const offer = phoneOffer('alice');
    const withSdp = textOf({ headers: [['Content-Type', 'application/sdp']] })
      .replace('Content-Length: 0', `Content-Length: ${offer.length}`)
      .concat(offer);
    assert.equal((await asRoute(withSdp)).request.media, 'rtp');
    const stage = await createStage(async (request) => reply(request.media === 'webrtc' ? 200 : 500));
    stage.engine.message(textOf({ method: 'MESSAGE' }), { ...flow, transport: 'wss' });
    await settle();
    assert.deepEqual(stage.sent.map(firstLine), ['SIP/2.0 200 OK']);
  });

  test('law 10: whether it came from a TRUSTED network', async () => {
    const isTrusted = (address: string): boolean => address === '10.0.0.1';
    assert.equal((await asRoute(textOf({}), { isTrusted })).request.trusted, false);
    assert.equal((await asRoute(textOf({}), { isTrusted: () => true })).request.trusted, true);
  });
});

describe('what cannot be read', async () => {
  test('RFC 3261 §16.3 step 1: a request whose sender is known is answered 400, with what is wrong', async () => {
    const { engine, sent } = await createStage(async () => reply(200));
    engine.message(textOf({}).replace('CSeq: 1 INVITE', 'CSeq: one INVITE'), flow);
    assert.match(sent.join(), /^SIP\/2\.0 400 Bad Request \(.+\)\r\n/);
    assert.match(sent.join(), /\r\nWarning: 399 viaduct "The message breaks the SIP grammar\./);
  });

  test('RFC 3261 §21.5.6: another version than SIP/2.0 is refused with 505, and counted as that', async () => {
    const { engine, sent } = await createStage(async () => reply(200));
    engine.message(textOf({}).replace(' SIP/2.0', ' SIP/7.0'), flow);
    assert.match(sent.join(), /^SIP\/2\.0 505 Version Not Supported\r\n/);
    assert.deepEqual((await engine.operations.statistics()).refusals, { 'unsupported-version': 1 });
  });

  test('an ACK, a response and bytes that are no message are answered with silence, and counted', async () => {
    const { engine, sent } = await createStage(async () => reply(200));
    engine.message(textOf({ method: 'ACK' }).replace('CSeq: 1 ACK', 'CSeq: one ACK'), flow);
    engine.message('SIP/2.0 200\r\n\r\n', flow);
    engine.message('\0\x01\x02', flow);
    assert.deepEqual(sent, []);
    const { messages } = await engine.operations.statistics();
    assert.deepEqual(messages.dropped, { malformed: 3 });
  });
});
