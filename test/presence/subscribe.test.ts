import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRequest, type Field } from '../../src/message/build.ts';
import { get, values } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { Event, SubscriptionState } from '../../src/message/headers/event.ts';
import { From, To, tagOf } from '../../src/message/headers/from-to.ts';
import { Route } from '../../src/message/headers/route.ts';
import type { SipRequest } from '../../src/message/message.ts';
import { decideWatch, type WatchQuestion } from '../../src/presence/authorize.ts';
import { asOf, endsSubscription, notifyFor } from '../../src/presence/notify.ts';
import { planResubscribe, planSubscribe, resourceOf, type SubscribePlan } from '../../src/presence/subscribe.ts';

const alice = 'sip:alice@example.com';
const bob = 'sip:bob@example.com';
const place = { flowId: 'c1-1', listener: 2, node: 'n1', boot: 'b1' };
const context = { ...place, id: 'ours', resource: bob, watcher: alice, nowMs: 1_000_000 };

interface Parts {
  readonly headers?: readonly Field[];
  readonly event?: string | undefined;
  readonly expires?: string;
  readonly contact?: string | undefined;
  readonly cseq?: number;
  readonly toTag?: string;
  readonly fromTag?: string;
}

function subscribe(parts: Parts = {}): SipRequest {
  const { headers = [], event = 'presence', expires, cseq = 1, toTag, fromTag = 'a' } = parts;
  const contact = 'contact' in parts ? parts.contact : '<sip:alice@192.0.2.1>';
  return createRequest({
    method: 'SUBSCRIBE',
    uri: bob,
    from: `<${alice}>;tag=${fromTag}`,
    to: `<${bob}>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    callId: 'call',
    cseq,
    headers: [
      ...(event === '' ? [] : [['Event', event] as const]),
      ...(expires === undefined ? [] : [['Expires', expires] as const]),
      ...(contact === undefined ? [] : [['Contact', contact] as const]),
      ...headers,
    ],
  });
}

function planned(request: SipRequest): SubscribePlan {
  const plan = planSubscribe(request, context);
  assert.ok('subscription' in plan);
  return plan;
}

function refusal(request: SipRequest): string {
  const plan = planSubscribe(request, context);
  assert.ok('refuse' in plan);
  const { status, headers = [] } = plan.refuse;
  return [status, ...headers.map(([name, text]) => `${name}: ${text}`)].join(' ');
}

describe('RFC 6665 §4.2.1: SUBSCRIBE outside a dialog', () => {
  test('the dialog is kept as the callee has it, Record-Routes in their order (RFC 3261 §12.1.1)', () => {
    const { subscription, seconds } = planned(
      subscribe({
        event: 'dialog;id=7',
        headers: [
          ['Record-Route', '<sip:near.example;lr>, <sip:far.example;lr>'],
          ['Accept', 'application/dialog-info+xml'],
        ],
      }),
    );
    assert.deepEqual(subscription, {
      ...place,
      id: 'ours',
      event: 'dialog',
      eventId: '7',
      resource: bob,
      watcher: alice,
      state: 'active',
      reason: undefined,
      createdAtMs: 1_000_000,
      expiresAtMs: 1_000_000 + 3_600_000,
      callId: 'call',
      remoteTag: 'a',
      localUri: bob,
      remoteUri: alice,
      remoteTarget: 'sip:alice@192.0.2.1',
      routeSet: ['sip:near.example;lr', 'sip:far.example;lr'],
      remoteCseq: 1,
      cseq: 0,
      version: -1,
    });
    assert.equal(seconds, 3600);
  });

  test('§4.2.1.1: the time is shortened, never lengthened; too short is 423 with Min-Expires; 0 is one look', () => {
    assert.equal(planned(subscribe({ expires: '99999999' })).seconds, 7200);
    assert.equal(planned(subscribe({ expires: '60' })).seconds, 60);
    assert.equal(refusal(subscribe({ expires: '59' })), '423 Min-Expires: 60');
    const { subscription } = planned(subscribe({ expires: '0' }));
    assert.deepEqual([subscription.state, subscription.reason], ['terminated', 'timeout']);
  });

  test('§8.3.2: an unknown or missing package is 489 with those that are served', () => {
    const served = '489 Allow-Events: presence, presence.winfo, dialog, reg, message-summary';
    assert.equal(refusal(subscribe({ event: 'conference' })), served);
    assert.equal(refusal(subscribe({ event: '' })), served);
  });

  test('RFC 3261 §8.2.3: an Accept without the type of the package is 406; wildcards take it', () => {
    const accept = (text: string) => subscribe({ headers: [['Accept', text]] });
    assert.equal(refusal(accept('text/plain')), '406 Accept: application/pidf+xml');
    for (const text of ['*/*', 'application/*', 'text/plain, application/PIDF+xml;q=0.5']) planned(accept(text));
  });

  test('without a Contact or a From tag there is no dialog: 400', () => {
    assert.equal(refusal(subscribe({ contact: undefined })), '400');
    assert.equal(refusal(subscribe({ contact: '*' })), '400');
  });

  test('the resource is the Request-URI, canonical; a server is none', () => {
    assert.equal(resourceOf({ ...subscribe(), uri: 'sip:b%6fb@EXAMPLE.com;user=phone' }), bob);
    assert.equal(resourceOf({ ...subscribe(), uri: 'sip:example.com' }), undefined);
    assert.equal(resourceOf({ ...subscribe(), uri: 'tel:+49' }), undefined);
  });
});

describe('RFC 6665 §4.2.1.2: SUBSCRIBE within its dialog', () => {
  const held = planned(subscribe()).subscription;
  const here = { flowId: 'c1-2', listener: 2, node: 'n2', boot: 'b2', nowMs: 2_000_000 };

  function outcome(parts: Parts, of = held): string {
    const plan = planResubscribe(subscribe({ toTag: 'ours', cseq: 2, ...parts }), of, here);
    return 'refuse' in plan ? `${plan.refuse.status}` : plan.subscription.state;
  }

  test('a refresh moves its end, its flow and its Contact, and keeps what rules decided', () => {
    const request = subscribe({ toTag: 'ours', cseq: 2, expires: '600', contact: '<sip:alice@192.0.2.9>' });
    const plan = planResubscribe(request, { ...held, state: 'pending', cseq: 5 }, here);
    assert.ok('subscription' in plan);
    const { state, expiresAtMs, flowId, node, remoteTarget, remoteCseq, cseq } = plan.subscription;
    assert.deepEqual(
      [state, expiresAtMs, flowId, node, remoteTarget, remoteCseq, cseq],
      ['pending', 2_600_000, 'c1-2', 'n2', 'sip:alice@192.0.2.9', 2, 5],
    );
  });

  test('`Expires: 0` ends it; another dialog, another package or one that has ended is 481', () => {
    assert.equal(outcome({ expires: '0' }), 'terminated');
    assert.equal(outcome({ fromTag: 'somebody' }), '481');
    assert.equal(outcome({ event: 'reg' }), '481');
    assert.equal(outcome({ event: 'presence;id=2' }), '481');
    assert.equal(outcome({}, { ...held, state: 'terminated' }), '481');
  });

  test('RFC 3261 §12.2.2: a CSeq that is not higher is 500', () => {
    assert.equal(outcome({ cseq: 1 }), '500');
  });
});

describe('RFC 6665 §4.2.2: NOTIFY', () => {
  const via = { transport: 'UDP', host: '192.0.2.100', port: 5060, params: [['branch', 'z9hG4bK1']] } as const;
  const parts = { via, contact: 'sip:192.0.2.100:5060', nowMs: 1_600_000, body: '<presence/>' };
  const { subscription } = planned(subscribe({ event: 'presence;id=7' }));

  test('it carries the dialog, the event with its id and the state with the time that is left', () => {
    const notify = notifyFor({ ...subscription, cseq: 3 }, parts);
    assert.equal(notify.startLine, 'NOTIFY sip:alice@192.0.2.1 SIP/2.0');
    assert.deepEqual([get(notify, From)?.uri, tagOf(get(notify, From))], [bob, 'ours']);
    assert.deepEqual([get(notify, To)?.uri, tagOf(get(notify, To))], [alice, 'a']);
    assert.deepEqual(values(notify, Event), ['presence;id=7']);
    assert.deepEqual(values(notify, SubscriptionState), ['active;expires=3000']);
    assert.deepEqual(values(notify, Contact), ['<sip:192.0.2.100:5060>']);
  });

  test('RFC 3261 §12.2.1.1: a strict router takes the Request-URI, a loose one a Route', () => {
    const loose = notifyFor({ ...subscription, routeSet: ['sip:a;lr', 'sip:b;lr'] }, parts);
    assert.deepEqual([loose.uri, values(loose, Route)], ['sip:alice@192.0.2.1', ['<sip:a;lr>', '<sip:b;lr>']]);
    const strict = notifyFor({ ...subscription, routeSet: ['sip:a', 'sip:b;lr'] }, parts);
    assert.deepEqual([strict.uri, values(strict, Route)], ['sip:a', ['<sip:b;lr>', '<sip:alice@192.0.2.1>']]);
  });

  test('a subscription whose time is over is terminated with the reason `timeout`', () => {
    const late = asOf(subscription, subscription.expiresAtMs);
    assert.deepEqual(values(notifyFor(late, parts), SubscriptionState), ['terminated;reason=timeout']);
    assert.equal(asOf(subscription, subscription.expiresAtMs - 1), subscription);
  });

  test('RFC 5057 §5.1: which answers end the subscription, and which leave it', () => {
    for (const status of [404, 408, 410, 480, 481, 489, 501, 604]) assert.ok(endsSubscription(status), `${status}`);
    for (const status of [200, 202, 400, 401, 403, 407, 500, 503, 603])
      assert.ok(!endsSubscription(status), `${status}`);
  });
});

test('RFC 3856 §6.6.2, RFC 5025 §3.2.1: who may watch', () => {
  const check = (expected: string, change: Partial<WatchQuestion>): void => {
    const question = { event: 'presence', resource: bob, watcher: alice, rule: undefined, otherwise: 'open' } as const;
    assert.equal(decideWatch({ ...question, ...change }), expected, JSON.stringify(change));
  };
  check('active', {});
  check('pending', { otherwise: 'confirm' });
  check('active', { otherwise: 'confirm', rule: 'allow' });
  check('refused', { rule: 'block' });
  check('polite', { rule: 'polite-block' });
  check('active', { rule: 'block', watcher: bob });
  check('pending', { event: 'dialog', otherwise: 'confirm' });
  for (const event of ['reg', 'message-summary', 'presence.winfo'] as const) {
    check('refused', { event, rule: 'allow' });
    check('active', { event, watcher: bob, otherwise: 'confirm' });
  }
});
