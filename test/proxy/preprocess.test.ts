import assert from 'node:assert/strict';
import { test } from 'node:test';
import { values } from '../../src/message/header.ts';
import { Route } from '../../src/message/headers/route.ts';
import type { SipRequest } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { preprocess } from '../../src/proxy/preprocess.ts';

function request(uri: string, ...routes: readonly string[]): SipRequest {
  const message = parseMessage(
    [
      `BYE ${uri} SIP/2.0`,
      'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
      ...routes.map((route) => `Route: ${route}`),
      'From: <sip:alice@example.com>;tag=a',
      'To: <sip:bob@example.com>;tag=b',
      'Call-ID: call-1',
      'CSeq: 1 BYE',
      '\r\n',
    ].join('\r\n'),
  );
  assert.ok(message.kind === 'request', JSON.stringify(message));
  return message;
}

interface Outcome {
  readonly uri: string;
  readonly routes: readonly string[];
  readonly token: string | undefined;
}

function check(received: SipRequest, expected: Outcome): void {
  const { request, token } = preprocess(received, ({ host }) => host === 'us' || host === 'example.com');
  assert.deepEqual({ uri: request.uri, routes: values(request, Route), token }, expected);
}

const bob = 'sip:bob@192.0.2.2';

test('RFC 3261 §16.4: the topmost Route is taken off when it is ours, and its user part is the token', () =>
  check(request(bob, '<sip:TOKEN@us;lr>, <sip:later;lr>'), { uri: bob, routes: ['<sip:later;lr>'], token: 'TOKEN' }));

test('RFC 3261 §16.4: a Route of others stays, one of ours beneath it too', () => {
  const routes = ['<sip:edge;lr>', '<sip:TOKEN@us;lr>'];
  check(request(bob, ...routes), { uri: bob, routes, token: undefined });
});

test('RFC 3261 §16.4: nothing to do without a Route', () => {
  check(request(bob), { uri: bob, routes: [], token: undefined });
});

test('a preloaded Route of ours, as softphones write their outbound proxy, brings no token', () => {
  check(request(bob, '<sip:us;lr>'), { uri: bob, routes: [], token: undefined });
  check(request(bob, '<sip:TOKEN@us>'), { uri: bob, routes: [], token: undefined });
});

test('RFC 3261 §16.4: an outbound proxy value of ours above the token goes with it, and with its pair', () => {
  const [later, pair] = ['<sip:later;lr>', '<sip:TOKEN@us;transport=ws;lr>'];
  const expected = { uri: bob, routes: [later], token: 'TOKEN' };
  check(request(bob, '<sip:us;lr>, <sip:TOKEN@us;lr>', later), expected);
  check(request(bob, '<sip:us;lr>', '<sip:us;lr>', pair, '<sip:TOKEN@us;lr>', later), expected);
  const behind = [later, '<sip:TOKEN@us;lr>'];
  check(request(bob, '<sip:us;lr>', ...behind), { uri: bob, routes: behind, token: undefined });
});

test('RFC 5658 §5: both values of ours with one token are one visit', () => {
  check(request(bob, '<sip:TOKEN@us;transport=ws;lr>', '<sip:TOKEN@us;lr>', '<sip:later;lr>'), {
    uri: bob,
    routes: ['<sip:later;lr>'],
    token: 'TOKEN',
  });
});

test('RFC 3261 §16.6: two values of ours with different tokens are two visits of a spiral: one at a time', () => {
  const second = '<sip:OTHER@us;lr>';
  check(request(bob, '<sip:TOKEN@us;lr>', second), { uri: bob, routes: [second], token: 'TOKEN' });
  check(request(bob, '<sip:us;lr>', '<sip:us;lr>'), { uri: bob, routes: ['<sip:us;lr>'], token: undefined });
});

test('the token of another proxy is not ours, however alike it looks', () => {
  const routes = ['<sip:TOKEN@them;lr>'];
  check(request(bob, ...routes), { uri: bob, routes, token: undefined });
});

test('RFC 3261 §16.4: a strict router put our Record-Route into the Request-URI: the last Route is the real one', () => {
  check(request('sip:TOKEN@us;lr', '<sip:later;lr>', `<${bob}>`), {
    uri: bob,
    routes: ['<sip:later;lr>'],
    token: 'TOKEN',
  });
  check(request('sip:TOKEN@us;lr', `<${bob}>`), { uri: bob, routes: [], token: 'TOKEN' });
});

test('RFC 3261 §16.4, RFC 5658: a strict router leaves the other half of our pair on top: it goes with it', () => {
  check(request('sip:TOKEN@us;transport=tcp;lr', '<sip:TOKEN@us;lr>', `<${bob}>`), {
    uri: bob,
    routes: [],
    token: 'TOKEN',
  });
});

test('a Request-URI of ours is no Record-Route of ours without `lr`, without user, or without a Route', () => {
  const routes = ['<sip:later;lr>'];
  for (const uri of ['sip:bob@example.com', 'sip:us;lr'])
    check(request(uri, ...routes), { uri, routes, token: undefined });
  check(request('sip:TOKEN@us;lr'), { uri: 'sip:TOKEN@us;lr', routes: [], token: undefined });
});

test('a Request-URI of another scheme, or a Route that is no SIP URI, is let through for the routes to judge', () => {
  check(request('tel:+4930', '<sip:us;lr>'), { uri: 'tel:+4930', routes: [], token: undefined });
  check(request(bob, '<tel:+4930>'), { uri: bob, routes: ['<tel:+4930>'], token: undefined });
});
