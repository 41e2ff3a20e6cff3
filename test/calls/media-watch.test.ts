/** The watch over the media of calls that are up: what it finds is told, counted, and stands in the call's record. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallSummary, Happening } from '../../src/engine/operations.ts';
import type { NgReply } from '../../src/ports.ts';
import type { Agent } from '../support/agent.ts';
import { type Heard, heard, nowhere } from '../support/heard-media.ts';
import { readPrometheus } from '../support/prometheus.ts';
import { type Call, createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { browserAnswer, phoneAnswer, phoneOffer } from '../support/sdp.ts';

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly call: Call;
  /** Codes of the verdicts that were told, in order; `well` for none any more. */
  readonly told: readonly string[];
}

const talks: Heard = { packets: 200 };
const silent: Heard = { packets: 0 };

function stage(script: (stage: Stage) => Promise<void>, callee: 'phone' | 'browser' = 'phone'): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  return it.play(async () => {
    const told: string[] = [];
    const note = (one: Happening): void => {
      if (one.type === 'media') told.push(one.call.mediaFault?.code ?? 'well');
    };
    const stop = it.proxy().operations.watch(note);
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const transport = callee === 'phone' ? 'udp' : 'wss';
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2', transport });
    const call = await it.call(alice, bob, callee === 'phone' ? {} : { answer: browserAnswer('bob') });
    await script({ it, alice, bob, call, told });
    await it.hangUp(alice, call.caller, bob);
    stop();
  });
}

async function recorded({ it }: Stage): Promise<CallSummary> {
  const [call] = (await it.proxy().operations.calls({ limit: 1 })).items;
  return call ?? assert.fail('no call');
}

test('one-way audio: an event, a line in the record with the cause, a warning in the log, and a count', () =>
  stage(async (scene) => {
    const { it, told } = scene;
    heard(it, talks, silent);
    await it.clock.advance(5_000);
    assert.deepEqual(told, ['one-way']);
    const { mediaFault, id } = await recorded(scene);
    assert.match(mediaFault?.says ?? '', /^One-way audio: nothing came from callee bob/);
    assert.match(mediaFault?.nextStep ?? '', /NAT/);
    const ladder = await it.proxy().operations.ladder(id);
    assert.equal(ladder?.steps.filter(({ kind, label }) => kind === 'media' && /One-way/.test(label)).length, 1);
    assert.ok(it.log.some(({ level, text }) => level === 'warn' && /^One-way audio/.test(text)));
    const samples = readPrometheus(await it.proxy().operations.metrics()).get('viaduct_media_faults_total')?.samples;
    assert.deepEqual(samples?.get('viaduct_media_faults_total'), [{ labels: { code: 'one-way' }, value: 1 }]);
  }));

test('it is looked at again and again, and well again when packets come', () =>
  stage(async (scene) => {
    const { it, told } = scene;
    heard(it, talks, silent);
    await it.clock.advance(30_000);
    assert.deepEqual(told, ['one-way'], 'told once, however often it is seen');
    heard(it, talks, talks);
    await it.clock.advance(60_000);
    assert.deepEqual(told, ['one-way', 'well']);
    assert.equal((await recorded(scene)).mediaFault, undefined);
  }));

test('both sides silent, and a browser whose ICE or DTLS never completes, are told as what they are', async () => {
  const dtls = ['ICE', 'DTLS-SRTP'];
  const elsewhere = { address: '198.51.100.7', port: 4_000 };
  const cases = [
    { alice: silent, bob: silent, code: 'no-media-at-all' },
    { alice: talks, bob: { packets: 0, flags: dtls, endpoint: nowhere }, code: 'browser-never-reached-relay' },
    { alice: talks, bob: { packets: 0, flags: dtls }, code: 'ice-or-dtls-unfinished' },
    { alice: talks, bob: { packets: 0, flags: dtls, endpoint: elsewhere }, code: 'dtls-unfinished' },
    { alice: talks, bob: { packets: 0, flags: dtls, streamFlags: ['confirmed'] }, code: 'dtls-unfinished' },
    { alice: talks, bob: { packets: 9, flags: dtls }, code: 'dtls-unfinished' },
  ];
  for (const { alice, bob, code } of cases) {
    const callee = code === 'no-media-at-all' ? 'phone' : 'browser';
    await stage(async ({ it, told }) => {
      heard(it, alice, bob);
      await it.clock.advance(5_000);
      assert.deepEqual(told, [code]);
    }, callee);
  }
});

