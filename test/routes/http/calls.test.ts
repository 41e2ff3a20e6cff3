/** One call over REST: its record, its ladder as JSON and as a drawing, its explanation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Value } from 'typebox/value';
import { CallBody, ExplanationBody, LadderBody } from '../../../routes/http/schemas.ts';
import type { CallExplanation, CallSummary, CallsRequest, LadderReport } from '../../../src/engine/operations.ts';
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
      overTime: {
        packets: [{ atMs: 1_000, packets: 50 }],
        quality: [{ atMs: 2_000, mos: 4.3, jitterMs: 3, lossPercent: 0, roundTripMs: 31 }],
      },
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
    node: null,
  });
});

const talked: CallSummary = {
  ...call,
  callId: '=1+1, "two"',
  from: 'sip:alice@example.com;=1+1',
  requestUri: 'sip:b%6Fb@example.com',
  state: 'ended',
  answeredAt: '2030-01-01T00:00:02.000Z',
  endedAt: '2030-01-01T00:01:02.500Z',
  endedBy: 'callee',
  status: 200,
  legs: [
    {
      role: 'caller',
      profile: 'webrtc',
      packets: 500,
      bytes: 86_000,
      quality: { mos: 4.3, jitterMs: 2.5, lossPercent: 0.5, roundTripMs: 31, lost: 3 },
      noQuality: undefined,
    },
    { role: 'callee', profile: 'rtp', packets: 0, bytes: 0, quality: undefined, noQuality: 'no-media' },
  ],
};

test('GET /calls is CSV for who asks for it: a line a call, no formula of strangers, and where the next page is', async () => {
  const asked: CallsRequest[] = [];
  const calls = async (page: CallsRequest) => {
    asked.push(page);
    return { items: [talked], next: '17~a b' };
  };
  const app = await http({ apiToken: TOKEN, operations: { ...operations, calls } });
  const query = 'state=ended&account=bob&since=2030-01-01T00:00:00Z&until=2030-01-02T00:00:00Z&limit=1';
  const headers = { authorization: `Bearer ${TOKEN}`, accept: 'text/csv' };
  const answer = await app.inject({ url: `/api/v1/calls?${query}`, headers });
  await app.close();
  assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8');
  const [titles, row, ...others] = answer.body.split('\r\n');
  assert.match(titles ?? '', /^id,callId,state,from,to,requestUri,startedAt,.*,callerMos,.*,calleeNoQuality,node$/);
  assert.equal(
    row,
    `abc,"'=1+1, ""two""",ended,sip:alice@example.com;'=1+1,sip:bob@example.com,sip:b%6Fb@example.com,2030-01-01T00:00:00.000Z,` +
      '2030-01-01T00:00:02.000Z,2030-01-01T00:01:02.500Z,60.5,callee,200,,,,,,' +
      'webrtc,500,86000,4.3,2.5,0.5,3,31,,rtp,0,0,,,,,,no-media,',
  );
  assert.deepEqual(others, ['']);
  assert.match(String(answer.headers.link), /^<\/api\/v1\/calls\?state=ended&.*&after=17%7Ea\+b>; rel="next"$/);
  assert.partialDeepStrictEqual(asked, [{ state: 'ended', account: 'bob', since: '2030-01-01T00:00:00Z', limit: 1 }]);
});

test('GET /calls/:id has packets and MOS of each side, or why there is none', async () => {
  const app = await http({ apiToken: TOKEN, operations: { ...operations, call: async () => talked } });
  const answer = await app.inject({ url: '/api/v1/calls/abc', headers: { authorization: `Bearer ${TOKEN}` } });
  await app.close();
  const body = answer.json<unknown>();
  assert.ok(Value.Check(CallBody, body), answer.body);
  assert.partialDeepStrictEqual(body.legs, [
    { role: 'caller', profile: 'webrtc', packets: 500, mos: 4.3, noQuality: null },
    { role: 'callee', profile: 'rtp', packets: 0, mos: null, noQuality: 'no-media' },
  ]);
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
  assert.deepEqual(body.legs[0]?.overTime, {
    packets: [{ at: '1970-01-01T00:00:01.000Z', packets: 50 }],
    quality: [{ at: '1970-01-01T00:00:02.000Z', mos: 4.3, jitterMs: 3, lossPercent: 0, roundTripMs: 31 }],
  });
});

for (const path of ['nobody', 'nobody/ladder', 'nobody/explain']) {
  test(`404 as problem+json, with what it means: /calls/${path}`, async () => {
    const answer = await get(path);
    assert.equal(answer.statusCode, 404);
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
    const missing = path === 'nobody' ? /No call with this id is known/ : /No story with this id is kept/;
    assert.match(answer.body, missing);
  });
}

test('400 for what is no id', async () => {
  assert.equal((await get('a%20b')).statusCode, 400);
});
