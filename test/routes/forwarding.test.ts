import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../../routes/failure.ts';
import { call } from '../../routes/forwarding.ts';
import type { Relay, Reply, Request } from '../../src/engine/api.ts';
import { type Answers, createFakeProxy, inWords, requestOf, responseOf } from '../support/fake-proxy.ts';

const bobs = 'sip:bob@example.com';
const carols = 'sip:carol@example.com';
const voicemail = 'sip:bob@vm.example.net';
const device = { uri: 'sip:bob@192.0.2.2' };

async function begin(answers: Partial<Answers>): Promise<readonly [Relay | Reply, Request]> {
  const request = requestOf();
  return [await call(request, createFakeProxy(answers), bobs), request];
}

/** What the call meets when its devices have answered like this. */
async function then(answers: Partial<Answers>, status: number): Promise<string> {
  const [, request] = await begin(answers);
  return inWords(await failure(request, responseOf(status), createFakeProxy(answers)));
}

test('RFC 3261 §21.4.18: an account that does not want to be disturbed: 480, and no device rings', async () => {
  const [verdict] = await begin({ targets: [device], calls: { [bobs]: { doNotDisturb: true } } });
  assert.equal(inWords(verdict), 'reply 480 do-not-disturb');
});

test('devices ring as long as the account says; 20 s where the call would then go on; else without an end', async () => {
  for (const [calls, ringMs] of [
    [{}, undefined],
    [{ ringSeconds: 7 }, 7000],
    [{ voicemail }, 20_000],
    [{ ringSeconds: 7, voicemail }, 7000],
    [{ forwardBusy: voicemail }, undefined],
  ] as const) {
    const [verdict] = await begin({ targets: [device], calls: { [bobs]: calls } });
    assert.deepEqual(verdict, { kind: 'relay', targets: [device], ringMs });
  }
});

test('busy is not no answer: each has its own place, and voicemail takes what is left', async () => {
  const calls = { [bobs]: { forwardBusy: 'sip:busy@b.example.net', forwardNoAnswer: 'sip:away@b.example.net' } };
  const answers = { targets: [device], calls };
  assert.equal(await then(answers, 486), 'relay sip:busy@b.example.net');
  for (const status of [404, 408, 410, 430, 480, 500, 503]) {
    assert.equal(await then(answers, status), 'relay sip:away@b.example.net', String(status));
  }
  for (const status of [486, 408]) {
    const only = { targets: [device], calls: { [bobs]: { voicemail } } };
    assert.equal(await then(only, status), `relay ${voicemail}`, String(status));
  }
});

test('what the caller can mend, or the callee has decided for all his devices, is not forwarded', async () => {
  const answers = { targets: [device], calls: { [bobs]: { voicemail } } };
  for (const status of [302, 401, 407, 415, 420, 484, 488, 600, 603, 606]) {
    assert.equal(await then(answers, status), 'not mine', String(status));
  }
});

test('each place is tried once, and the best response is sent when none is left', async () => {
  const answers = { targets: [device], calls: { [bobs]: { forwardBusy: 'sip:busy@b.example.net', voicemail } } };
  const [, request] = await begin(answers);
  const proxy = createFakeProxy(answers);
  const verdicts: string[] = [];
  for (const status of [486, 486, 486]) verdicts.push(inWords(await failure(request, responseOf(status), proxy)));
  assert.deepEqual(verdicts, ['relay sip:busy@b.example.net', `relay ${voicemail}`, 'not mine']);
});

test('law 9: a chain of forwarding ends after five, wherever it would lead', async () => {
  const uri = (n: number): string => `sip:user${n}@example.com`;
  const chain = Array.from({ length: 10 }, (_, n) => [uri(n), { forwardAlways: uri(n + 1) }] as const);
  const calls = { [bobs]: { forwardAlways: uri(0) }, ...Object.fromEntries(chain) };
  const [verdict, request] = await begin({ targets: [device], calls });
  assert.equal(inWords(verdict), `relay ${device.uri}`);
  assert.equal(request.notes.forwarding?.diverted.length, 5);
});

test('RFC 5806: the target learns whose call it was, and why it comes', async () => {
  const [verdict] = await begin({ targets: [device], calls: { [bobs]: { forwardAlways: carols }, [carols]: {} } });
  const headers = [['Diversion', `<${bobs}>;reason=unconditional;counter=1`]];
  assert.deepEqual(verdict, {
    kind: 'relay',
    targets: [{ ...device, headers }],
    ringMs: undefined,
    isForwarded: true,
  });
});
