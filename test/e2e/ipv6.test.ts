/**
 * Calls of telephones that have IPv6 alone, through a running Viaduct and a real rtpengine: with each other, and with
 * telephones that have IPv4 alone. Each reaches a listener of its own family, and hears the other's voice over it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Transport } from '../../src/ports.ts';
import type { Scope } from '../support/process.ts';
import { startTestRtpengine } from '../support/rtpengine.ts';
import { assertNothingIsLeft } from '../support/sipp-calls.ts';
import { PASSWORD, type Softphone, softphoneOf } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const suite = createSuite();
let viaduct: Viaduct;
const free = Array.from({ length: 20 }, (_, index) => `user${index}`);
const users = free.map((name) => `${name}:${PASSWORD}`).join(',');
const listeners = ['127.0.0.1', '[::1]'].flatMap((host) =>
  ['udp', 'tcp', 'tls', 'wss'].map((transport) => `${transport}:${host}:0`),
);

before(async () => {
  const rtpengine = await startTestRtpengine({ interfaces: ['127.0.0.1', '::1'] });
  suite.after(() => rtpengine.stop());
  const settings = { DEMO_USERS: users, LISTEN: listeners.join(' '), RTPENGINE: `${rtpengine.address}=1` };
  viaduct = await startViaduct(suite, settings);
});

after(async () => {
  try {
    await viaduct?.stop();
  } finally {
    await suite.end();
  }
});

interface End {
  readonly transport: Transport;
  readonly ip6: boolean;
}

function open(scope: Scope, end: End, voice: number): Promise<Softphone> {
  return softphoneOf(scope, viaduct, { user: free.shift() ?? 'nobody', voice, ...end });
}

function nameOf({ transport, ip6 }: End): string {
  return `IPv${ip6 ? 6 : 4} over ${transport}`;
}

describe('IPv6', () => {
  const four = { ip6: false };
  const six = { ip6: true };
  for (const [caller, callee] of [
    [
      { transport: 'udp', ...six },
      { transport: 'udp', ...six },
    ],
    [
      { transport: 'udp', ...six },
      { transport: 'udp', ...four },
    ],
    [
      { transport: 'tcp', ...four },
      { transport: 'tls', ...six },
    ],
    [
      { transport: 'tls', ...six },
      { transport: 'udp', ...four },
    ],
  ] as const) {
    test(`from ${nameOf(caller)} to ${nameOf(callee)}: talk, hold, resume, hang up`, async (t) => {
      const [alice, bob] = await Promise.all([open(t, caller, 1), open(t, callee, 2)]);
      const talk = await alice.call(bob);
      const family = (ip6: boolean): RegExp => (ip6 ? /^c=IN IP6 ::1\r$/m : /^c=IN IP4 127\.0\.0\.1\r$/m);
      assert.match(talk.received.body, family(callee.ip6), 'the callee is sent to the relay in its own family');
      assert.match(talk.answered.body, family(caller.ip6), 'so is the caller');
      await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);

      await bob.change(talk.callee, alice, 'sendonly');
      await bob.change(talk.callee, alice);
      await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);

      await bob.hangUp(talk.callee, alice);
      await assertNothingIsLeft(viaduct, talk.callId);
    });
  }

  // Its `c=` is not read: ICE goes by the candidates, and Chromium itself writes 0.0.0.0 there.
  test('RFC 8445: a browser that has IPv6 alone finds a candidate of its family', async (t) => {
    const [browser, phone] = await Promise.all([
      open(t, { transport: 'wss', ip6: true }, 1),
      open(t, { transport: 'udp', ip6: false }, 2),
    ]);
    const talk = await browser.call(phone);
    assert.match(talk.answered.body, /^a=candidate:.* ::1 \d+ typ host/m);
    assert.match(talk.received.body, /^c=IN IP4 127\.0\.0\.1\r$/m);
    await browser.hangUp(talk.caller, phone);
    await assertNothingIsLeft(viaduct, talk.callId);
  });

  test('and so does one that is called by a telephone with IPv4 alone, which holds and resumes', async (t) => {
    const [phone, browser] = await Promise.all([
      open(t, { transport: 'udp', ip6: false }, 1),
      open(t, { transport: 'wss', ip6: true }, 2),
    ]);
    const talk = await phone.call(browser);
    assert.match(talk.received.body, /^a=candidate:.* ::1 \d+ typ host/m);
    assert.match(talk.answered.body, /^c=IN IP4 127\.0\.0\.1\r$/m);
    for (const direction of ['sendonly', 'sendrecv'] as const) await phone.change(talk.caller, browser, direction);
    await browser.hangUp(talk.callee, phone);
    await assertNothingIsLeft(viaduct, talk.callId);
  });
});
