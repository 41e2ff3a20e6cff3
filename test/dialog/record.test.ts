import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  byeFor,
  infoFor,
  type KnownCall,
  moveFlow,
  noteFlow,
  noteRequest,
  noteResponse,
  recordFromCall,
  sideOf,
} from '../../src/dialog/record.ts';
import { get, values } from '../../src/message/header.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { From, To } from '../../src/message/headers/from-to.ts';
import { Route } from '../../src/message/headers/route.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import type { DialogRecord } from '../../src/ports.ts';

function request(...lines: readonly string[]): SipRequest {
  const message = parseMessage(`${lines.join('\r\n')}\r\n\r\n`);
  assert.ok(message.kind === 'request', 'a request');
  return message;
}

function response(...lines: readonly string[]): SipResponse {
  const message = parseMessage(`${lines.join('\r\n')}\r\n\r\n`);
  assert.ok(message.kind === 'response', 'a response');
  return message;
}

// alice - edge - viaduct (wss and udp, so two Record-Routes) - p1 - p2 - bob
const invite = request(
  'INVITE sip:bob@example.com SIP/2.0',
  'Via: SIP/2.0/WSS ab12.invalid;branch=z9hG4bK1',
  'Record-Route: <sip:edge.example.com;lr>',
  'From: "Alice" <sip:alice@example.com>;tag=a1',
  'To: <sip:bob@example.com>',
  'Call-ID: call-1',
  'CSeq: 5 INVITE',
  'Contact: <sip:x7@ab12.invalid;transport=ws;ob>',
);
const ok = response(
  'SIP/2.0 200 OK',
  'Via: SIP/2.0/WSS ab12.invalid;branch=z9hG4bK1',
  'Record-Route: <sip:p2.example.net;lr>, <sip:p1.example.net;lr>',
  'Record-Route: <sip:TOKEN@192.0.2.1;lr;r2=on>, <sip:TOKEN@192.0.2.1;transport=ws;lr;r2=on>',
  'Record-Route: <sip:edge.example.com;lr>',
  'From: "Alice" <sip:alice@example.com>;tag=a1',
  'To: <sip:bob@example.com>;tag=b1',
  'Call-ID: call-1',
  'CSeq: 5 INVITE',
  'Contact: <sip:bob@198.51.100.9:5062>',
);
const aliceBinding = { aor: 'sip:alice@example.com', key: '<urn:uuid:1>;reg-id=1' };
const known: KnownCall = {
  caller: { flowId: 'c0a0b0c-7', binding: aliceBinding, media: 'webrtc', listener: 4 },
  callee: { flowId: undefined, binding: undefined, media: 'rtp', listener: 0 },
  token: 'TOKEN',
  isOurs: (uri) => uri.includes('TOKEN@'),
  mediaNode: 'rtp-1',
  mediaName: 'call-1~a1',
  node: 'node-1',
  nowMs: 1_700_000_000_000,
};

function made(): DialogRecord {
  const record = recordFromCall(invite, ok, known);
  assert.ok(record !== undefined, 'a record');
  return record;
}

const anyVia = 'Via: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK9';

function inDialog(method: string, from: 'caller' | 'callee', cseq: number, ...more: readonly string[]): SipRequest {
  const [sender, receiver] = from === 'caller' ? ['a1', 'b1'] : ['b1', 'a1'];
  const tags = [`From: <sip:s@example.com>;tag=${sender}`, `To: <sip:r@example.com>;tag=${receiver}`];
  return request(`${method} sip:x SIP/2.0`, anyVia, ...tags, 'Call-ID: call-1', `CSeq: ${cseq} ${method}`, ...more);
}

const via = { transport: 'UDP', host: '192.0.2.1', port: 5060, params: [['branch', 'z9hG4bKbye']] } as const;

test('DESIGN §5: the record of a call has both sides with tags, targets, flows, kinds and the media node', () => {
  assert.deepEqual(made(), {
    callId: 'call-1',
    token: 'TOKEN',
    caller: {
      uri: 'sip:alice@example.com',
      tag: 'a1',
      remoteTarget: 'sip:x7@ab12.invalid;transport=ws;ob',
      routeSet: ['sip:edge.example.com;lr'],
      cseq: 5,
      ...known.caller,
    },
    callee: {
      uri: 'sip:bob@example.com',
      tag: 'b1',
      remoteTarget: 'sip:bob@198.51.100.9:5062',
      routeSet: ['sip:p1.example.net;lr', 'sip:p2.example.net;lr'],
      cseq: 0,
      ...known.callee,
    },
    mediaNode: 'rtp-1',
    mediaName: 'call-1~a1',
    answeredAtMs: 1_700_000_000_000,
    node: 'node-1',
  });
});

test('RFC 3261 §12.1.2: the route set beyond us ends where our own Record-Route begins, nearest proxy first', () => {
  const direct = { ...ok, headers: ok.headers.filter((line) => !line.value.includes('p1.example.net')) };
  assert.deepEqual(recordFromCall(invite, direct, known)?.callee.routeSet, []);
  const without = recordFromCall(invite, ok, { ...known, isOurs: () => false });
  assert.deepEqual(without?.callee.routeSet, [], 'a callee that lost our Record-Route is reached directly');
});

test('RFC 3261 §12.1: a 2xx without Contact leaves the Request-URI as target', () => {
  const bare = { ...ok, headers: ok.headers.filter((line) => line.name !== 'contact') };
  assert.equal(recordFromCall(invite, bare, known)?.callee.remoteTarget, 'sip:bob@example.com');
});

