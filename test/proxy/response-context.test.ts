/** A tree of endings: each part begins with a saved state and tries what may come next. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  allEnded,
  allTried,
  bestSoFar,
  branchState,
  type ContextEvent,
  createResponseContext,
  isFinal,
  isRefused,
  ownFailures,
  step,
  takesBranches,
} from '../../src/proxy/response-context.ts';
import { after, effects, invite, message, response, seen } from './story.ts';

const elsewhere = 'SIP;cause=200;text="Call completed elsewhere"';
const one = after(invite, 'branches a', 'routed', 'sent a');
const two = after(invite, 'branches a b', 'routed', 'sent a', 'sent b');
const ringing = after(two, 'a 180', 'b 180');

describe('one phone', () => {
  test('RFC 3261 §16.6 step 11: timer C starts when an INVITE leaves, and for nothing else', () => {
    assert.deepEqual(effects(after(invite, 'branches a'), 'sent a'), ['start-c a 181000']);
    assert.deepEqual(effects(after(message, 'branches a'), 'sent a'), []);
    const short = createResponseContext('INVITE', { timerCMs: 200_000, cancelWaitMs: 32_000 });
    assert.deepEqual(effects(after(short, 'branches a'), 'sent a'), ['start-c a 200000']);
  });

  test('RFC 3261 §16.7 step 5: 100 is not forwarded, every other provisional response is', () => {
    assert.deepEqual(effects(one, 'a 100'), []);
    assert.deepEqual(seen(one, 'a 100', 'a 180', 'a 183', 'a 180'), [
      'forward a 180',
      'forward a 183',
      'forward a 180',
    ]);
  });

  test('RFC 3261 §16.7 step 2: 101-199 start timer C again, 100 does not', () => {
    assert.deepEqual(effects(one, 'a 183'), ['forward a 183', 'start-c a 181000']);
  });

  test('RFC 3261 §16.7 step 5: a 2xx is forwarded; the branch ends with its client transaction, the context with it', () => {
    assert.deepEqual(effects(one, 'a 200'), ['stop-c a', 'forward a 200']);
    const answered = after(one, 'a 200');
    assert.equal(branchState(answered, 'a'), 'accepted');
    assert.deepEqual(effects(answered, 'terminated a'), ['ended a']);
  });

  test('RFC 6026 §7.3: each retransmitted 2xx is forwarded until the client transaction is gone', () => {
    const answered = after(one, 'a 200');
    assert.deepEqual(effects(answered, 'a 200', 'a 200'), ['forward a 200', 'forward a 200']);
    assert.deepEqual(effects(answered, 'a 486', 'a 180', 'a failed 503 transport-failed', 'timer-c a', 'sent a'), []);
    assert.deepEqual(effects(after(answered, 'terminated a'), 'a 200'), []);
  });

  test('RFC 3261 §16.7 step 6: the only failure is the best one', () => {
    for (const status of [300, 302, 404, 486, 500, 603]) {
      const expected = ['stop-c a', 'ended a', `forward a ${status}`];
      assert.deepEqual(effects(one, `a ${status}`), expected);
    }
  });

  test('RFC 3261 §16.9: a branch that could not be sent, or got no answer, is answered for with its reason', () => {
    const preparing = after(invite, 'branches a', 'routed');
    assert.deepEqual(effects(preparing, 'a failed 503 media-down'), ['ended a', 'respond 503 media-down']);
    assert.deepEqual(seen(one, 'a failed 408 branch-timeout'), ['respond 408 branch-timeout']);
    assert.deepEqual(seen(one, 'a failed 503 transport-failed'), ['respond 500 transport-failed']);
    assert.deepEqual(seen(one, 'a 180', 'a failed 503 transport-failed').slice(1), ['respond 500 transport-failed']);
  });

  test('law 8: what is particular to a failure of ours reaches the response', () => {
    const failed = { on: 'failed', branch: 'a', status: 488, code: 'media-refused', detail: 'no codec' } as const;
    const [context, list] = step(one, failed);
    const failure = { status: 488, code: 'media-refused', detail: 'no codec' };
    assert.deepEqual(list.slice(2), [{ do: 'respond', ...failure }]);
    assert.deepEqual(ownFailures(context), [failure]);
  });

  test('law 8: our own part is known also when the answer of another branch goes upstream', () => {
    const failed = after(two, 'a failed 503 media-down', 'b 486');
    assert.deepEqual(ownFailures(failed), [{ status: 503, code: 'media-down' }]);
  });

  test('RFC 3261 §17.1: the end of a client transaction after its failure changes nothing', () => {
    assert.deepEqual(effects(after(one, 'a 486'), 'terminated a', 'a 486', 'timer-c a', 'routed'), []);
    assert.deepEqual(effects(one, 'terminated a'), []);
    assert.deepEqual(effects(after(one, 'a 180'), 'terminated a', 'sent a'), []);
  });

  test('RFC 3261 §16.7: a response to what was never sent is nobody’s', () => {
    assert.deepEqual(effects(after(invite, 'branches a'), 'a 200', 'terminated a', 'timer-c a'), []);
    assert.deepEqual(effects(invite, 'x 200', 'sent x', 'x failed 408 branch-timeout'), []);
  });
});

describe('targets', () => {
  test('RFC 3261 §16.5: no target at all is a 480', () => {
    assert.deepEqual(effects(invite, 'routed'), ['respond 480 not-registered']);
  });

  test('RFC 3261 §16.7 step 6: while a route is at work nothing is concluded; it may add branches', () => {
    const failed = after(invite, 'branches a', 'sent a', 'a 486');
    assert.equal(allEnded(failed), true);
    assert.equal(isFinal(failed), false);
    assert.equal(takesBranches(failed), true);
    assert.deepEqual(bestSoFar(failed), { do: 'forward', branch: 'a', response: response(486, 'a') });
    assert.equal(bestSoFar(after(invite, 'branches a')), undefined);
    assert.deepEqual(seen(failed, 'routed'), ['forward a 486']);
    assert.deepEqual(seen(failed, 'branches b', 'routed', 'sent b', 'b 200'), ['forward b 200']);
  });

  test('RFC 3261 §16.7 step 6: a retry that is added before the failure keeps the context open', () => {
    const retried = after(one, 'branches a2', 'a 488');
    assert.equal(isFinal(retried), false);
    assert.deepEqual(seen(retried, 'sent a2', 'a2 200'), ['forward a2 200']);
  });

  test('RFC 3261 §16.7 step 10: after the 2xx a branch that a route adds is never sent', () => {
    const answered = after(invite, 'branches a', 'sent a', 'a 200');
    assert.deepEqual(effects(answered, 'branches b c'), ['abandon b', 'ended b', 'abandon c', 'ended c']);
    assert.equal(branchState(after(answered, 'branches b'), 'b'), 'ended');
  });

  test('a branch is known by its id once', () => {
    assert.deepEqual(effects(after(one, 'branches a a'), 'a 486'), effects(one, 'a 486'));
  });

  test('a branch that comes after the end is abandoned', () => {
    const answered = after(invite, 'branches a', 'sent a', 'a 200', 'terminated a', 'routed');
    assert.deepEqual(effects(answered, 'routed', 'branches z'), ['abandon z', 'ended z']);
  });
});

describe('two phones ring', () => {
  test('RFC 3261 §16.7 step 10: 200, and the loser is cancelled with a Reason (RFC 3326)', () => {
    assert.deepEqual(effects(ringing, 'a 200'), [
      'stop-c a',
      'forward a 200',
      `cancel b ${elsewhere}`,
      'start-c b 32000',
    ]);
    assert.deepEqual(effects(after(ringing, 'a 200'), 'b 487'), ['stop-c b', 'ended b']);
    assert.deepEqual(effects(after(ringing, 'a 200', 'b 487'), 'terminated a'), ['ended a']);
    assert.deepEqual(effects(after(ringing, 'a 200', 'terminated a'), 'b 487'), ['stop-c b', 'ended b']);
  });

  test('RFC 3261 §16.7 step 5: 200/200, both are forwarded, with their retransmissions', () => {
    const both = ['a 200', 'b 200', 'a 200', 'b 200'];
    assert.deepEqual(
      seen(ringing, ...both).filter((words) => words.startsWith('forward')),
      ['forward a 200', 'forward b 200', 'forward a 200', 'forward b 200'],
    );
    assert.deepEqual(effects(after(ringing, ...both), 'terminated a', 'terminated b'), ['ended a', 'ended b']);
  });

  test('RFC 3261 §16.7 step 6: 401/200, the 200 wins', () => {
    assert.deepEqual(seen(ringing, 'a 401', 'b 200'), ['forward b 200']);
  });

  test('RFC 3261 §16.7 step 6: 486/486 waits for both and forwards one', () => {
    assert.deepEqual(effects(ringing, 'a 486'), ['stop-c a', 'ended a']);
    assert.deepEqual(seen(ringing, 'a 486', 'b 486'), ['forward a 486']);
  });

  test('RFC 3261 §16.7 step 5: 603 cancels the other and waits for it', () => {
    assert.deepEqual(effects(ringing, 'a 603'), ['stop-c a', 'ended a', 'cancel b SIP;cause=603', 'start-c b 32000']);
    assert.deepEqual(seen(ringing, 'a 603', 'b 487').slice(1), ['forward a 603']);
  });

  test('RFC 3261 §16.7 step 5: 600/200, the 2xx that was on its way still wins', () => {
    assert.deepEqual(seen(ringing, 'a 600'), ['cancel b SIP;cause=600']);
    const declined = after(ringing, 'a 600');
    assert.deepEqual(seen(declined, 'b 200'), ['forward b 200']);
    assert.deepEqual(seen(declined, 'b 200', 'b 200', 'terminated b'), ['forward b 200', 'forward b 200']);
  });

  test('RFC 3261 §16.7 step 5: after a 6xx no branch is added', () => {
    const declined = after(invite, 'branches a b', 'sent a', 'sent b', 'b 180', 'a 603');
    assert.equal(takesBranches(declined), false);
    assert.deepEqual(effects(declined, 'branches c'), ['abandon c', 'ended c']);
  });

  test('RFC 3261 §16.7 step 5: two 6xx cancel each branch once, the first is forwarded', () => {
    const three = after(invite, 'branches a b c', 'routed', 'sent a', 'sent b', 'sent c', 'a 180', 'b 180', 'c 180');
    const story = seen(three, 'a 603', 'b 600', 'c 487');
    assert.deepEqual(story, ['cancel b SIP;cause=603', 'cancel c SIP;cause=603', 'forward a 603']);
  });

  test('RFC 3261 §9.1: a loser that has not answered yet is cancelled at its first provisional response', () => {
    const silent = after(two, 'a 200');
    assert.deepEqual(effects(two, 'a 200'), ['stop-c a', 'forward a 200']);
    assert.deepEqual(effects(silent, 'b 100'), [`cancel b ${elsewhere}`, 'start-c b 32000']);
    assert.deepEqual(effects(after(silent, 'b 100'), 'b 180'), [], 'no second CANCEL, and nothing upstream');
    assert.deepEqual(effects(silent, 'b 486'), ['stop-c b', 'ended b'], 'a final first: there is nothing to cancel');
    assert.deepEqual(effects(silent, 'b 200'), ['stop-c b', 'forward b 200'], 'a 2xx first is forwarded');
  });

  test('law 6: a loser that is still being prepared is never sent', () => {
    const slow = after(invite, 'branches a b', 'routed', 'sent a', 'a 200');
    assert.equal(branchState(slow, 'b'), 'ended');
    assert.deepEqual(effects(after(invite, 'branches a b', 'routed', 'sent a'), 'a 200'), [
      'stop-c a',
      'forward a 200',
      'abandon b',
      'ended b',
    ]);
    assert.deepEqual(effects(slow, 'b failed 503 media-down'), [], 'what its preparation says then is of no interest');
  });

  test('RFC 3261 §16.7 step 5: after the 2xx no provisional response goes upstream', () => {
    assert.deepEqual(effects(after(ringing, 'a 200'), 'b 180'), []);
  });

  test('RFC 3261 §9.1: a loser that never ends is given up 64*T1 after its CANCEL', () => {
    const stuck = after(ringing, 'a 200', 'terminated a');
    assert.deepEqual(effects(stuck, 'timer-c b'), ['stop-c b', 'ended b']);
    assert.deepEqual(effects(after(stuck, 'timer-c b'), 'b 200', 'b 487'), []);
  });
});

describe('the caller cancels', () => {
  test('RFC 3261 §16.10: while routing: 487 at once, and what the routes add is never sent', () => {
    assert.deepEqual(effects(invite, 'cancel'), ['respond 487']);
    const cancelled = after(invite, 'cancel');
    assert.equal(isFinal(cancelled), true);
    assert.deepEqual(effects(cancelled, 'branches a', 'routed'), ['abandon a', 'ended a']);
    assert.deepEqual(effects(cancelled, 'routed'), []);
  });

  test('RFC 3261 §16.10: while branches are prepared: abandoned, then 487', () => {
    const preparing = after(invite, 'branches a b', 'routed');
    assert.deepEqual(effects(preparing, 'cancel'), ['abandon a', 'ended a', 'abandon b', 'ended b', 'respond 487']);
    assert.deepEqual(effects(after(preparing, 'cancel'), 'sent a', 'a failed 503 media-down', 'a 200'), []);
  });

  test('RFC 3261 §9.1: before any 1xx: held, and sent with the first one, a 100 included', () => {
    assert.deepEqual(effects(one, 'cancel'), []);
    const held = after(one, 'cancel');
    assert.deepEqual(effects(held, 'a 100'), ['cancel a', 'start-c a 32000']);
    assert.deepEqual(effects(held, 'a 180'), ['forward a 180', 'cancel a', 'start-c a 32000']);
    assert.deepEqual(seen(held, 'a 100', 'a 487'), ['cancel a', 'forward a 487']);
  });

  test('RFC 3261 §9.1: before any 1xx, and a final comes first: there is nothing to cancel', () => {
    const held = after(one, 'cancel');
    assert.deepEqual(seen(held, 'a 486'), ['forward a 486']);
    assert.deepEqual(seen(held, 'a 200'), ['forward a 200'], 'Invite200BeatsCancel');
  });

  test('RFC 3261 §16.10: nobody ever answers: 487 of our own when the branch has timed out', () => {
    assert.deepEqual(seen(after(one, 'cancel'), 'a failed 408 branch-timeout'), ['respond 487']);
    assert.deepEqual(seen(after(one, 'cancel'), 'timer-c a'), ['respond 487']);
  });

  test('RFC 3261 §16.10: while it rings: CANCEL, then the 487 of the phone', () => {
    assert.deepEqual(effects(after(one, 'a 180'), 'cancel'), ['cancel a', 'start-c a 32000']);
    assert.deepEqual(effects(after(one, 'a 180', 'cancel'), 'a 487'), ['stop-c a', 'ended a', 'forward a 487']);
  });

  test('RFC 3326: the Reason of the caller goes with it, also when the CANCEL is held', () => {
    assert.deepEqual(seen(after(one, 'a 180'), 'cancel SIP;cause=600'), ['cancel a SIP;cause=600']);
    assert.deepEqual(seen(one, 'cancel SIP;cause=600', 'a 100'), ['cancel a SIP;cause=600']);
  });

  test('RFC 3261 §16.10: CANCEL and 200 cross: the 200 is forwarded', () => {
    const cancelled = after(ringing, 'cancel');
    assert.deepEqual(seen(cancelled, 'a 200', 'b 487'), ['forward a 200']);
    assert.deepEqual(seen(cancelled, 'b 487', 'a 200', 'a 200'), ['forward a 200', 'forward a 200']);
  });

  test('RFC 3261 §16.10: both phones end with 487: one goes upstream', () => {
    assert.deepEqual(seen(ringing, 'cancel', 'a 487', 'b 487'), ['cancel a', 'cancel b', 'forward a 487']);
  });

  test('RFC 3261 §16.10: a 487 is the answer, whatever other phones had said before', () => {
    for (const status of [302, 401, 404, 486, 500]) {
      const story = seen(ringing, `a ${status}`, 'cancel', 'b 487');
      assert.deepEqual(story, ['cancel b', 'forward b 487'], String(status));
    }
  });

  test('RFC 3261 §16.7 step 6: but a 6xx outranks the 487', () => {
    assert.deepEqual(seen(ringing, 'cancel', 'a 487', 'b 603'), ['cancel a', 'cancel b', 'forward b 603']);
  });

  test('RFC 3261 §16.10: all had refused before the CANCEL reached them: their answer', () => {
    assert.deepEqual(seen(ringing, 'cancel', 'a 486', 'b 480').slice(2), ['forward a 486']);
  });

  test('RFC 3261 §16.10: one refused, the other never answered the CANCEL: 487 of our own', () => {
    assert.deepEqual(seen(ringing, 'a 486', 'cancel', 'timer-c b'), ['cancel b', 'respond 487']);
  });

  test('RFC 3261 §16.10: between two serial targets: 487 at once', () => {
    const between = after(invite, 'branches a', 'sent a', 'a 486');
    assert.deepEqual(effects(between, 'cancel'), ['respond 487']);
    assert.deepEqual(effects(after(between, 'cancel'), 'branches b', 'routed'), ['abandon b', 'ended b']);
  });

  test('RFC 3261 §9.2: after a final response, and the second time, a CANCEL has no effect', () => {
    assert.deepEqual(effects(after(one, 'a 200'), 'cancel'), []);
    assert.deepEqual(effects(after(one, 'a 486'), 'cancel'), []);
    assert.deepEqual(effects(after(ringing, 'cancel'), 'cancel'), []);
  });

  test('RFC 3261 §9.1: a CANCEL after the 6xx cancels nothing twice', () => {
    assert.deepEqual(seen(ringing, 'a 603', 'cancel', 'b 487').slice(1), ['forward a 603']);
  });
});

describe('timer C', () => {
  test('RFC 3261 §16.8: without a provisional response it counts as a 408', () => {
    assert.deepEqual(effects(one, 'timer-c a'), ['stop-c a', 'ended a', 'respond 408 branch-timeout']);
  });

  test('RFC 3261 §16.8: with one the branch is cancelled', () => {
    assert.deepEqual(effects(after(one, 'a 180'), 'timer-c a'), [
      'cancel a SIP;cause=408;text="No answer"',
      'start-c a 32000',
    ]);
  });

  test('Deviates: §16.7 step 6: the 487 to our own CANCEL is a 408 for a caller who cancelled nothing', () => {
    const late = after(one, 'a 180', 'timer-c a');
    assert.deepEqual(seen(late, 'a 487'), ['respond 408 branch-timeout']);
    assert.deepEqual(seen(late, 'a 486'), ['forward a 486']);
    assert.deepEqual(seen(late, 'cancel', 'a 487'), ['respond 487']);
  });

  test('RFC 3261 §16.7 step 5: a 200 that crosses the CANCEL is forwarded', () => {
    assert.deepEqual(seen(after(one, 'a 180', 'timer-c a'), 'a 200'), ['forward a 200']);
  });

  test('RFC 3261 §9.1: no final response 64*T1 after the CANCEL either: 408, and the branch is over', () => {
    const late = after(one, 'a 180', 'timer-c a');
    assert.deepEqual(effects(late, 'a 180'), ['forward a 180'], 'the wait does not begin anew');
    assert.deepEqual(seen(late, 'timer-c a'), ['respond 408 branch-timeout']);
  });

  test('RFC 3261 §16.8: one phone rings out, the other goes on', () => {
    assert.deepEqual(seen(ringing, 'timer-c a', 'a 487', 'b 200').slice(1), ['forward b 200']);
  });
});

describe('requests that are no INVITE', () => {
  const sent = after(message, 'branches a b', 'routed', 'sent a', 'sent b');

  test('RFC 3261 §16.7 step 5: the first 2xx goes upstream, no other', () => {
    assert.deepEqual(effects(sent, 'a 200'), ['forward a 200', 'ended a']);
    assert.deepEqual(effects(after(sent, 'a 200'), 'b 202'), ['ended b']);
    assert.deepEqual(effects(after(sent, 'a 200'), 'b 404'), ['ended b']);
  });

  test('RFC 3261 §16.7 step 10: slower branches are not cancelled; those not sent yet are abandoned', () => {
    assert.deepEqual(seen(sent, 'a 200', 'b 100'), ['forward a 200']);
    const slow = after(message, 'branches a b', 'routed', 'sent a');
    assert.deepEqual(effects(slow, 'a 200'), ['forward a 200', 'ended a', 'abandon b', 'ended b']);
  });

  test('RFC 3261 §9.1: a CANCEL has no effect', () => {
    assert.deepEqual(effects(sent, 'cancel', 'a 100'), []);
    assert.deepEqual(effects(message, 'cancel'), []);
    assert.deepEqual(effects(sent, 'timer-c a'), []);
    assert.deepEqual(effects(after(sent, 'a 100'), 'timer-c a'), []);
  });

  test('RFC 4320 §4.1: no provisional response goes upstream', () => {
    assert.deepEqual(effects(sent, 'a 100', 'a 180'), []);
  });

  test('RFC 4320 §4.2: any other failure is better than a 408', () => {
    assert.deepEqual(seen(sent, 'a failed 408 branch-timeout', 'b 500'), ['forward b 500']);
    assert.deepEqual(seen(sent, 'a 408', 'b failed 503 media-down'), ['respond 503 media-down']);
  });

  test('RFC 4320 §4.2: nothing but timeouts: the server transaction ends with a 408 that it does not send', () => {
    const story = seen(sent, 'a failed 408 branch-timeout', 'b failed 408 branch-timeout');
    assert.deepEqual(story, ['respond 408 branch-timeout']);
  });

  test('RFC 3261 §16.7 step 5: a 6xx waits for the others, which cannot be cancelled', () => {
    assert.deepEqual(seen(sent, 'a 603'), []);
    assert.deepEqual(seen(sent, 'a 603', 'b 200'), ['forward b 200']);
    assert.deepEqual(seen(sent, 'a 603', 'b 404'), ['forward a 603']);
  });
});

test('RFC 3261 §16.7 step 7: the challenges of all branches reach the caller in one response', () => {
  const challenge = (branch: string, status: number, name: string): ContextEvent => ({
    on: 'response',
    branch,
    response: response(status, branch, [[name, `Digest realm="${branch}"`]]),
  });
  const [first] = step(two, challenge('a', 401, 'WWW-Authenticate'));
  const [, list] = step(first, challenge('b', 407, 'Proxy-Authenticate'));
  const forwarded = list.find((effect) => effect.do === 'forward');
  assert.equal(forwarded?.response.status, 401);
  assert.deepEqual(
    forwarded.response.headers.filter(({ name }) => name.endsWith('authenticate')).map(({ raw }) => raw),
    ['WWW-Authenticate: Digest realm="a"', 'Proxy-Authenticate: Digest realm="b"'],
  );
});

describe('it has rung for too long', () => {
  const noAnswer = 'SIP;cause=408;text="No answer"';
  const rung = after(one, 'a 180', 'ring-time-out');

  test('RFC 3261 §16.6: CANCEL leaves, and other targets are tried without waiting for its answer', () => {
    assert.deepEqual(effects(after(one, 'a 180'), 'ring-time-out'), [`cancel a ${noAnswer}`, 'start-c a 32000']);
    assert.ok(allTried(rung) && !allEnded(rung));
    assert.deepEqual(bestSoFar(rung), { do: 'respond', status: 408, code: 'branch-timeout' });
    assert.deepEqual(effects(rung, 'ring-time-out'), []);
  });

  test('what it says after that is not forwarded, but for a 2xx, which wins', () => {
    assert.deepEqual(effects(rung, 'a 183'), []);
    const second = after(rung, 'branches b', 'sent b', 'b 180');
    assert.deepEqual(effects(second, 'a 200'), [
      'stop-c a',
      'forward a 200',
      'cancel b SIP;cause=200;text="Call completed elsewhere"',
      'start-c b 32000',
    ]);
  });

  test('its 487 counts as 408: the caller has cancelled nothing', () => {
    assert.deepEqual(seen(rung, 'routed', 'a 487'), ['respond 408 branch-timeout']);
  });

  test('before any 1xx the CANCEL is held; a branch that is being prepared is over', () => {
    const held = after(one, 'ring-time-out');
    assert.deepEqual(effects(one, 'ring-time-out'), []);
    assert.deepEqual(effects(held, 'a 180'), [`cancel a ${noAnswer}`, 'start-c a 32000']);
    const preparing = after(invite, 'branches a');
    assert.deepEqual(effects(preparing, 'ring-time-out'), ['abandon a', 'ended a']);
    assert.deepEqual(bestSoFar(after(preparing, 'ring-time-out')), {
      do: 'respond',
      status: 408,
      code: 'branch-timeout',
    });
  });

  test('the caller gives up meanwhile: 487 for him', () => {
    assert.deepEqual(seen(rung, 'routed', 'cancel', 'a 487'), ['respond 487']);
  });
});

describe('it says nothing, not even 100', () => {
  const silent = after(ringing, 'branches c', 'sent c', 'silent c');
  const alone = after(invite, 'branches a', 'sent a', 'silent a');
  const noAnswer = 'SIP;cause=408;text="No answer"';

  test('it is not waited for: the others ring on, and when they refuse theirs is the best response', () => {
    assert.deepEqual(effects(after(ringing, 'branches c', 'sent c'), 'silent c'), []);
    assert.ok(!allTried(silent));
    assert.deepEqual(seen(silent, 'a 486', 'b 480'), ['forward a 486']);
  });

  test('Deviates: §16.7 step 6: with nobody else left the caller hears 408 at once, not after timer B', () => {
    assert.ok(allTried(alone) && !allEnded(alone));
    assert.deepEqual(bestSoFar(alone), { do: 'respond', status: 408, code: 'branch-timeout' });
    assert.deepEqual(effects(alone, 'routed'), ['respond 408 branch-timeout']);
  });

  test('RFC 3261 §16.7 step 5: it wakes up while the others ring: it rings with them, and may answer', () => {
    assert.deepEqual(effects(silent, 'c 180'), ['forward c 180', 'start-c c 181000']);
    assert.ok(!allTried(after(silent, 'c 100', 'a 486', 'b 486')));
    assert.equal(seen(silent, 'c 200')[0], 'forward c 200');
  });

  test('RFC 3261 §9.1: it wakes up when others have had their turn: it is cancelled, and a 2xx still wins', () => {
    const second = after(alone, 'branches b', 'sent b', 'b 180');
    assert.deepEqual(effects(second, 'a 180'), [`cancel a ${noAnswer}`, 'start-c a 32000']);
    assert.deepEqual(seen(second, 'a 200'), ['forward a 200', `cancel b ${elsewhere}`]);
  });

  test('RFC 3261 §9.1: it wakes up when the caller has had his 408: CANCEL, and its 2xx goes to nobody', () => {
    const refused = after(alone, 'routed');
    assert.ok(isRefused(refused));
    assert.deepEqual(effects(refused, 'a 180'), [`cancel a ${noAnswer}`, 'start-c a 32000']);
    assert.deepEqual(effects(refused, 'a 200'), ['stop-c a', 'ended a']);
    assert.deepEqual(effects(refused, 'a failed 408 branch-timeout'), ['stop-c a', 'ended a']);
  });

  test('RFC 3261 §16.10: the caller gives up: his 487 waits for nobody who says nothing', () => {
    assert.deepEqual(effects(alone, 'cancel'), ['respond 487']);
    assert.deepEqual(effects(after(one, 'cancel'), 'silent a'), ['respond 487']);
    assert.deepEqual(effects(after(alone, 'cancel'), 'a 180'), ['cancel a', 'start-c a 32000']);
  });

  test('RFC 3263 §4.3: a server is overtaken by the next: cancelled at its first word, and a 2xx still wins', () => {
    const two = after(invite, 'branches a', 'sent a', 'a overtaken b', 'routed', 'sent b');
    assert.deepEqual(effects(two, 'a 100'), [`cancel a ${noAnswer}`, 'start-c a 32000']);
    assert.deepEqual(seen(two, 'b 180', 'a 180'), ['forward b 180', `cancel a ${noAnswer}`]);
    assert.deepEqual(seen(two, 'b 180', 'a 200'), ['forward b 180', 'forward a 200', `cancel b ${elsewhere}`]);
    assert.deepEqual(seen(two, 'a failed 408 branch-timeout', 'b 486'), ['forward b 486']);
    assert.deepEqual(
      seen(after(ringing, 'b overtaken c'), 'a 486', 'b 486'),
      [],
      'one that rings is not, but c is there',
    );
  });

  test('RFC 3263 §4.3: so is one that is silent to another method: never cancelled, nor waited for when the next one refuses', () => {
    const two = after(message, 'branches a', 'sent a', 'a overtaken b', 'routed', 'sent b');
    assert.deepEqual(seen(two, 'b 404', 'a 200'), ['forward b 404']);
    assert.deepEqual(seen(two, 'a 200', 'b 200'), ['forward a 200']);
    assert.deepEqual(seen(two, 'a 100', 'b 200'), ['forward b 200']);
  });

  test('RFC 3261 §9.1: the caller gives up while the first server is silent: the second is never asked', () => {
    assert.deepEqual(effects(after(invite, 'branches a', 'sent a', 'cancel'), 'a overtaken b'), [
      'abandon b',
      'ended b',
      'respond 487',
    ]);
  });

  test('what spoke just in time is not silent', () => {
    for (const word of ['a 100', 'a 200', 'a 486']) {
      assert.deepEqual(effects(after(one, word), 'silent a'), [], word);
    }
    assert.deepEqual(seen(after(one, 'a 100'), 'silent a', 'a 180'), ['forward a 180']);
  });
});
