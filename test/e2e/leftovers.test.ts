/**
 * Law 3 at scale: Viaduct is killed with -9 in the middle of 200 calls, and rtpengine in the middle of some. Nothing stays
 * in rtpengine of a call that was not up; calls that were up end by BYE; what cannot go on ends with a reason.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import type { AgentDialog } from '../support/agent.ts';
import { PASSWORD, type Softphone, sdpType, softphoneOf, type Talk } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const users = ['alice', 'bob'].map((name) => `${name}:${PASSWORD}`).join(',');

interface Up {
  readonly alice: AgentDialog;
  readonly bob: AgentDialog;
}

describe('kill -9 of Viaduct in the middle of 200 calls', { concurrency: 1 }, () => {
  const suite = createSuite();
  const up: Up[] = [];
  let viaduct: Viaduct;
  let alice: Softphone;
  let bob: Softphone;

  /** As far as `until`; the offer of each stands in rtpengine. */
  async function call(until: 'sent' | 'ringing' | 'early media' | 'answered' | 'up'): Promise<void> {
    const invite = alice.agent.request('INVITE', bob.aor, { body: alice.offer(), contentType: sdpType });
    const received = await bob.agent.receivesRequest('INVITE');
    if (until === 'sent') return;
    const early = until === 'early media' ? { body: bob.answer(), contentType: sdpType } : {};
    bob.agent.respond(received, until === 'early media' ? 183 : 180, early);
    await alice.agent.receivesResponse(until === 'early media' ? 183 : 180);
    if (until === 'ringing' || until === 'early media') return;
    const ok = bob.agent.respond(received, 200, { body: bob.answer(), contentType: sdpType });
    const answered = await alice.agent.receivesResponse(200, 'INVITE');
    up.push(dialogs(invite, answered, received, ok));
    if (until === 'answered') return;
    alice.agent.ack(invite, answered);
    await bob.agent.receivesRequest('ACK');
  }

  function dialogs(invite: SipRequest, answered: SipResponse, received: SipRequest, ok: SipResponse): Up {
    return { alice: alice.agent.dialog(invite, answered), bob: bob.agent.dialog(received, ok) };
  }

  before(async () => {
    viaduct = await startViaduct(suite, { DEMO_USERS: users, TRUSTED: '127.0.0.1' });
    alice = await softphoneOf(suite, viaduct, { user: 'alice', transport: 'udp', voice: 1 });
    bob = await softphoneOf(suite, viaduct, { user: 'bob', transport: 'udp', voice: 2 });
    for (let count = 0; count < 90; count++) await call('up');
    for (let count = 0; count < 60; count++) await call('ringing');
    for (let count = 0; count < 20; count++) await call('early media');
    for (let count = 0; count < 10; count++) await call('answered');
    for (let count = 0; count < 20; count++) await call('sent');
    assert.equal((await viaduct.rtpengine().list()).length, 200);
    // These are on their way in Viaduct, or their offers in rtpengine, when it dies.
    for (let count = 0; count < 40; count++)
      alice.agent.request('INVITE', bob.aor, { body: alice.offer(), contentType: sdpType });
    await bob.agent.receivesRequest('INVITE');
    await viaduct.kill9();
  });
  after(() => suite.end());

  test('after the next start rtpengine has the calls that were up, and no other', async () => {
    bob.agent.inbox.splice(0);
    await viaduct.restart();
    const known = new Set(up.map(({ alice: { callId } }) => callId));
    for (const deadlineMs = Date.now() + 20_000; ; await delay(100)) {
      const sessions = await viaduct.rtpengine().list();
      if (sessions.every((callId) => known.has(callId))) break;
      assert.ok(Date.now() < deadlineMs, `${sessions.length} sessions are left`);
    }
    assert.deepEqual([...(await viaduct.rtpengine().list())].sort(), [...known].sort());
    assert.equal((await viaduct.stats()).calls.inProgress, 100);
  });

  test('they end by BYE of either side; then no port is in use', async () => {
    for (const [index, call] of up.entries()) {
      const [one, dialog, other] = index % 2 === 0 ? [alice, call.alice, bob] : [bob, call.bob, alice];
      one.agent.within(dialog, 'BYE');
      other.agent.respond(await other.agent.receivesRequest('BYE'), 200);
      await one.agent.receivesResponse(200, 'BYE');
    }
    await viaduct.until('no call is left', ({ calls }) => calls.inProgress === 0 && calls.ringing === 0);
    await viaduct.rtpengine().assertReleased(up[0]?.alice.callId ?? '');
    assert.deepEqual(await viaduct.rtpengine().list(), []);
  });
});

describe('kill -9 of rtpengine in the middle of calls', { concurrency: 1 }, () => {
  const suite = createSuite();
  let viaduct: Viaduct;
  let alice: Softphone;
  let bob: Softphone;
  const old: Talk[] = [];

  before(async () => {
    viaduct = await startViaduct(suite, { DEMO_USERS: users, MEDIA_IDLE_SECONDS: '4' });
    alice = await softphoneOf(suite, viaduct, { user: 'alice', transport: 'udp', voice: 1 });
    bob = await softphoneOf(suite, viaduct, { user: 'bob', transport: 'udp', voice: 2 });
    for (let count = 0; count < 5; count++) old.push(await alice.call(bob));
  });
  after(() => suite.end());

  test('a new call has media at once', async () => {
    process.kill(viaduct.run().children.rtpengine ?? assert.fail('no rtpengine'), 'SIGKILL');
    const isUp = ({ rtpengine }: { readonly rtpengine: readonly { readonly state: string }[] }): boolean =>
      rtpengine[0]?.state === 'up';
    // Another one, which knows no call; that the first was gone is seen only if something was asked of it meanwhile.
    const isNew = async (): Promise<boolean> =>
      (
        await viaduct
          .rtpengine()
          .list()
          .catch(() => old)
      ).length === 0;
    for (const deadlineMs = Date.now() + 5_000; !(await isNew()); await delay(50)) {
      assert.ok(Date.now() < deadlineMs, 'rtpengine is not back');
    }
    await viaduct.until('it is seen that rtpengine is back', isUp, 5_000);
    const talk = await alice.call(bob);
    await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
    await alice.hangUp(talk.caller, bob);
  });

  test('the calls of before end with BYE to both sides, and its reason', async () => {
    for (const party of [alice, bob]) {
      for (let count = 0; count < old.length; count++) {
        const bye = await party.agent.receivesRequest('BYE', 15_000);
        assert.match(bye.headers.find(({ name }) => name === 'reason')?.value ?? '', /^SIP;cause=408;text="No media/);
        party.agent.respond(bye, 200);
      }
    }
    await viaduct.until('no call is left', ({ calls }) => calls.inProgress === 0 && calls.ringing === 0);
    await viaduct.rtpengine().assertReleased(old[0]?.callId ?? '');
  });
});
