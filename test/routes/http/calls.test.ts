/** One call over REST: its record, its ladder as JSON and as a drawing, its explanation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Value } from 'typebox/value';
import { ExplanationBody, LadderBody } from '../../../routes/http/schemas.ts';
import type { CallExplanation, LadderReport } from '../../../src/engine/operations.ts';
import { call, http, operations, TOKEN } from '../../adapters/http/fixture.ts';

const party = { role: 'caller', name: 'alice', transport: 'wss', address: '192.0.2.1:5060' } as const;

const ladder: LadderReport = {
  call,
  parties: [party],
  steps: [
    {
      kind: 'message',
      number: 1,
      at: call.startedAt,
      sinceMs: 0,
      party: 0,
      incoming: true,
      label: 'INVITE',
      tone: 'plain',
      times: 1,
      lastSinceMs: 0,
      text: undefined,
    },
  ],
  lines: [
    { text: 'alice', tone: 'plain' },
    { text: 'F1 ├─ INVITE ▶│', tone: 'plain' },
  ],
  dropped: 0,
};

const explanation: CallExplanation = {
  call,
  verdicts: [{ number: 50, code: 'ringing', level: 'ok', says: 'It rings.', nextStep: 'Wait.' }],
  legs: [
    {
      party,
      userAgent: 'JsSIP',
      profile: undefined,
      why: 'rtpengine was given no SDP of it',
      inCall: true,
      sdpFrom: undefined,
      sdpTo: undefined,
      media: undefined,
      noQuality: 'no-statistics',
    },
  ],
  exchanges: [],
};

async function get(path: string, accept = 'application/json') {
  const told = {
    ...operations,
    ladder: async (id: string) => (id === call.id ? ladder : undefined),
    explain: async (id: string) => (id === call.id ? explanation : undefined),
  };
  const app = await http({ apiToken: TOKEN, operations: told });
  const answer = await app.inject({
    url: `/api/v1/calls/${path}`,
    headers: { authorization: `Bearer ${TOKEN}`, accept },
  });
  await app.close();
  return answer;
}

test('GET /calls/:id is the record that the list has', async () => {
  const answer = await get('abc');
  assert.equal(answer.statusCode, 200);
  assert.partialDeepStrictEqual(answer.json<unknown>(), {
    id: 'abc',
    state: 'ringing',
    answeredAt: null,
    reason: null,
    mediaFault: null,
    recording: null,
  });
});

test('GET /calls/:id/ladder is JSON, and the drawing for who asks for text', async () => {
  const json = await get('abc/ladder');
  assert.ok(Value.Check(LadderBody, json.json<unknown>()));
  const text = await get('abc/ladder', 'text/plain');
  assert.equal(text.headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(text.body, 'alice\nF1 ├─ INVITE ▶│\n');
});

test('GET /calls/:id/explain has null for what is not known', async () => {
  const answer = await get('abc/explain');
  const body = answer.json<unknown>();
  assert.ok(Value.Check(ExplanationBody, body), answer.body);
  assert.partialDeepStrictEqual(body.legs[0], { profile: null, sdpFrom: null, media: null });
});

for (const path of ['nobody', 'nobody/ladder', 'nobody/explain']) {
  test(`404 as problem+json, with what it means: /calls/${path}`, async () => {
    const answer = await get(path);
    assert.equal(answer.statusCode, 404);
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
    assert.match(answer.body, /No call with this id is known/);
  });
}

test('400 for what is no id', async () => {
  assert.equal((await get('a%20b')).statusCode, 400);
});
