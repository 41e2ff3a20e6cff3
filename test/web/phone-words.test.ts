/** The words of `web/phone/`: reasons.ts, account.ts and state.ts, which need no browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from '../../src/errors.ts';
import { accountOf, accountOfFragment } from '../../web/phone/account.ts';
import {
  type Ending,
  explainConnection,
  explainEnding,
  explainLostRinging,
  explainMicrophone,
  explainRegistration,
  explainTalking,
  isWorthRetrying,
  reasonOf,
  warningText,
} from '../../web/phone/reasons.ts';
import { duration } from '../../web/phone/state.ts';

function titleOf(ending: Partial<Ending>): string | undefined {
  return explainEnding({ peer: 'bob', cause: 'SIP Failure Code', byUs: false, ...ending })?.title;
}

test('a refused call: the status in words', () => {
  const words: readonly (readonly [number, RegExp])[] = [
    [403, /may not call bob/],
    [404, /bob was not found/],
    [408, /bob did not answer/],
    [480, /bob is not available/],
    [486, /bob is busy/],
    [488, /cannot talk with this browser/],
    [503, /cannot make calls/],
    [600, /busy everywhere/],
    [603, /bob declined/],
  ];
  for (const [status, title] of words) assert.match(titleOf({ status }) ?? '', title);
});

test('a status without words of its own speaks as the x00 of its class, and any other still says something', () => {
  assert.equal(titleOf({ status: 580 }), titleOf({ status: 500 }));
  assert.match(titleOf({ status: 302 }) ?? '', /could not be reached/);
});

test('what Viaduct warns says more than the status', () => {
  const warned = (code: keyof typeof errors) => titleOf({ status: errors[code].status, warning: errors[code].meaning });
  assert.equal(warned('not-registered'), 'bob is not registered right now');
  assert.equal(warned('flow-gone'), 'bob has just lost the connection');
  assert.equal(warned('media-none'), 'The server has no media relay');
  assert.equal(warned('media-down'), 'The media relay does not answer');
  assert.equal(warned('database-down'), 'The server’s database does not answer');
});

test('a warning nobody foresaw is the next step itself', () => {
  const words = explainEnding({ peer: 'bob', cause: '', byUs: false, status: 403, warning: 'Only on weekdays.' });
  assert.deepEqual(words, { title: 'You may not call bob', next: 'Only on weekdays.', technical: '403' });
});

test('who hung up, cancelled or declined needs no word; who missed a call gets one', () => {
  assert.equal(titleOf({ cause: 'Terminated' }), undefined);
  assert.equal(titleOf({ cause: 'Terminated', byUs: true }), undefined);
  assert.equal(titleOf({ cause: 'Canceled', byUs: true }), undefined);
  assert.equal(titleOf({ cause: 'Rejected', byUs: true }), undefined);
  assert.equal(titleOf({ cause: 'Canceled' }), 'Missed call from bob');
});

test('RFC 3326: the Reason of a CANCEL or BYE is read', () => {
  const elsewhere = reasonOf('SIP;cause=200;text="Call completed elsewhere"');
  assert.equal(titleOf({ cause: 'Canceled', reason: elsewhere }), 'Answered on another phone');
  const lost = reasonOf(`SIP ;cause=503 ;text="${errors['media-down'].meaning}"`);
  assert.equal(titleOf({ cause: 'Terminated', reason: lost }), 'The media relay does not answer');
  for (const code of ['ended-while-away', 'call-forgotten'] as const) {
    const { status, meaning } = errors[code];
    const late = reasonOf(`SIP;cause=${status};text="${meaning}"`);
    assert.equal(titleOf({ cause: 'Terminated', reason: late }), 'The call with bob has ended');
  }
  assert.equal(titleOf({ cause: 'Terminated', reason: reasonOf('SIP;text="bye"') }), undefined);
  assert.equal(reasonOf('Q.850;cause=16'), undefined);
});

test('the text of a Warning header, with its escapes', () => {
  assert.equal(warningText('399 viaduct "It says \\"no\\"."'), 'It says "no".');
  assert.equal(warningText('399 viaduct'), undefined);
  assert.equal(warningText(undefined), undefined);
});

test('the registration: wrong password is final, what passes is tried again', () => {
  assert.match(explainRegistration(401, 'Unauthorized', undefined).title, /Wrong name or password/);
  assert.match(explainRegistration(403, 'Forbidden', undefined).next, /wait a minute/);
  assert.match(explainRegistration(undefined, 'Request Timeout', undefined).title, /did not answer/);
  assert.deepEqual([401, 403, 404, 503, 408, undefined].map(isWorthRetrying), [false, false, false, true, true, true]);
});

test('a WSS that never opened, from another origin: the certificate, and the page where it can be accepted', () => {
  const words = explainConnection('wss://sip.example.com:8443', 'http://127.0.0.1:8081', false);
  assert.match(words.title, /does not trust/);
  assert.equal(words.link?.href, 'https://sip.example.com:8443/phone');
  const same = explainConnection('wss://sip.example.com:8443', 'https://sip.example.com:8443', false);
  assert.match(same.title, /cannot be reached/);
  assert.match(explainConnection('ws://127.0.0.1:8080', 'http://127.0.0.1:8081', true).title, /lost/);
});

test('the microphone: refused, absent, busy, or not to be had at this address', () => {
  assert.match(explainMicrophone('NotAllowedError', undefined).title, /refused/);
  assert.match(explainMicrophone('NotFoundError', undefined).title, /No microphone/);
  assert.match(explainMicrophone('NotReadableError', undefined).title, /another program/);
  const insecure = explainMicrophone('InsecureContext', 'https://example.com:8443/phone');
  assert.equal(insecure.link?.href, 'https://example.com:8443/phone');
});

test('a call in progress: first that the connection is lost, then that the browser plays nothing', () => {
  assert.match(explainTalking(false, true)?.next ?? '', /The call goes on/);
  assert.match(explainTalking(true, true)?.next ?? '', /press any key/);
  assert.equal(explainTalking(true, false), undefined);
  assert.match(explainLostRinging('bob').next, /Call back/);
});

test('an address that does not exist: what to do, not only what the server says', () => {
  const { status, meaning } = errors['not-found'];
  const words = explainEnding({ peer: 'bob', cause: '', byUs: false, status, warning: meaning });
  assert.match(words?.next ?? '', /spelling/);
});

test('an account: a bare name is of this server, an address is of its own', () => {
  assert.deepEqual(accountOf(' alice ', 'p', ' A ', 'example.com'), {
    user: 'alice',
    domain: 'example.com',
    password: 'p',
    displayName: 'A',
  });
  assert.partialDeepStrictEqual(accountOf('sip:bob@other.org', '', '', 'example.com'), {
    user: 'bob',
    domain: 'other.org',
  });
  assert.partialDeepStrictEqual(accountOf('bob@', '', '', 'example.com'), { user: 'bob', domain: 'example.com' });
});

test('the fragment of the address signs in: with and without a question mark', () => {
  const wanted = { user: 'alice', domain: 'example.com', password: 'a b&c', displayName: '' };
  assert.deepEqual(accountOfFragment('#user=alice&password=a%20b%26c', 'example.com'), wanted);
  assert.deepEqual(accountOfFragment('#?user=alice&password=a+b%26c&domain=example.com', 'x'), wanted);
  assert.equal(accountOfFragment('', 'example.com'), undefined);
});

test('the duration of a call', () => {
  assert.deepEqual([0, 65.9, 3665].map(duration), ['0:00', '1:05', '1:01:05']);
});