test('a side on hold is silent, as it should be', () =>
  stage(async ({ it, told }) => {
    heard(it, talks, { packets: 0, onHold: true });
    await it.clock.advance(60_000);
    assert.deepEqual(told, []);
  }));

test('no alarm for a side on hold by its address, as telephones of RFC 2543 have it, nor for who holds it', () =>
  stage(async ({ it, told }) => {
    const quiet = { packets: 200, silentMs: 40_000 };
    heard(it, { ...quiet, endpoint: { address: '0.0.0.0', port: 4_000 } }, quiet);
    await it.clock.advance(20_000);
    assert.deepEqual(told, []);
    // The address of a medium that was rejected, which says nothing of the call.
    heard(it, { ...quiet, endpoint: { address: '0.0.0.0', port: 0 } }, quiet);
    await it.clock.advance(10_000);
    assert.deepEqual(told, ['media-stopped']);
  }));

test('no alarm for a telephone that answers sendonly with sendrecv and falls silent: it is on hold all the same', () =>
  stage(async ({ it, alice, bob, call, told }) => {
    heard(it, talks, talks);
    const offer = { body: phoneOffer('alice', { direction: 'sendonly', version: 2 }), contentType: sdpType };
    const invite = alice.within(call.caller, 'INVITE', offer);
    bob.respond(await bob.receivesRequest('INVITE'), 200, {
      body: phoneAnswer('bob', { version: 2 }),
      contentType: sdpType,
    });
    alice.ack(invite, await alice.receivesResponse(200, 'INVITE'));
    await bob.receivesRequest('ACK');
    heard(it, talks, { packets: 200, silentMs: 40_000 });
    await it.clock.advance(20_000);
    assert.deepEqual(told, []);
    heard(it, { packets: 200, silentMs: 40_000 }, { packets: 200, silentMs: 40_000 });
    await it.clock.advance(10_000);
    assert.deepEqual(told, ['media-stopped'], 'who holds, sends: music, or its microphone');
  }));

test('no alarm for a fax: T.38 says nothing while the other side sends its page', () =>
  stage(async ({ it, told }) => {
    const fax = { packets: 200, silentMs: 40_000, type: 'image' } as const;
    heard(it, fax, fax);
    await it.clock.advance(20_000);
    assert.deepEqual(told, []);
  }));

test('no alarm for who is muted, or leaves silence out (RFC 3389), while his RTCP goes on', () =>
  stage(async ({ it, told }) => {
    const muted = { packets: 200, silentMs: 40_000 };
    heard(it, talks, { ...muted, reports: { packets: 8, silentMs: 4_000 } });
    await it.clock.advance(20_000);
    assert.deepEqual(told, []);
    heard(it, talks, { ...muted, reports: { packets: 8, silentMs: 30_000 } });
    await it.clock.advance(10_000);
    assert.deepEqual(told, ['media-stopped'], 'its network is away');
  }));

test('rtpengine was restarted: the session of the call is gone', () =>
  stage(async ({ it, told }) => {
    it.media.restart();
    await it.clock.advance(5_000);
    assert.deepEqual(told, ['media-session-lost']);
  }));

test('a change within the call is followed by a look: a re-INVITE that leaves one side silent', () =>
  stage(async ({ it, alice, bob, call, told }) => {
    heard(it, talks, talks);
    await it.clock.advance(60_000);
    const offer = { body: phoneOffer('alice', { version: 2 }), contentType: sdpType };
    const invite = alice.within(call.caller, 'INVITE', offer);
    bob.respond(await bob.receivesRequest('INVITE'), 200, {
      body: phoneAnswer('bob', { version: 2 }),
      contentType: sdpType,
    });
    alice.ack(invite, await alice.receivesResponse(200, 'INVITE'));
    await bob.receivesRequest('ACK');
    heard(it, { packets: 300, silentMs: 40_000 }, talks);
    await it.clock.advance(5_000);
    assert.deepEqual(told, ['media-stopped']);
  }));

test('a node that does not answer says nothing about its calls, and stays in use', () =>
  stage(async ({ it, told }) => {
    it.media.set({ nodes: { m1: 'silent' } });
    await it.clock.advance(20_000);
    it.media.set({ nodes: { m1: 'up' } });
    assert.deepEqual(told, []);
  }));