test('RFC 3261 §12.2: the From tag names the side; a foreign tag names none', () => {
  assert.equal(sideOf(made(), 'a1'), 'caller');
  assert.equal(sideOf(made(), 'b1'), 'callee');
  assert.equal(sideOf(made(), 'zz'), undefined);
  assert.equal(sideOf(made(), undefined), undefined);
});

test('RFC 3261 §12.2.2: a request raises the CSeq of its sender only, and never lowers it', () => {
  const raised = noteRequest(made(), inDialog('INFO', 'callee', 41));
  assert.deepEqual([raised.caller.cseq, raised.callee.cseq], [5, 41]);
  const late = noteRequest(raised, inDialog('INFO', 'callee', 40));
  assert.equal(late, raised, 'nothing changed: the same value');
  assert.equal(noteRequest(raised, inDialog('ACK', 'caller', 5)), raised);
});

test('RFC 3261 §12.2: re-INVITE and UPDATE refresh the target of their sender, other requests do not', () => {
  const contact = 'Contact: <sip:new@203.0.113.5>';
  for (const method of ['INVITE', 'UPDATE']) {
    const record = noteRequest(made(), inDialog(method, 'callee', 2, contact));
    assert.equal(record.callee.remoteTarget, 'sip:new@203.0.113.5', method);
    assert.equal(record.caller.remoteTarget, made().caller.remoteTarget);
  }
  assert.equal(
    noteRequest(made(), inDialog('INFO', 'callee', 2, contact)).callee.remoteTarget,
    made().callee.remoteTarget,
  );
  assert.equal(noteRequest(made(), inDialog('INVITE', 'callee', 2)).callee.remoteTarget, made().callee.remoteTarget);
});

test('RFC 3261 §12.2.1.2: the 2xx to a re-INVITE refreshes the target of the side that answers', () => {
  const head = [anyVia, 'From: <sip:b@x>;tag=b1', 'To: <sip:a@x>;tag=a1', 'Call-ID: call-1', 'CSeq: 9 INVITE'];
  const answer = (status: string): SipResponse =>
    response(`SIP/2.0 ${status}`, ...head, 'Contact: <sip:a2@ab12.invalid>');
  assert.equal(noteResponse(made(), answer('200 OK')).caller.remoteTarget, 'sip:a2@ab12.invalid');
  const record = made();
  assert.equal(noteResponse(record, answer('180 Ringing')), record);
});

test('DESIGN §5: a client that registers again with its binding key takes its side of the dialog to the new flow', () => {
  const moved = moveFlow(made(), { ...aliceBinding }, { flowId: 'c0a0b0c-9', listener: 5 });
  assert.deepEqual([moved.caller.flowId, moved.caller.listener], ['c0a0b0c-9', 5]);
  assert.deepEqual(moved.callee, made().callee);
  const record = made();
  assert.equal(moveFlow(record, { aor: aliceBinding.aor, key: 'other' }, { flowId: 'c0a0b0c-9' }), record);
  assert.equal(noteFlow(record, 'callee', 'u0:192.0.2.8:5060').callee.flowId, 'u0:192.0.2.8:5060');
});

test('DESIGN §5: a BYE of ours to the callee goes by its route set, in the name of the caller, CSeq above the last', () => {
  const bye = byeFor(made(), 'callee', { via, headers: [['Reason', 'SIP;cause=503']] });
  assert.equal(bye.startLine, 'BYE sip:bob@198.51.100.9:5062 SIP/2.0');
  assert.deepEqual(values(bye, Route), ['<sip:p1.example.net;lr>', '<sip:p2.example.net;lr>']);
  assert.deepEqual(get(bye, CSeq), { number: 6, method: 'BYE' });
  const texts = bye.headers.map((line) => line.raw);
  assert.ok(texts.includes('From: <sip:alice@example.com>;tag=a1'));
  assert.ok(texts.includes('To: <sip:bob@example.com>;tag=b1'));
  assert.ok(texts.includes('Reason: SIP;cause=503'));
});

test('RFC 2976 §2.2: whether the callee has the call still is asked by an empty INFO with the last CSeq of the caller', () => {
  const record = made();
  const info = infoFor(record, 'callee', { via });
  const bye = byeFor(record, 'callee', { via });
  const cseq = record.caller.cseq;
  assert.deepEqual([info.method, info.body, get(info, CSeq)], ['INFO', '', { number: cseq, method: 'INFO' }]);
  assert.deepEqual([info.uri, get(info, From), get(info, To)], [bye.uri, get(bye, From), get(bye, To)]);
});

test('DESIGN §5: a BYE of ours to the caller goes the other way, in the name of the callee', () => {
  const record = noteRequest(made(), inDialog('INFO', 'callee', 41));
  const bye = byeFor(record, 'caller', { via });
  assert.equal(bye.uri, 'sip:x7@ab12.invalid;transport=ws;ob');
  assert.deepEqual(values(bye, Route), ['<sip:edge.example.com;lr>']);
  assert.equal(get(bye, CSeq)?.number, 42);
  assert.ok(bye.headers.some((line) => line.raw === 'From: <sip:bob@example.com>;tag=b1'));
});

test('RFC 3261 §12.2.1.1: with a strict router first, it is the Request-URI and the target is the last Route', () => {
  const record = made();
  const routeSet = ['sip:old.example.net', 'sip:p2.example.net;lr'];
  const bye = byeFor({ ...record, callee: { ...record.callee, routeSet } }, 'callee', { via });
  assert.equal(bye.uri, 'sip:old.example.net');
  assert.deepEqual(values(bye, Route), ['<sip:p2.example.net;lr>', '<sip:bob@198.51.100.9:5062>']);
});