test('a side that falls silent in the middle of a call is told of then', () =>
  stage(async ({ it, told }) => {
    heard(it, talks, talks);
    await it.clock.advance(600_000);
    assert.deepEqual(told, []);
    heard(it, talks, { packets: 30_000, silentMs: 20_000 });
    await it.clock.advance(15_000);
    assert.deepEqual(told, ['media-stopped']);
  }));

test('media over time: packets of both sides by each look, quality by each report, also when the call has ended', () =>
  stage(async (scene) => {
    const { it, alice, bob, call } = scene;
    const beganMs = it.clock.nowMs();
    const report = (atMs: number, mos: number): NgReply => ({
      ...{ MOS: mos, jitter: 4, 'packet loss': 2, 'round-trip time': 31_000 },
      'reported at': Math.floor(atMs / 1000),
    });
    const entries = [report(beganMs + 5_000, 43), report(beganMs + 10_000, 21)];
    const ssrcs = { 1: { 'average MOS': report(0, 32), 'MOS progression': { interval: 5, entries } } };
    for (let seconds = 0; seconds < 60; seconds += 10) {
      heard(it, { packets: 50 * seconds }, { packets: 49 * seconds }, ssrcs);
      await it.clock.advance(10_000);
    }
    await it.hangUp(alice, call.caller, bob);
    const explained = await it.proxy().operations.explain((await recorded(scene)).id);
    const [caller, callee] = explained?.legs.map(({ overTime }) => overTime) ?? [];
    assert.deepEqual(
      caller?.quality.map(({ atMs, ...measured }) => measured),
      [
        { mos: 4.3, jitterMs: 4, lossPercent: 2, roundTripMs: 31 },
        { mos: 2.1, jitterMs: 4, lossPercent: 2, roundTripMs: 31 },
      ],
    );
    assert.deepEqual(callee?.quality, []);
    const seconds = caller?.packets.map(({ atMs }) => Math.round((atMs - beganMs) / 1000));
    assert.deepEqual(seconds, [4, 14, 24, 34, 44, 54, 60]);
    assert.deepEqual([caller?.packets.at(-1)?.packets, callee?.packets.at(-1)?.packets], [2_500, 2_450]);
  }));

test('law 9: looks of an hour are one step of its ladder, and leave all else of its story', () =>
  stage(async (scene) => {
    const { it } = scene;
    heard(it, talks, talks);
    await it.clock.advance(3_600_000);
    const ladder = await it.proxy().operations.ladder((await recorded(scene)).id);
    const looks = ladder?.steps.filter(({ label }) => label.startsWith('rtpengine: query')) ?? [];
    assert.equal(looks.length, 1);
    assert.ok((looks[0]?.times ?? 0) > 300, String(looks[0]?.times));
    assert.equal(ladder?.dropped, 0);
  }));

test('law 9: over all calls rtpengine is asked ten times a second, and of many at once each in its turn', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    heard(it, talks, talks);
    const calls: Call[] = [];
    for (let count = 0; count < 120; count++) calls.push(await it.call(alice, bob));
    await it.restart();
    await it.clock.advance(4_050);
    const early = await looksOf(it);
    assert.ok(early >= 1 && early < 120, `${early} at once`);
    await it.clock.advance(30_000);
    const before = await looksOf(it);
    await it.clock.advance(120_000);
    const more = (await looksOf(it)) - before;
    assert.ok(more > 1_080 && more <= 1_200, `${more} in two minutes`);
    for (const call of calls) await it.hangUp(alice, call.caller, bob);
  });
});

test('law 9: calls that have ended make no other call wait for its look', async () => {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    heard(it, talks, talks);
    const calls: Call[] = [];
    for (let count = 0; count < 200; count++) calls.push(await it.call(alice, bob));
    await it.clock.advance(10_000);
    for (const call of calls) await it.hangUp(alice, call.caller, bob);
    const last = await it.call(alice, bob);
    const before = await looksOf(it);
    await it.clock.advance(15_000);
    assert.equal((await looksOf(it)) - before, 2, 'after 4 s, and ten seconds later');
    await it.hangUp(alice, last.caller, bob);
  });
});

async function looksOf(it: ProxyScene): Promise<number> {
  const family = readPrometheus(await it.proxy().operations.metrics()).get('viaduct_media_looks_total');
  return family?.samples.get('viaduct_media_looks_total')?.[0]?.value ?? 0;
}
